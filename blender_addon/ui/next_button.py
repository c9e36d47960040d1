# SPDX-License-Identifier: GPL-3.0-or-later
"""The next step in the main panel: a sentence, and one large button."""

from __future__ import annotations

from typing import Any

from .. import messages, next_step
from . import watcher
from .text import draw_wrapped


def draw(layout: Any, context: Any) -> None:
    """Draw what to do next."""
    scene = context.scene
    step = next_step.next_step(next_step.facts(scene, *watcher.current()))
    column = layout.column()
    draw_wrapped(column, f"{messages.shown(step.sentence, scene)}.", "INFO", context)
    row = column.row()
    row.scale_y = 1.4
    if step.operator == next_step.CAMERA:
        row.prop(scene, "camera", text="")
    elif step.operator:
        button = row.operator(step.operator, icon=step.icon, **_text(step))
        for name, value in step.options.items():
            setattr(button, name, value)


def _text(step: next_step.NextStep) -> dict[str, str]:
    return {"text": step.text} if step.text else {}
