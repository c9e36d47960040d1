# SPDX-License-Identifier: GPL-3.0-or-later
"""A broad dry brush whose strokes do not stop at the outline but run past it, with ragged ends."""

from __future__ import annotations

import numpy as np

from .look import BACKGROUND, Look, Painted, smoothstep
from .noise import fractal

PAST = 14.0
"""Longest way, in pixels of the painting, of a stroke past the silhouette."""


def paint(look: Look) -> Painted:
    """Paint a frame; its alpha reaches beyond the frame's where that is transparent."""
    marks = fractal(look.place * np.array([2, 16, 2]), 23)
    tone = np.clip(look.light, 0, 1.2) + 0.25 * (marks - 0.5)
    lit = smoothstep(0.25, 0.75, tone)[..., None]
    colour = look.albedo**0.7 * (0.35 + 0.65 * lit) * (0.8 + 0.4 * marks[..., None])
    colour = np.clip(colour, 0, 1)
    inside = look.things != BACKGROUND
    if inside.all() or not inside.any():
        return Painted(colour)
    reach, nearest = look.outside
    bristles = fractal(look.place * 9, 31).reshape(-1)[nearest]
    length = PAST * look.fine * smoothstep(0.35, 0.75, bristles)
    cover = np.where(inside, 1, np.clip(length - reach, 0, 1))
    return Painted(np.where(inside[..., None], colour, colour.reshape(-1, 3)[nearest]), cover)
