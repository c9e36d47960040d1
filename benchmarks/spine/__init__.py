# SPDX-License-Identifier: GPL-3.0-or-later
"""What each step of the way from scene to compositor costs, in one table with its machine."""
