# SPDX-License-Identifier: GPL-3.0-or-later
"""Ink lines along silhouettes, thick in shadow and thin in light, with a slight wobble."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter1d

from .brushes import FINE
from .view import sample


def outlines(inside: npt.NDArray[Any], depth: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Trace the silhouette of an object where it is in front of something else.

    Args:
        inside: (H, W) bool, the pixels of the object.
        depth: (H, W) distance to the camera.

    Returns:
        Smooth lines, each (N, 2), x and y in pixels of the frame, with points about a third of a
        pixel apart; not along the border of the picture, nor where the object is occluded.
    """
    height, width = inside.shape
    solid = cv2.resize(inside.astype(np.float32), None, fx=FINE, fy=FINE)
    solid = cv2.GaussianBlur(solid, (0, 0), 0.6 * FINE)
    found, _ = cv2.findContours(
        (solid > 0.5).astype(np.uint8), cv2.RETR_CCOMP, cv2.CHAIN_APPROX_NONE
    )
    lines = []
    for contour in found:
        ring = contour[:, 0].astype(np.float64)
        if len(ring) < 6 * FINE:
            continue
        ring = (gaussian_filter1d(ring, 0.8 * FINE, axis=0, mode="wrap") + 0.5) / FINE
        tangent = np.roll(ring, -2, axis=0) - np.roll(ring, 2, axis=0)
        tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-6
        normal = np.stack([tangent[:, 1], -tangent[:, 0]], axis=1)
        near = [sample(depth, ring + side * 2.0 * normal) for side in (1, -1)]
        own = [sample(inside, ring + side * 2.0 * normal) for side in (1, -1)]
        in_side = own[0] >= own[1]
        here, there = np.where(in_side, near[0], near[1]), np.where(in_side, near[1], near[0])
        border = (np.minimum(ring, [width, height] - ring) < 1.2).any(axis=1)
        drawn = (here < there * 1.002) & ~border
        lines += _runs(ring, _closed_gaps(drawn, 5 * FINE))
    return lines


def _closed_gaps(drawn: npt.NDArray[Any], gap: int) -> npt.NDArray[Any]:
    grown = np.convolve(np.pad(drawn, gap, mode="wrap"), np.ones(2 * gap + 1), "same") > 0
    shrunk = np.convolve(~grown, np.ones(2 * gap + 1), "same") > 0
    return ~shrunk[gap:-gap] | drawn


def _runs(ring: npt.NDArray[Any], drawn: npt.NDArray[Any]) -> list[npt.NDArray[Any]]:
    """Cut a closed ring (N, 2) into its runs of points where ``drawn`` (N,) is true."""
    if drawn.all():
        return [np.concatenate([ring, ring[: 2 * FINE]])]
    if not drawn.any():
        return []
    first = int(np.argmin(drawn))
    ring, drawn = np.roll(ring, -first, axis=0), np.roll(drawn, -first)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], drawn.astype(int), [0]])))
    pairs = zip(edges[::2], edges[1::2], strict=True)
    return [ring[a:b] for a, b in pairs if b - a > 5 * FINE]


def draw_line(
    cover: npt.NDArray[Any],
    line: npt.NDArray[Any],
    width: npt.NDArray[Any],
    wobble: npt.NDArray[Any],
) -> None:
    """Draw one line of varying width into a coverage mask, in place.

    Args:
        cover: canvas size, uint8.
        line: (N, 2) points in pixels of the frame.
        width: (N,) width in pixels of the frame; below 0.25 nothing is drawn.
        wobble: (N,) sideways offset in pixels of the frame.
    """
    taper = np.minimum(np.arange(len(line)), np.arange(len(line))[::-1]) / (7.0 * FINE)
    width = gaussian_filter1d(width, 2.0 * FINE) * np.clip(taper + 0.12, 0, 1)
    tangent = np.gradient(gaussian_filter1d(line, FINE, axis=0), axis=0)
    tangent /= np.linalg.norm(tangent, axis=1, keepdims=True) + 1e-6
    normal = np.stack([-tangent[:, 1], tangent[:, 0]], axis=1)
    middle = line + gaussian_filter1d(wobble, 2.0 * FINE)[:, None] * normal
    shift = 4
    for run in _runs_of(width > 0.25):
        left = middle[run] + normal[run] * width[run, None] / 2
        right = middle[run] - normal[run] * width[run, None] / 2
        for i in range(len(left) - 1):
            quad = np.array([left[i], left[i + 1], right[i + 1], right[i]])
            codes = np.round((quad * FINE - 0.5) * (1 << shift)).astype(np.int32)
            cv2.fillConvexPoly(cover, codes, (255,), cv2.LINE_AA, shift)


def _runs_of(drawn: npt.NDArray[Any]) -> list[slice]:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], drawn.astype(int), [0]])))
    return [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 2]
