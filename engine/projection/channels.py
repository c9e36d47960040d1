# SPDX-License-Identifier: GPL-3.0-or-later
"""The channels of the guide ``projection``, which come last in the network's input."""

PROJECTION_CHANNELS = 7
"""Projected paint (3), how much lighter the keyframe was (3), validity (1)."""
