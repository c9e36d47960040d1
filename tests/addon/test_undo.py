# SPDX-License-Identifier: GPL-3.0-or-later
"""Undo to before a picture of ours was loaded leaves no Image Editor empty, in no workspace."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import picture, write_png

Part = Callable[[str], Any]

KINDS = ("painting", "mask", "version", "frames", "frames before 0", "live", "training")
WIDE = np.ones((270, 480, 4), np.float32)
operators: Any = bpy.ops.paintover


def editors() -> list[Any]:
    """Return the spaces of all Image Editors, one of them in the active window."""
    areas = [area for screen in bpy.data.screens for area in screen.areas]
    spaces = [space for area in areas for space in area.spaces]
    return [space for space in spaces if space.type == "IMAGE_EDITOR"]


@pytest.fixture
def two_editors(scene: Any) -> list[Any]:
    """One editor in the active window, and one in a workspace that no window shows."""
    bpy.context.preferences.edit.use_global_undo = True
    window = bpy.context.window_manager.windows[0]
    window.screen.areas[0].type = "IMAGE_EDITOR"
    shown = window.screen.areas[0].spaces.active
    hidden = next(each for each in editors() if each.id_data != window.screen)
    bpy.ops.ed.undo_push(message="Before")
    return [shown, hidden]


def load(kind: str, shot: Any, part: Part) -> Any:
    """Return the image of a picture of ours."""
    match kind:
        case "painting":
            return part("keyframes.images").load(shot, 1)
        case "mask":
            return part("keyframes.masks").load(shot, 1)
        case "version":
            version = part("engine.shared.keyframes.versions").versions_of(shot, 1)[0]
            return part("keyframes.version_images").load(shot, 1, version)
        case "live" | "training":
            module = part("picture_editors")
            shown = module.LIVE if kind == "live" else module.TRAINING
            return shown._image(shot, 2)
    sequences, first = part("compositor.sequences"), -1 if kind.endswith("0") else 1
    paths = {frame: shot.out_path("style", frame) for frame in range(first, first + 3)}
    for path in paths.values():
        write_png(path, WIDE)
    sequence = sequences.arrange(paths, shot.cache_folder(sequences.FOLDER) / "style")
    image = sequences.load(
        sequences.find(sequence.first.parent), "Paintover style", sequence.first, shot
    )
    for space in editors():
        sequences.play(space.image_user, sequence)
    return image


def seen(spaces: list[Any]) -> list[tuple[Any, ...]]:
    """Return what the editors show."""
    found = []
    for space in spaces:
        image, user = space.image, space.image_user
        timing = user.frame_start, user.frame_offset, user.frame_duration, user.use_auto_refresh
        names = image.name, Path(bpy.path.abspath(image.filepath)).name, image.source
        colours = image.colorspace_settings.name, image.alpha_mode, image.use_view_as_render
        found.append((*names, *colours, tuple(image.size), *timing))
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_our_pictures_stay(kind: str, two_editors: list[Any], shot: Any, part: Part) -> None:
    write_png(shot.key_path(1), picture(1, seed=3))
    shot.keep_version(shot.key_path(1))
    write_png(shot.key_path(1), picture(1, seed=4))
    image = load(kind, shot, part)
    for space in two_editors:
        space.image = image
    before = seen(two_editors)
    bpy.ops.ed.undo_push(message="After")
    for step in (bpy.ops.ed.undo, bpy.ops.ed.redo, bpy.ops.ed.undo):
        assert step() == {"FINISHED"}
        assert seen(two_editors) == before
    shared = {space.image for space in two_editors}
    assert len(shared) == 1 and len(bpy.data.images) == 1


def test_a_picture_of_the_user_goes(two_editors: list[Any], shot: Any, tmp_path: Path) -> None:
    write_png(tmp_path / "own.png", WIDE)
    mine = bpy.data.images.load(str(tmp_path / "own.png"))
    for space in two_editors:
        space.image = mine
    bpy.ops.ed.undo_push(message="After")
    bpy.ops.ed.undo()
    assert [space.image for space in two_editors] == [None, None]


def test_frames_that_are_gone_leave_the_editor_empty(
    two_editors: list[Any], shot: Any, part: Part
) -> None:
    two_editors[0].image = load("frames", shot, part)
    bpy.ops.ed.undo_push(message="After")
    for path in shot.out_path("style", 1).parent.glob("*.png"):
        path.unlink()
    bpy.ops.ed.undo()
    assert two_editors[0].image is None


def test_only_frames_of_a_shot_are_ours(shot: Any, tmp_path: Path, part: Part) -> None:
    shot_folder = part("compositor.sequences").shot_folder
    ours, others = ("out/style", "cache/compositor/style"), ("guides/edges", "out", "cache/x")
    for folder in (*ours, *others):
        path = str(shot.folder / folder / "0001.png")
        image = SimpleNamespace(source="SEQUENCE", filepath=path, library=None)
        expected = shot.folder if folder in ours else None
        assert shot_folder(image) == expected, folder
    image = SimpleNamespace(source="SEQUENCE", filepath="/0001.png", library=None)
    assert shot_folder(image) is None
