# SPDX-License-Identifier: GPL-3.0-or-later
"""The keyframe assistant in the panel: what the paintings show, and the frame to paint next."""

from __future__ import annotations

from typing import Any

from .. import states
from ..assistant import background, strip
from ..engine.shared.coverage_records import Coverage, Suggestion, describe_cuts, percent
from . import watcher
from .text import draw_detail, draw_wrapped, filled

MOST = 3
"""Further suggestions that are listed."""
_MARGIN, _UNIT = 44, 20
"""Pixels beside the strip, and of a usual button, at the usual size of the interface."""
_SCALE = 2.0
"""Size of a tile in buttons; Blender leaves a gap of the same width around tiles of any size."""


def draw(layout: Any, context: Any) -> None:
    """Draw the assistant."""
    snapshot = watcher.current()[0]
    box = layout.column()
    coverage = snapshot.coverage
    if coverage is None:
        _draw_unknown(box, snapshot, context)
        return
    column = box.column(align=True)
    column.active = snapshot.coverage_is_fresh
    draw_wrapped(column, coverage.sentence(), "LIGHT", context)
    if not snapshot.coverage_is_fresh:
        _draw_unknown(box, snapshot, context)
    _draw_next(box, coverage)
    _draw_strip(box, strip.Strip.of(coverage, snapshot.unsteady), context)
    if coverage.cuts:
        draw_detail(box, describe_cuts(coverage.cuts), context)
    _draw_further(box, coverage)


def _draw_unknown(layout: Any, snapshot: states.Snapshot, context: Any) -> None:
    """Draw that the coverage is not known, or not any more, and why."""
    why = background.why_unknown(snapshot.looks_like)
    if why:
        draw_wrapped(layout, why, "ERROR", context)
    if background.is_looking():
        draw_detail(layout, "Looking for the frame to paint next…", context)
    else:
        layout.operator("paintover.suggest", icon="LIGHT")


def _draw_next(layout: Any, coverage: Coverage) -> None:
    best = coverage.next
    if best is None:
        return
    row = layout.row(align=True)
    if best.is_keyframe:
        text = filled("Paint Keyframe {frame}", frame=best.frame)
        row.operator("paintover.keyframe_open", text=text, icon="BRUSH_DATA").frame = best.frame
    else:
        text = filled("Add Keyframe {frame}", frame=best.frame)
        row.operator("paintover.suggestion_take", text=text, icon="ADD").frame = best.frame
    _draw_show(row, best)


def _draw_show(row: Any, suggestion: Suggestion) -> None:
    show = row.operator("paintover.suggestion_show", text="", icon="VIEWZOOM")
    show.frame = suggestion.frame


def _draw_further(layout: Any, coverage: Coverage) -> None:
    """Draw the next suggestions, each with what it adds to those before it."""
    further = [one for one in coverage.suggestions if one != coverage.next][:MOST]
    if not further:
        return
    column = layout.column(align=True)
    column.label(text="Then:")
    for one in further:
        row = column.row(align=True)
        text = filled("Frame {frame}  +{gain}", frame=one.frame, gain=percent(one.gain))
        row.operator("paintover.suggestion_take", text=text).frame = one.frame
        _draw_show(row, one)


def _draw_strip(layout: Any, shown: strip.Strip, context: Any) -> None:
    scale = context.preferences.system.ui_scale
    tile = _SCALE * _UNIT * scale
    count = max(2, int((context.region.width - _MARGIN * scale) / tile))
    row = layout.row(align=True)
    for icon in strip.icons(shown, count):
        row.template_icon(icon_value=icon, scale=_SCALE)
