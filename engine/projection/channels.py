# SPDX-License-Identifier: GPL-3.0-or-later
"""The channels of the guide ``projection``, which come last in the network's input.

Style files rely on this order, so it never changes.
"""

PROJECTION_CHANNELS = 7
PAINT = slice(0, 3)
"""Projected paint, −1..1; 0 where not valid."""
LIGHT = slice(3, 6)
"""The keyframe's own picture, projected likewise, minus the frame's, clipped to −1..1.

``Projection.each`` gives the keyframe's picture itself there, −1..1.
"""
VALID = 6
"""Validity, 0..1: the largest share that projected paint can have."""
OFFSET = 7
"""Projected offset of alpha, −1..1: the painting's minus its frame's; 0 where not valid.

Only arrays of styles that learn alpha have this channel. In the network's input it is the guide
``coverage`` and stands before the others.
"""
