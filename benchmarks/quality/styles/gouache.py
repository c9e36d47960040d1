# SPDX-License-Identifier: GPL-3.0-or-later
"""Gouache with ink lines: four tones, warm lights and cool shades, marks of a brush."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

from .look import Look, Painted
from .noise import DoubleArray, fractal

PAPER = np.array([0.93, 0.9, 0.82])
INK = np.array([0.10, 0.05, 0.12])
WARM, COOL = np.array([1.06, 1, 0.86]), np.array([0.8, 0.9, 1.18])
TONES_FROM = [0, 0.18, 0.22, 0.40, 0.44, 0.66, 0.70, 1]
TONES = [0.12, 0.12, 0.36, 0.36, 0.62, 0.62, 0.92, 0.92]


def paint(look: Look) -> Painted:
    """Paint a frame, opaque on paper."""
    tone = look.image @ np.array([0.3, 0.59, 0.11])
    hue = np.clip(look.image / (tone[..., None] + 0.05), 0.3, 1.7)
    tone = np.interp(tone + 0.1 * (fractal(look.place * 6, 1) - 0.5), TONES_FROM, TONES)
    colour = np.clip(tone[..., None] * hue, 0, 1)
    lit = np.clip((tone - 0.2) / 0.6, 0, 1)[..., None]
    colour *= WARM * lit + COOL * (1 - lit)
    marks = fractal(look.place * np.array([3, 14, 3]), 9)
    colour *= 0.86 + 0.3 * marks[..., None]
    ink = _ink(look)[..., None]
    colour = colour * (1 - ink) + INK * ink
    cover = look.alpha[..., None]
    return Painted(np.clip(colour * cover + PAPER * (1 - cover), 0, 1), np.ones(tone.shape))


def _ink(look: Look) -> DoubleArray:
    edge = np.zeros(look.alpha.shape)
    for axis in (0, 1):
        step = np.abs(np.diff(look.normal, axis=axis)).sum(axis=-1) > 1
        step |= np.diff(look.things, axis=axis) != 0
        step |= np.abs(np.diff(look.depth, axis=axis)) > 0.25
        padding = [(0, 0), (0, 0)]
        padding[axis] = (0, 1)
        edge = np.maximum(edge, np.pad(step, padding))
    return np.asarray(np.clip(gaussian_filter(edge, 0.8 * look.fine) * 2.2, 0, 1))
