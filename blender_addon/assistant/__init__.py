# SPDX-License-Identifier: GPL-3.0-or-later
"""The keyframe assistant: which frame to paint next, found while the user works."""
