# SPDX-License-Identifier: GPL-3.0-or-later
"""The next step in the main panel: a sentence, and one large button."""

from __future__ import annotations

from typing import Any

from .. import messages, next_step
from . import watcher
from .text import draw_wrapped, filled, translated


def draw(layout: Any, context: Any) -> None:
    """Draw what to do next."""
    scene = context.scene
    step = next_step.next_step(next_step.facts(scene, *watcher.current()))
    column = layout.column()
    draw_wrapped(column, messages.shown(sentence(step), scene), "INFO", context)
    row = column.row()
    row.scale_y = 1.4
    if step.operator == next_step.CAMERA:
        row.prop(scene, "camera", text="")
    elif step.operator:
        button = row.operator(step.operator, icon=step.icon, **button_text(step))
        for name, value in step.options.items():
            setattr(button, name, value)


def sentence(step: next_step.NextStep) -> str:
    """Return what to do next, and why, in the user's language."""
    parts = [step.reason and translated(step.reason), step.sentence and _filled(step)]
    return " ".join(f"{part}." for part in parts if part)


def _filled(step: next_step.NextStep) -> str:
    return filled(step.sentence, **step.values)


def button_text(step: next_step.NextStep) -> dict[str, str]:
    """Return the text of the button, if it has one that is not its operator's."""
    return {"text": filled(step.text, **step.options)} if step.text else {}
