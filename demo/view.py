# SPDX-License-Identifier: GPL-3.0-or-later
"""The painter's analysis of a frame: areas of one colour, light and shade, surface directions."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt

from engine.frames.frame import Frame

LIGHT, SHADOW = np.array([1.0, 0.93, 0.68]), np.array([0.33, 0.24, 0.52])
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


def sample(picture: npt.NDArray[Any], at: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the values of a picture at points (N, 2), x and y, by nearest pixel."""
    x = np.clip(at[:, 0].astype(int), 0, picture.shape[1] - 1)
    y = np.clip(at[:, 1].astype(int), 0, picture.shape[0] - 1)
    return picture[y, x]


class View:
    """The analysis of a frame.

    Attributes:
        shape: height and width.
        things: (H, W) int32, object ids without gaps.
        areas: (H, W) int64, ids of areas of one colour; up to four per object.
        objects, order: ids of the objects and of the areas, the farthest first.
        surface, depth: the passes of the frame, without gaps.
        shade: (H, W) light, 0..1.2; ``shade_around`` is blurred.
        tones: three (H, W, 3) pictures of the colours to mix, from fine to coarse.
        run: (H, W, 3, 2) derivatives of the surface coordinates by x and by y, per pixel.
    """

    def __init__(self, frame: Frame) -> None:
        assert frame.object is not None
        assert frame.surface is not None
        assert frame.albedo is not None
        assert frame.depth is not None
        self.shape = frame.object.shape
        known = _without_specks(frame.object) & ~np.isnan(frame.surface).any(axis=2)
        near = distance_transform_edt(~known, return_distances=False, return_indices=True)
        self._known = known.astype(np.float32)
        self.things = frame.object[tuple(near)]
        self.surface = frame.surface[tuple(near)]
        self.depth = np.minimum(frame.depth[tuple(near)], 1e4)
        albedo, image = frame.albedo, frame.image
        numbers = [int(number) for number in np.unique(self.things)]
        distance = {n: float(np.median(self.depth[self.things == n])) for n in numbers}
        self.objects = sorted(numbers, key=lambda n: -distance[n])
        self.areas = np.zeros(self.shape, np.int64)
        self.order: list[int] = []
        self.boxes: dict[int, tuple[slice, slice]] = {}
        for number in self.objects:
            self._split_by_colour(number, albedo)

        bright = (image**2.2) @ _LUMA / np.maximum((albedo**2.2) @ _LUMA, 1e-3)
        self._glow = albedo.max(axis=2) < 0.02
        dark = (albedo.max(axis=2) < 0.25) | self._glow
        gleam = 0.62 + np.clip(1.6 * (image @ _LUMA) - 0.35, 0, 0.5) * ~self._glow
        shade = np.where(dark, gleam, np.clip(bright / 1.25, 0, 1.2)).astype(np.float32)
        self.shade = self._within(shade, 1.0)
        self.shade_around = cv2.GaussianBlur(self.shade, (0, 0), 3)
        local = np.where(self._glow[..., None], image, albedo)
        self.tones = [
            _repainted(self._within(local, blur), self._within(self.shade, blur), image, self._glow)
            for blur in (0.5, 1.2, 3.0)
        ]
        self.run = self._surface_run()

    def inside(self, area: int) -> npt.NDArray[Any]:
        """Return the pixels of an area, (H, W) bool."""
        return self.areas == area

    def glows(self, inside: npt.NDArray[Any]) -> bool:
        """Return whether an area is emissive."""
        return bool(self._glow[inside].mean() > 0.5)

    def footprint(self, inside: npt.NDArray[Any]) -> float:
        """Return the median size of a pixel on the surface, in the units of the object."""
        steps = np.linalg.norm(self.run[inside], axis=1).min(axis=-1)
        return max(float(np.median(steps)), 1e-5)

    def long_axis(self, inside: npt.NDArray[Any]) -> int:
        """Return the axis of the surface coordinates along which an area is longest."""
        values = self.surface[inside]
        return int(np.argmax(np.percentile(values, 98, 0) - np.percentile(values, 2, 0)))

    def _split_by_colour(self, thing: int, albedo: npt.NDArray[Any]) -> None:
        """Split an object into areas of one colour, the largest first."""
        inside = self.things == thing
        colours = albedo[inside]
        coarse, counts = np.unique(np.round(colours * 6).astype(int), axis=0, return_counts=True)
        kept: list[npt.NDArray[Any]] = []
        for colour in coarse[np.argsort(-counts, kind="stable")] / 6:
            share = (np.abs(colours - colour).max(axis=1) < 0.12).mean()
            new = all(np.abs(colour - other).max() > 0.25 for other in kept)
            if new and len(kept) < 3 and (share > 0.03 or not kept):
                kept.append(colour)
        kept.sort(key=lambda colour: np.round(colour, 2).tolist())
        nearest = np.argmin([np.abs(colours - colour).sum(axis=1) for colour in kept], axis=0)
        sizes = np.bincount(nearest, minlength=len(kept))
        for index in np.argsort(-sizes, kind="stable"):
            if sizes[index]:
                name = thing * 4 + int(index)
                self.areas[tuple(part[nearest == index] for part in np.nonzero(inside))] = name
                self.order.append(name)
        for name in self.order[-len(kept) :]:
            y, x = np.nonzero(self.areas == name)
            if len(y):
                self.boxes[name] = np.s_[y.min() : y.max() + 1, x.min() : x.max() + 1]

    def _within(self, values: npt.NDArray[Any], blur: float) -> npt.NDArray[Any]:
        """Blur values inside each area."""
        result = np.array(values, np.float32)
        for name, box in self.boxes.items():
            inside = self.areas[box] == name
            core = cv2.erode(inside * self._known[box], np.ones((3, 3))) + 1e-4 * inside
            weight = cv2.GaussianBlur(core, (0, 0), blur)
            part = np.array(values[box], np.float32)
            part *= core[..., None] if values.ndim == 3 else core
            soft = cv2.GaussianBlur(part, (0, 0), blur)
            scale = np.maximum(weight, 1e-9)
            result[box][inside] = (soft / (scale[..., None] if values.ndim == 3 else scale))[inside]
        return result

    def _surface_run(self) -> npt.NDArray[Any]:
        """Return ``run``."""
        steps = []
        for axis in (1, 0):
            ahead = np.roll(self.surface, -1, axis) - self.surface
            same = np.roll(self.things, -1, axis) == self.things
            back, same_back = np.roll(ahead, 1, axis), np.roll(same, 1, axis)
            both = np.maximum(same.astype(np.float32) + same_back, 1)
            total = ahead * same[..., None] + back * same_back[..., None]
            steps.append(self._within(total / both[..., None], 1.5))
        return np.stack(steps, axis=-1)


def _without_specks(things: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the pixels (H, W) that show one object, without specks of mixed edge pixels."""
    sure = np.zeros(things.shape, bool)
    for number in np.unique(things[things > 0]):
        _, labels, stats, _ = cv2.connectedComponentsWithStats((things == number).astype(np.uint8))
        sizes = stats[:, cv2.CC_STAT_AREA].copy()
        sizes[0] = 0
        largest = sizes.max()
        if largest >= 4:
            sure |= (sizes >= min(largest, max(8, 0.02 * largest)))[labels]
    return sure


def _repainted(
    local: npt.NDArray[Any],
    shade: npt.NDArray[Any],
    image: npt.NDArray[Any],
    glow: npt.NDArray[Any],
) -> npt.NDArray[Any]:
    """Return colours as a painter mixes them: warm lights, violet shadows, few tones between."""
    grey = (local @ _LUMA)[..., None]
    rich = np.clip(grey + (local - grey) * 1.12, 0, 1)
    dark = np.clip(rich * (0.40 + 0.45 * SHADOW) + 0.10 * SHADOW, 0, 1)
    middle = np.clip(rich * [0.93, 0.86, 0.92], 0, 1)
    full = np.clip(rich * 0.86 + 0.16 * LIGHT, 0, 1)
    lit = shade[..., None]
    first = np.clip((lit - 0.34) / 0.14, 0, 1)
    second = np.clip((lit - 0.72) / 0.14, 0, 1)
    mixed = dark + first * (middle - dark) + second * (full - middle)
    own = np.clip(image + (image - (image @ _LUMA)[..., None]) * 0.12, 0, 1)
    return np.where(glow[..., None], own, mixed).astype(np.float32)
