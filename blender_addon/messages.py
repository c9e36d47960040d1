# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences as a window shows them: files of the shot without the long path of its folder."""

from __future__ import annotations

import functools
import os
import textwrap
from pathlib import Path
from typing import Any

import bpy

from . import logs, shot_folders
from .engine.shared.errors import PaintoverError
from .engine.shared.files import as_text

_log = logs.logger(__name__)

_COLUMNS = 80
"""Most letters of a line of a popup."""


def shown(sentence: object, scene: bpy.types.Scene | None = None) -> str:
    """Return a sentence, or that of an error, for a window; with whole paths where there is none.

    Blender ends at text that is not valid, such as names of files in old encodings.

    Args:
        sentence: a sentence; paths in the scene's shot folder get short.
        scene: None for the active one.
    """
    holder, text = scene or bpy.context.scene, as_text(sentence)
    if bpy.app.background or holder is None:
        return text
    try:
        return shortened(text, shot_folders.shot_folder(holder))
    except PaintoverError:
        return text


def shortened(sentence: str, folder: Path) -> str:
    """Return a sentence with the paths in a shot folder relative to it."""
    # The engine may name the folder as the system resolves it.
    for path in {str(folder), os.path.realpath(folder)}:
        sentence = sentence.replace(f"{path}{os.sep}", "")
        sentence = sentence.replace(f"The shot {path} ", "The shot ")
    return sentence


def tell(sentence: str) -> None:
    """Tell what no operator can report, such as of a handler: in the log, and in a window if any.

    Args:
        sentence: what went wrong.
    """
    _log.warning("%s", sentence)
    if not bpy.app.background:
        bpy.app.timers.register(functools.partial(_pop_up, sentence))


def _pop_up(sentence: str) -> None:
    manager: Any = bpy.context.window_manager
    if not manager.windows:
        return

    def draw(menu: Any, _: Any) -> None:
        for line in textwrap.wrap(shown(sentence), _COLUMNS):
            menu.layout.label(text=line, translate=False)

    with bpy.context.temp_override(window=manager.windows[0]):
        manager.popup_menu(draw, title="Paintover", icon="ERROR")


def reported(error: RuntimeError) -> str:
    """Return what an operator reported, from the error that ``bpy.ops`` makes of it."""
    return str(error).strip().removeprefix("Error: ").strip()
