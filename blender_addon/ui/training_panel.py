# SPDX-License-Identifier: GPL-3.0-or-later
"""Training: how it goes, in words and as a chart, and the trainings that are kept."""

from __future__ import annotations

from typing import Any

from ..engine.shared.durations import format_seconds
from ..engine.shared.trainings import kept
from ..engine.shared.trainings.verdict import in_words
from ..picture_editors import TRAINING
from ..training_view import chart, view
from . import watcher
from .spaces import Panel, in_spaces
from .text import draw_detail, draw_wrapped, translated


class _Training(Panel):
    bl_label = "Training"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        found = watcher.current()[0].trainings
        return super().poll(context) and bool(found.trainings or found.notes)

    def draw(self, context: Any) -> None:
        layout = self.layout
        found = watcher.current()[0].trainings
        if view.current() is not None and not view.is_training():
            _draw_view(layout)
        if chart.icon() and not view.is_training():
            _draw_chart(layout)
            if len(found.kept) > 1:
                draw_detail(layout, "Orange: the last training. Lower is sharper", context)
        if found.kept:
            _draw_kept(layout, found.kept)
        for note in found.notes:
            draw_wrapped(layout, note, "ERROR", context)


def draw_verdict(layout: Any, context: Any) -> None:
    """Draw in words how the last training went."""
    last = watcher.current()[0].trainings.last
    if last is not None and not view.is_training():
        draw_detail(layout, f"{translated(in_words(last.record))}.", context)


def draw_running(layout: Any) -> None:
    """Draw the training that runs: its chart, and what can be done with it."""
    layout.operator("paintover.train_keep", icon="CHECKMARK")
    _draw_view(layout)
    if chart.icon():
        _draw_chart(layout)


def _draw_chart(layout: Any) -> None:
    layout.template_icon(icon_value=chart.icon(), scale=8)


def _draw_view(layout: Any) -> None:
    """Draw what the large picture shows."""
    chosen = view.settings()
    row = layout.row(align=True)
    row.operator("paintover.train_watch", icon="IMAGE_DATA", depress=TRAINING.is_shown())
    if view.is_training():
        row.prop(chosen, "frame")
    if TRAINING.is_shown():
        layout.row(align=True).prop(chosen, "pictures", expand=True)


def _draw_kept(layout: Any, trainings: tuple[kept.Training, ...]) -> None:
    """Draw a row for each training that is kept, the newest first."""
    column = layout.column(align=True)
    for one in trainings:
        row = column.row(align=True)
        icon = "CHECKMARK" if one.is_in_use else "BLANK1"
        record = one.record
        text = f"{kept.describe_date(record.began)}  {format_seconds(record.seconds)}"
        row.label(text=text, icon=icon)
        marks = row.row(align=True)
        marks.alignment = "RIGHT"
        if one.is_best:
            marks.label(text="Best", icon="SOLO_ON")
        if one.is_in_use:
            marks.label(text="In use")
        else:
            marks.operator("paintover.training_take", text="Take Back").training = one.name


classes = in_spaces(_Training, "training", parent="style")
