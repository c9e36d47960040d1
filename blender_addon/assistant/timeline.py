# SPDX-License-Identifier: GPL-3.0-or-later
"""The assistant's strip at the bottom of timelines, below the frames that it tells of.

Shown if the preferences say so. Its colors are those of the strip in the panel.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import bpy

from ..draw_handlers import DrawHandlers
from ..engine_process import environment
from ..live import drawing
from ..ui import watcher
from . import strip

HEIGHT = 10.0
"""Pixels of the strip, at the usual size of the interface."""
_MARK, _MOST_MARK = 2.0, 6.0
"""Least and most width of a mark."""
_LEAST = 1.0
"""Least width of a frame; where frames are narrower, several share a part."""


@dataclasses.dataclass(frozen=True)
class Part:
    """A rectangle, in pixels of the region and in shares of the strip's height."""

    left: float
    right: float
    bottom: float
    top: float
    colour: tuple[int, int, int, int]


def parts(shown: strip.Strip, place: Callable[[float], float], width: float) -> Iterator[Part]:
    """Yield what is to be drawn of a strip, in this order.

    Args:
        shown: the strip.
        place: returns the x of a frame in the region, in pixels; grows evenly with the frame.
        width: of the region, in pixels; what lies outside is left out.
    """
    if not shown.shares:
        return
    each = max(place(1) - place(0), 1e-6)
    yield from _clipped(place(shown.first - 0.5), place(shown.last + 0.5), 1.0, strip.UNSEEN, width)
    step = max(1, round(_LEAST / each))
    for frame in range(shown.first, shown.last + 1, step):
        share = shown.share(frame)
        colour = strip.SEEN if share >= strip.ENOUGH else strip.WEAK
        end = min(frame + step, shown.last + 1)
        yield from _clipped(place(frame - 0.5), place(end - 0.5), share, colour, width)
    for frames, colour, bottom in (
        (shown.cuts, strip.CUT, 0.0),
        (shown.waiting, strip.WAITING, 0.0),
        (shown.keys, strip.KEY, 0.0),
        (shown.unsteady, strip.FLICKERS, 0.6),
    ):
        for frame in frames:
            half = min(max(_MARK, each / 4), _MOST_MARK) / 2
            yield from _clipped(
                place(frame) - half, place(frame) + half, 1.0, colour, width, bottom
            )


def _clipped(
    left: float,
    right: float,
    top: float,
    colour: tuple[int, int, int, int],
    width: float,
    bottom: float = 0.0,
) -> Iterator[Part]:
    left, right = max(left, 0.0), min(right, width)
    if left < right and bottom < top:
        yield Part(left, right, bottom, top, colour)


def _draw() -> None:
    if not getattr(environment.preferences(), "timeline_strip", False):
        return
    context: Any = bpy.context
    snapshot = watcher.current()[0]
    if context.space_data.mode != "TIMELINE" or snapshot.coverage is None:
        return
    region = context.region
    shown = strip.Strip.of(snapshot.coverage, snapshot.unsteady)
    view = region.view2d
    found = list(parts(shown, lambda frame: _x(view, frame), region.width))
    _fill(found, HEIGHT * drawing.ui_scale())


def _x(view: Any, frame: float) -> float:
    """Return the place of a frame; Blender itself rounds it to whole pixels."""
    start = view.view_to_region(0, 0, clip=False)[0]
    end = view.view_to_region(1000, 0, clip=False)[0]
    return float(start + (end - start) * frame / 1000)


def _fill(found: list[Part], height: float) -> None:
    by_colour: dict[tuple[int, int, int, int], list[drawing.Box]] = {}
    for part in found:
        box = drawing.Box(part.left, part.bottom * height, part.right, part.top * height)
        by_colour.setdefault(part.colour, []).append(box)
    for (red, green, blue, alpha), boxes in by_colour.items():  # later colors lie above
        drawing.rectangles(boxes, (red / 255, green / 255, blue / 255, alpha / 255))


_handlers = DrawHandlers(
    "The strip in the timeline cannot be drawn", (bpy.types.SpaceDopeSheetEditor, _draw)
)


def register() -> None:
    _handlers.add()


def unregister() -> None:
    _handlers.remove()
