# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for the training settings of one shot."""
