# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences in panels: translated by Blender, and wrapped to the width of the region."""

from __future__ import annotations

from typing import Any

import bpy


def translated(sentence: str) -> str:
    """Return a sentence in the user's language, as it is where that has none."""
    return bpy.app.translations.pgettext_iface(sentence)


def filled(sentence: str, **values: object) -> str:
    """Return a sentence in the user's language, with values in its braces.

    Blender translates whole texts, so the sentence must be the same whatever the values are.
    """
    return translated(sentence).format(**values)


def draw_wrapped(layout: Any, text: str, icon: str, context: Any) -> None:
    """Draw a sentence with an icon."""
    column = layout.column(align=True)
    for number, line in enumerate(wrap(translated(text), context)):
        column.label(text=line, icon=icon if number == 0 else "BLANK1", translate=False)


def draw_detail(layout: Any, text: str, context: Any) -> None:
    """Draw what explains the line above."""
    detail = layout.column(align=True)
    detail.active = False
    for line in wrap(translated(text), context):
        detail.label(text=line, translate=False)


def wrap(text: str, context: Any) -> list[str]:
    """Return the lines of a text that fit into the region."""
    width = max(16, int(context.region.width / 8 / context.preferences.system.ui_scale))
    lines = [""]
    whole = [word[at : at + width] for word in text.split() for at in range(0, len(word), width)]
    for word in whole:
        if len(lines[-1]) + len(word) >= width and lines[-1]:
            lines.append("")
        lines[-1] += f"{word} "
    return [line.strip() for line in lines]
