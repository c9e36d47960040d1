# SPDX-License-Identifier: GPL-3.0-or-later
"""Flat cel shading: each surface in light, half-light and shade, with lines of its own dark."""

from __future__ import annotations

import numpy as np

from .look import Look, Painted, smoothstep

SHADE, HALF = np.array([0.42, 0.42, 0.62]), np.array([0.74, 0.72, 0.84])
LINE = np.array([0.16, 0.10, 0.18])
BANDS = (0.32, 0.66)
"""Light at which shade turns into half-light, and half-light into light."""
SOFT = 0.02
COLOUR_STEPS = 7


def paint(look: Look) -> Painted:
    """Paint a frame."""
    bright = np.maximum(look.albedo.max(axis=2, keepdims=True), 1e-3)
    flat = look.albedo * np.round(bright * COLOUR_STEPS) / COLOUR_STEPS / bright
    grey = flat.mean(axis=2, keepdims=True)
    flat = np.clip(grey + (flat - grey) * 1.2, 0, 1)
    half, full = (smoothstep(band - SOFT, band + SOFT, look.light)[..., None] for band in BANDS)
    tint = SHADE + (HALF - SHADE) * half + (1 - HALF) * full
    colour = flat * tint
    line = look.lines(1.6)[..., None]
    return Painted(np.clip(colour * (1 - line) + LINE * line, 0, 1))
