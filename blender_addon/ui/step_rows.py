# SPDX-License-Identifier: GPL-3.0-or-later
"""A step in a panel: its button, what it says about itself, and the sign in the panel's header."""

from __future__ import annotations

from typing import Any

from .. import messages
from ..engine.shared.freshness import Step, StepState
from . import watcher
from .text import draw_detail

_ICONS = {
    Step.NOTHING: "RADIOBUT_OFF",
    Step.UP_TO_DATE: "CHECKMARK",
    Step.OUT_OF_DATE: "FILE_REFRESH",
}


def draw_step(layout: Any, name: str, operator: str, icon: str, context: Any) -> Any:
    """Draw the button of a step, and below it why it is out of date; return the button's row."""
    column = layout.column(align=True)
    row = column.row(align=True)
    row.operator(operator, icon=icon)
    draw_why(column, name, context)
    return row


def draw_why(layout: Any, name: str, context: Any) -> None:
    """Draw what a step says about itself."""
    snapshot = watcher.current()[0]
    state = snapshot.steps[name]
    why = state.why
    # Which the sign says; what is in the compositor may need a word nevertheless.
    is_plain = (state.step is Step.NOTHING and why.endswith(" yet")) or (
        state.step is Step.UP_TO_DATE and name != "compose"
    )
    if why and not is_plain and why != snapshot.gone:  # which the main panel says
        draw_detail(layout, messages.shown(why, context.scene), context)


def draw_sign(layout: Any, *names: str) -> None:
    """Draw the sign of steps that a panel has: of the first that is not up to date."""
    states = [watcher.current()[0].steps[name] for name in names]
    layout.label(text="", icon=_ICONS[_worst(states).step])


def _worst(states: list[StepState]) -> StepState:
    return next((state for state in states if state.step is not Step.UP_TO_DATE), states[-1])
