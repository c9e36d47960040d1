# SPDX-License-Identifier: GPL-3.0-or-later
"""Engine: which one is used, and what can be done about it."""

from __future__ import annotations

from typing import Any

from ..engine_process import environment
from . import engine_status
from .spaces import Panel, in_spaces


class _Engine(Panel):
    bl_label = "Engine"
    bl_options = {"DEFAULT_CLOSED"}

    @classmethod
    def poll(cls, context: Any) -> bool:
        # Without an engine the main panel begins with what this shows.
        return super().poll(context) and environment.is_found()

    def draw(self, context: Any) -> None:
        engine_status.draw(self.layout, context)


classes = in_spaces(_Engine, "engine")
