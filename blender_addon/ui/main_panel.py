# SPDX-License-Identifier: GPL-3.0-or-later
"""The main panel: what runs, what the user should know or decide, and the parts below it."""

from __future__ import annotations

from typing import Any

from .. import jobs, states
from ..engine.shared.freshness import Step
from ..engine_process import environment, live_picture
from ..picture_editors import TRAINING
from ..training_view import view
from . import engine_status, next_button, training_panel, watcher
from .spaces import MAIN, Panel, in_spaces
from .text import draw_detail, draw_wrapped, filled

_CHOICES = {"KEEP": "Go On with This Shot", "COPY": "Copy Shot", "NEW": "New Shot"}


class _Main(Panel):
    bl_label = "Paintover"

    def draw(self, context: Any) -> None:
        layout = self.layout
        snapshot = watcher.current()[0]
        if jobs.busy():
            _draw_progress(layout, context)
        engine_status.draw_first(layout, context)
        _draw_shot(layout, context, snapshot)
        if not jobs.busy() and environment.is_found() and not _must_choose(snapshot):
            next_button.draw(layout, context)
        if not jobs.busy() and _is_worth_updating(snapshot):
            layout.operator("paintover.run", icon="PLAY")
        if snapshot.shot is None and not snapshot.gone and not jobs.busy():
            layout.operator("paintover.example_open", icon="FILE_BLEND")


def _must_choose(snapshot: states.Snapshot) -> bool:
    """Return whether the user must say first where the shot is, or whose."""
    return bool(snapshot.gone or snapshot.owner)


def _is_worth_updating(snapshot: states.Snapshot) -> bool:
    """Return whether a frame is painted, and some step is not up to date."""
    found = {name: state.step for name, state in snapshot.steps.items()}
    return found["keyframe"] is Step.UP_TO_DATE and set(found.values()) != {Step.UP_TO_DATE}


def _draw_progress(layout: Any, context: Any) -> None:
    session = context.window_manager.paintover
    column = layout.column(align=True)
    title = column.row(align=True)
    title.label(text=session.title)
    left = title.row()
    left.alignment = "RIGHT"
    left.label(text=jobs.describe_seconds_left(session.seconds_left))
    row = column.row(align=True)
    row.progress(factor=session.fraction, type="BAR", text=f"{session.fraction:.0%}")
    row.operator("paintover.cancel", text="", icon="CANCEL")
    draw_detail(column, session.text, context)
    if view.is_training():
        training_panel.draw_running(column)
    live = live_picture.current()
    if live and not TRAINING.is_shown():
        frame, icon = live
        box = column.box()
        box.template_icon(icon_value=icon, scale=9)
        painted = watcher.current()[0].keyframes.get(frame, states.NOT_PAINTED)
        is_painted = painted != states.NOT_PAINTED
        text = "Frame {frame}, painted" if is_painted else "Frame {frame}, not painted"
        box.label(text=filled(text, frame=frame), translate=False)


def _draw_shot(layout: Any, context: Any, snapshot: states.Snapshot) -> None:
    """Draw what the user should know or decide about the shot folder."""
    if snapshot.gone:
        box = _draw_notice(layout, snapshot.gone, "ERROR", context)
        box.operator("paintover.shot_find", icon="FILE_FOLDER")
        box.operator("paintover.shot_choose", text="New Shot").action = "NEW"
    elif snapshot.owner:
        box = _draw_notice(layout, snapshot.owner, "INFO", context)
        for action, text in _CHOICES.items() if context.scene.is_editable else ():
            box.operator("paintover.shot_choose", text=text).action = action
    elif snapshot.differs:
        box = _draw_notice(layout, snapshot.differs, "INFO", context)
        box.operator("paintover.shot_match")


def _draw_notice(layout: Any, text: str, icon: str, context: Any) -> Any:
    box = layout.box()
    draw_wrapped(box, text, icon, context)
    return box.column(align=True)


classes = in_spaces(_Main, MAIN, parent="")
