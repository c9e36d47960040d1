# SPDX-License-Identifier: GPL-3.0-or-later
"""Pencil on tinted paper: the lights stay bare, strokes grow broader and cross in the shade."""

from __future__ import annotations

import numpy as np

from .look import Look, Painted, smoothstep
from .noise import DoubleArray, fractal, stripes

PAPER = np.array([0.96, 0.93, 0.86])
GRAPHITE = np.array([0.17, 0.16, 0.21])
HATCHES = (
    (np.array([9.6, 2.3, 12.3]), 0.74, 0.30, 0.62),
    (np.array([11.7, 9.2, -10.5]), 0.50, 0.12, 0.78),
    (np.array([-4.6, 15.9, 6.3]), 0.27, 0.02, 0.88),
)
"""Lines per unit along each axis; tone below which they begin; tone at which they are broadest;
pressure of the pencil."""


def paint(look: Look) -> Painted:
    """Paint a frame."""
    tone = _tone(look)
    wobble = fractal(look.place * 3, 5)
    grain = fractal(look.place * 40, 51, 2) - 0.5
    cover: DoubleArray = np.zeros(tone.shape)
    for number, (direction, begins, broadest, pressed) in enumerate(HATCHES):
        phase = look.place @ direction + 1.5 * wobble + 0.37 * number
        share = 1 - smoothstep(broadest, begins, tone)
        lifted = smoothstep(0.0, 0.25, share + 0.9 * (fractal(look.place * 5, 31 + number) - 0.55))
        lines = stripes(phase, 0.10 + 0.38 * share, look.things) * lifted * (share > 0)
        stroke: DoubleArray = pressed * np.clip(1 + 0.9 * grain, 0, 1.1) * lines
        cover = np.asarray(1 - (1 - cover) * (1 - stroke))
    outline = look.lines(1.3) * (0.75 + 0.5 * (fractal(look.place * 5, 71) - 0.5))
    cover = np.clip(np.maximum(cover, outline), 0, 1)[..., None]
    hue = np.clip(look.albedo / (look.albedo.mean(axis=2, keepdims=True) + 0.08), 0.45, 1.35)
    paper = PAPER * (0.72 + 0.28 * hue) * (0.97 + 0.06 * fractal(look.place * 24, 91, 2))[..., None]
    return Painted(np.clip(paper * (1 - cover) + GRAPHITE * cover, 0, 1))


def _tone(look: Look) -> DoubleArray:
    """Return the tone (H, W) to draw, from the light and a little from the albedo."""
    own = look.albedo @ np.array([0.3, 0.59, 0.11])
    tone = np.clip(look.light, 0, 1.4) ** 0.6 * (0.38 + 0.85 * own)
    return np.asarray(tone + 0.08 * (fractal(look.place * 4, 3) - 0.5))
