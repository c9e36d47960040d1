# SPDX-License-Identifier: GPL-3.0-or-later
"""The chart of trainings: held-out figures over the time, drawn into a small picture."""

from __future__ import annotations

import array
import itertools
import math
from collections.abc import Sequence

from ..drawn_icons import DrawnIcons
from ..engine.shared.trainings.kept import Training, Trainings
from ..engine.shared.trainings.record import figures

WIDTH, HEIGHT = 256, 192
_MOST_TIMES = 3.0
"""The chart ends at so many times the lowest figure: higher ones are of the first seconds."""
_LEFT, _BOTTOM = 4, 4
_GROUND, _GRID = (30, 30, 30, 255), (55, 55, 55, 255)
_LAST, _BEST, _OTHER = (255, 160, 60, 255), (120, 200, 120, 255), (120, 120, 120, 255)
_LEARNT = (95, 75, 55, 255)
_icons = DrawnIcons()
_shown: Trainings | None = None

Colour = tuple[int, int, int, int]
Points = Sequence[tuple[float, float]]


class Canvas:
    """RGBA pixels, bottom row first, that lines are drawn into."""

    def __init__(self, width: int, height: int, colour: Colour) -> None:
        self.width, self.height = width, height
        self.pixels = array.array("B", bytes(colour) * (width * height))

    def dot(self, x: int, y: int, colour: Colour, size: int = 2) -> None:
        """Draw a square; what lies outside is left out."""
        for row in range(max(0, y), min(self.height, y + size)):
            first, last = max(0, x), min(self.width, x + size)
            if first < last:
                start = (row * self.width + first) * 4
                self.pixels[start : start + 4 * (last - first)] = array.array(
                    "B", bytes(colour) * (last - first)
                )

    def line(self, points: Points, colour: Colour) -> None:
        """Join points, in pixels, by straight lines."""
        for (x0, y0), (x1, y1) in itertools.pairwise(points):
            count = max(1, math.ceil(max(abs(x1 - x0), abs(y1 - y0))))
            for step in range(count + 1):
                share = step / count
                self.dot(round(x0 + share * (x1 - x0)), round(y0 + share * (y1 - y0)), colour)


def draw_chart(trainings: Sequence[Training]) -> Canvas:
    """Draw the held-out figures of trainings; the lower, the better.

    Args:
        trainings: newest first. The newest is bright, with its training loss behind it; the best
            is green, the others are grey.
    """
    canvas = Canvas(WIDTH, HEIGHT, _GROUND)
    for quarter in (1, 2, 3):
        y = quarter * HEIGHT // 4
        canvas.line([(0, y), (WIDTH, y)], _GRID)
    curves = [figures(one.record.curve) for one in trainings]
    values = [value for curve in curves for _, value in curve]
    if not values:
        return canvas
    longest = max(second for curve in curves for second, _ in curve)
    low, high = min(values), min(max(values), _MOST_TIMES * min(values))
    if trainings and curves[0]:
        losses = [(row[1], row[2]) for row in trainings[0].record.curve if row[2] >= 0]
        spread = [value for _, value in losses]
        if spread:
            canvas.line(_placed(losses, longest, min(spread), max(spread)), _LEARNT)
    for training, curve in reversed(list(zip(trainings, curves, strict=True))):
        colour = _BEST if training.is_best else _OTHER
        if training is trainings[0]:
            colour = _LAST
        canvas.line(_placed(curve, longest, low, high), colour)
    return canvas


def _placed(points: Points, longest: float, low: float, high: float) -> list[tuple[float, float]]:
    """Return where points are in the chart, in pixels; those above it are at its upper edge."""
    across, up = WIDTH - 2 * _LEFT - 2, HEIGHT - 2 * _BOTTOM - 2
    span = high - low
    return [
        (_LEFT + across * _share(x, longest), _BOTTOM + up * _share(y - low, span))
        for x, y in points
    ]


def _share(value: float, whole: float) -> float:
    return min(1.0, max(0.0, value / whole)) if whole > 0 else 0.0


def update(trainings: Trainings) -> None:
    """Draw the chart anew if the trainings have changed. Main thread only."""
    global _shown  # noqa: PLW0603 - what Blender's icon shows
    if trainings == _shown or not _icons.is_open():
        return
    _shown = trainings
    _icons.clear()
    if not any(len(figures(one.record.curve)) > 1 for one in trainings.trainings):
        return
    canvas = draw_chart(trainings.trainings)
    _icons.add("chart", canvas.width, canvas.height, canvas.pixels.tobytes())


def icon() -> int:
    """Return the icon id of the chart, 0 if there is none."""
    return next(iter(_icons.ids().values()), 0)


def register() -> None:
    global _shown  # noqa: PLW0603
    _shown = None
    _icons.open()


def unregister() -> None:
    _icons.close()
