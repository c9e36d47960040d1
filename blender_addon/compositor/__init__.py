# SPDX-License-Identifier: GPL-3.0-or-later
"""The node group in the compositor, and its image sequences."""
