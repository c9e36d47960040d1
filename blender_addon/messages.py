# SPDX-License-Identifier: GPL-3.0-or-later
"""Sentences as a window shows them: files of the shot without the long path of its folder."""

from __future__ import annotations

import os
from pathlib import Path

import bpy

from . import shot_folders
from .engine.shared.errors import PaintoverError


def shown(sentence: object, scene: bpy.types.Scene | None = None) -> str:
    """Return a sentence, or that of an error, for a window; as it is where there is none.

    Args:
        sentence: a sentence; paths in the scene's shot folder get short.
        scene: None for the active one.
    """
    holder = scene or bpy.context.scene
    if bpy.app.background or holder is None:
        return str(sentence)
    try:
        return shortened(str(sentence), shot_folders.shot_folder(holder))
    except PaintoverError:
        return str(sentence)


def shortened(sentence: str, folder: Path) -> str:
    """Return a sentence with the paths in a shot folder relative to it."""
    # The engine may name the folder as the system resolves it.
    for path in {str(folder), os.path.realpath(folder)}:
        sentence = sentence.replace(f"{path}{os.sep}", "")
        sentence = sentence.replace(f"The shot {path} ", "The shot ")
    return sentence


def reported(error: RuntimeError) -> str:
    """Return what an operator reported, from the error that ``bpy.ops`` makes of it."""
    return str(error).strip().removeprefix("Error: ").strip()
