# SPDX-License-Identifier: GPL-3.0-or-later
"""Style: what is learnt from the keyframes."""

from __future__ import annotations

from typing import Any

from .. import properties
from ..engine.shared.freshness import Step
from . import step_rows, training_panel, watcher
from .spaces import Panel, align_settings, in_spaces
from .text import draw_detail


class _Style(Panel):
    bl_label = "Style"

    def draw_header_preset(self, context: Any) -> None:
        step_rows.draw_sign(self.layout, "train")

    def draw(self, context: Any) -> None:
        layout = self.layout
        preview = layout.column(align=True)
        preview.operator("paintover.preview", icon="SEQ_PREVIEW")
        draw_detail(preview, "Rough, without training", context)
        row = step_rows.draw_step(layout, "train", "paintover.train", "MODIFIER", context)
        row.operator("paintover.sweep", text="", icon="VIEWZOOM")
        if watcher.current()[0].steps["train"].step is not Step.NOTHING:
            layout.operator("paintover.train_continue", icon="PLAY")
        training_panel.draw_verdict(layout, context)
        align_settings(layout)
        layout.prop(properties.of(context.scene), "seconds")


class _Settings(Panel):
    """What is learnt, and on what it is computed."""

    bl_label = "Settings"
    bl_options = {"DEFAULT_CLOSED"}

    def draw(self, context: Any) -> None:
        align_settings(self.layout)
        settings = properties.of(context.scene)
        self.layout.prop(settings, "style", text="Name")
        self.layout.prop(settings, "device")


classes = (
    *in_spaces(_Style, "style"),
    *in_spaces(_Settings, "settings", parent="style"),
)
