# SPDX-License-Identifier: GPL-3.0-or-later
"""Pencil hatching on tinted paper: one direction in half-light, a second and third in shade."""

from __future__ import annotations

import numpy as np

from .look import Floats, Look, Painted, smoothstep
from .noise import fractal, stripes

PAPER = np.array([0.96, 0.93, 0.86])
GRAPHITE = np.array([0.15, 0.14, 0.19])
HATCHES = (
    (np.array([9.6, 2.3, 12.3]), 0.92, 0.42),
    (np.array([11.7, 9.2, -10.5]), 0.58, 0.22),
    (np.array([-4.6, 15.9, 6.3]), 0.30, 0.05),
)
"""Lines a unit along each axis; the tone below which they begin; where they are widest."""


def paint(look: Look) -> Painted:
    """Paint a frame."""
    tone = _tone(look)
    wobble = fractal(look.place * 3, 5)
    pressure = 0.75 + 0.5 * (fractal(look.place * 9, 31) - 0.5)
    cover = np.zeros(tone.shape)
    for number, (direction, begins, widest) in enumerate(HATCHES):
        phase = look.place @ direction + 1.5 * wobble
        width = 0.08 + 0.42 * (1 - smoothstep(widest, begins, tone))
        width = np.where(tone < begins, width, 0) * smoothstep(0, 0.12, begins - tone)
        lines = stripes(phase + 0.37 * number, width, look.things)
        cover = 1 - (1 - cover) * (1 - 0.8 * pressure * lines)
    grain = fractal(look.place * 40, 51, 2) - 0.5
    cover *= np.clip(1 + 0.9 * grain, 0, 1.3)
    outline = look.lines(1.3) * (0.75 + 0.5 * (fractal(look.place * 5, 71) - 0.5))
    cover = np.clip(np.maximum(cover, outline), 0, 1)[..., None]
    hue = np.clip(look.albedo / (look.albedo.mean(axis=2, keepdims=True) + 0.08), 0.45, 1.35)
    paper = PAPER * (0.72 + 0.28 * hue) * (0.97 + 0.06 * fractal(look.place * 24, 91, 2))[..., None]
    colour = np.clip(paper * (1 - cover) + GRAPHITE * cover, 0, 1)
    return Painted(colour)


def _tone(look: Look) -> Floats:
    """How light a place is to be drawn: by its light, and a little by its own colour."""
    own = look.albedo @ np.array([0.3, 0.59, 0.11])
    tone = 0.8 * np.clip(look.light, 0, 1.4) ** 0.6 * (0.55 + 0.45 * own)
    return np.asarray(tone + 0.06 * (fractal(look.place * 4, 3) - 0.5))
