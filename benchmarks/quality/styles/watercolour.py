# SPDX-License-Identifier: GPL-3.0-or-later
"""Loose watercolour: washes of uneven density, granulated pigment, dark rims, bleeding edges.

Density d changes the colour C of a wash to C − (C − C²)(d − 1), as in Bousseau, Kaplan, Thollot and
Sillion 2006, "Interactive Watercolor Rendering with Temporal Coherence and Abstraction".
"""

from __future__ import annotations

import cv2
import numpy as np

from .look import BACKGROUND, Look, Painted, smoothstep
from .noise import DoubleArray, fractal

PAPER = np.array([0.98, 0.965, 0.93])
SHADE = np.array([0.50, 0.53, 0.78])
RIM = 3.0
"""Width, in pixels of the painting, of the dark rim of a wash."""
BLEED = 3.5
"""Distance, in pixels of the painting, by which colour bleeds over the silhouette."""


def paint(look: Look) -> Painted:
    """Paint a frame; its alpha reaches softly beyond the frame's where that is transparent."""
    flow = fractal(look.place * 2.2, 3)
    light = look.light + 0.16 * (flow - 0.5)
    shade = 1 - 0.55 * smoothstep(0.18, 0.34, light) - 0.45 * smoothstep(0.55, 0.85, light)
    wash = 0.12 + 0.88 * look.albedo**0.75
    colour = wash * (1 - shade[..., None] * (1 - SHADE))
    density = 1 + 0.9 * (flow - 0.5) + 0.5 * (fractal(look.place * 7, 17) - 0.5)
    density += 0.35 * (fractal(look.place * 34, 43, 2) - 0.5) * (0.6 + shade)
    density += 0.55 * _rim(look) - 0.12
    washed = _with_density(colour, np.clip(density, 0.25, 2.2))
    thin = 0.10 + 0.25 * smoothstep(0.55, 0.8, flow)
    washed = washed * (1 - thin[..., None]) + PAPER * thin[..., None]
    if look.alpha.min() > 0.99:
        return Painted(np.clip(washed, 0, 1))
    return _bled(look, np.clip(washed, 0, 1))


def _with_density(colour: DoubleArray, density: DoubleArray) -> DoubleArray:
    d = density[..., None]
    return np.asarray(np.clip(colour - (colour - colour * colour) * (d - 1), 0, 1))


def _rim(look: Look) -> DoubleArray:
    """Return the uneven amount of pigment (H, W), 0..1, at the borders of objects."""
    reach = cv2.distanceTransform((~look.borders).astype(np.uint8), cv2.DIST_L2, 5)
    near = np.exp(-((reach / (RIM * look.fine / 2)) ** 2)).astype(np.float64)
    return np.asarray(near * (0.45 + 1.1 * fractal(look.place * 4, 61)))


def _bled(look: Look, colour: DoubleArray) -> Painted:
    """Let colour bleed over the silhouette, unevenly along it."""
    inside = look.things != BACKGROUND
    reach, nearest = look.outside
    uneven = fractal(look.place * 4, 77)
    spread = colour.reshape(-1, 3)[nearest]
    length = BLEED * look.fine * (0.25 + 1.5 * uneven.reshape(-1)[nearest])
    bleed = 0.75 * np.clip(1 - reach / np.maximum(length, 1e-6), 0, 1) ** 1.5
    alpha = np.where(inside, 1, bleed)
    return Painted(np.where(inside[..., None], colour, spread), alpha)
