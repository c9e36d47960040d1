# SPDX-License-Identifier: GPL-3.0-or-later
"""Conditions of operators: ``PolledOperator`` disables its button and shows why in the tooltip.

Blender polls at every redraw, so the functions are cheap. Each returns the remedy: what the user
must do first, as a sentence without a full stop, or "" if nothing prevents the operator.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import bpy

from .. import compositor, jobs, messages, properties, shot_folders, steps
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import read_by_state
from ..engine.shared.manifest import MANIFEST_NAME
from ..engine.shared.names import check_name
from ..engine.shared.places import is_file
from ..engine.shared.shot import Shot
from ..engine.shared.shot_paths import OUT_SUFFIXES
from ..engine_process import environment
from ..keyframes import images as keyframe_images


def _open_shot(manifest: Path) -> Shot | None:
    return Shot.open(manifest.parent)


_read_shot = read_by_state(_open_shot, None)
"""Shot of a ``shot.json``, only to look at, None if there is no such file."""


class PolledOperator(bpy.types.Operator):
    """Base of operators that are enabled while ``remedy`` returns ""."""

    @classmethod
    def remedy(cls, context: bpy.types.Context) -> str:
        """Return what the user must do before this operator can run; "" if it can."""
        return idle()

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        remedy = cls.remedy(context)
        if remedy:
            cls.poll_message_set(messages.shown(remedy, context.scene))
        return not remedy


def idle() -> str:
    """Require that no other step is running."""
    title = jobs.busy()
    return f"{title} is running; wait for it, or cancel it" if title else ""


def has_engine() -> str:
    """Require an engine."""
    try:
        environment.find()
    except PaintoverError as error:
        return str(error).rstrip(".")
    return ""


def has_place(context: bpy.types.Context) -> str:
    """Require that the scene can have a shot folder."""
    try:
        shot_folders.folder_to_write(properties.scene_of(context))
    except PaintoverError as error:
        return str(error).rstrip(".")
    return ""


def has_shot(context: bpy.types.Context) -> str:
    """Require that the scene's shot folder has a shot."""
    remedy = has_place(context)
    if remedy:
        return remedy
    folder = shot_folders.folder_to_write(properties.scene_of(context))
    return "" if Shot.exists(folder) else "Capture the shot first"


def has_painting(context: bpy.types.Context) -> str:
    """Require a painted keyframe; unsaved paint counts."""
    remedy = has_shot(context)
    if remedy:
        return remedy
    folder = shot_folders.folder_to_write(properties.scene_of(context))
    try:
        shot = _read_shot(folder / MANIFEST_NAME) or Shot.open(folder)
        if not keyframe_images.unsaved(shot):
            steps.check_painted(shot)
    except PaintoverError as error:
        return str(error).rstrip(".")
    return ""


def _wrong_style(scene: bpy.types.Scene) -> str:
    """Return why the name of the scene's style is not allowed, "" if it is."""
    try:
        check_name(properties.of(scene).style, "style")
    except PaintoverError as error:
        return str(error).rstrip(".")
    return ""


def has_style(context: bpy.types.Context) -> str:
    """Require that the style is trained."""
    scene = properties.scene_of(context)
    remedy = has_shot(context) or _wrong_style(scene)
    if remedy:
        return remedy
    style = properties.of(scene).style
    path = properties.shot_folder(scene) / "styles" / f"{style}.safetensors"
    return "" if is_file(path) else f'Train the style "{style}" first'


def has_frames_to_compose(context: bpy.types.Context) -> str:
    """Require stylized frames, or a node or settings of an earlier time to remove."""
    scene = properties.scene_of(context)
    if compositor.node(scene) is not None or properties.of(scene).before_compose:
        return ""
    remedy = has_shot(context) or _wrong_style(scene)
    if remedy:
        return remedy
    style = properties.of(scene).style
    folder = properties.shot_folder(scene) / "out" / style
    with contextlib.suppress(OSError):
        if any(name.endswith(OUT_SUFFIXES) for name in os.listdir(folder)):  # noqa: PTH208
            return ""
    return f"There are no stylized frames in {folder}; stylize first"
