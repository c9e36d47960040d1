# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that is no UTF-8: in a .blend's settings and names, and in names of files and folders."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from conftest import picture, read_codes, write_png

Part = Callable[[str], Any]
TEXT, BYTES = "QqQqQq", b"\xff\xfe\xc0\x80\xff\xff"
operators: Any = bpy.ops.paintover
STEPS = ("capture", "keyframe_add", "train", "stylize", "compose", "preview", "keyframe_jump")


def opened(path: Path) -> Any:
    """Save the .blend, with bytes that are no text instead of ``TEXT``, and open it."""
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=False)
    data = path.read_bytes()
    assert TEXT.encode() in data
    path.write_bytes(data.replace(TEXT.encode(), BYTES))
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return bpy.context.scene


def work(part: Part) -> None:
    """Let the panel's timer tick, and try each step: it does its work, or says what is wrong."""
    watcher = part("ui.watcher")
    watcher.refresh()
    for _ in range(3):
        watcher._watcher.tick()
        if watcher._watcher._thread:
            watcher._watcher._thread.join()
    for name in STEPS:
        try:
            getattr(operators, name)()
        except RuntimeError as error:
            assert "Traceback" not in str(error)
            assert "context is incorrect" not in str(error)  # a poll that raised
    bpy.ops.wm.save_mainfile()


@pytest.mark.parametrize(
    "place",
    ("style", "view_layer", "before_compose", "folder", "collection_name", "row", "matte", "names"),
)
def test_a_blend_with_text_that_nobody_can_read_stops_nothing(
    scene: Any, shot: Any, tmp_path: Path, part: Part, place: str
) -> None:
    settings, name = scene.paintover, TEXT
    if place == "collection_name":
        settings.matte.source, settings.matte.collection_name = "COLLECTION", name
    elif place == "matte":
        settings.matte.source, settings.matte.objects.add().name = "OBJECTS", name
    elif place == "row":
        settings.keyframes.add().name = name
    elif place == "folder":
        settings.folder = f"//{name}"
    elif place == "names":
        scene.name = scene.view_layers[0].name = scene.camera.name = name
        scene.timeline_markers.new(name)
    else:
        setattr(settings, place, name)
    scene = opened(tmp_path / "strange.blend")
    work(part)
    if place == "names":
        assert (scene.name, scene.view_layers[0].name) == ("Scene", "View Layer")
        assert scene.camera.name == "Object"
    assert place != "style" or scene.paintover.style == "style"


def test_names_that_are_text_stay(scene: Any, tmp_path: Path, part: Part) -> None:
    scene.paintover.style, scene.camera.name = "tinta é", "cámara"
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    scene = bpy.context.scene
    assert (scene.paintover.style, scene.camera.name) == ("tinta é", "cámara")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have no such names")
def test_files_with_names_in_an_old_encoding(
    scene: Any, shot: Any, tmp_path: Path, part: Part
) -> None:
    name = os.fsdecode(b"caf\xe9.png")
    write_png(tmp_path / "painting.png", picture(1, seed=3))
    painting = (tmp_path / "painting.png").rename(tmp_path / name)
    assert operators.keyframe_add(frame=1, filepath=str(painting)) == {"FINISHED"}
    assert (read_codes(shot.key_path(1)) == (picture(1, seed=3) * 255).round()).all()
    with pytest.raises(RuntimeError, match=r"caf\\udce9.png is that|caf\\udce9"):
        operators.keyframe_add(frame=2, filepath=str(painting.with_suffix(".exr")))
    with pytest.raises(RuntimeError, match=r"rename it, or choose another"):
        scene.paintover.folder = str(tmp_path / os.fsdecode(b"caf\xe9"))
        operators.capture()


def test_numbers_that_are_none_count_as_not_set(scene: Any, shot: Any, part: Part) -> None:
    settings = scene.paintover
    settings.light = settings.seconds = float("nan")
    for name in ("1", "2"):
        row = settings.keyframes.add()
        row.name, row.weight = name, float("nan")
    row.weight = 0.5
    row.keyframe_insert("weight", frame=1)
    (curve,) = part("keyframes.weights").fcurves(scene).values()
    curve.keyframe_points[0].co[1] = float("nan")
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    scene = bpy.context.scene
    assert (scene.paintover.light, scene.paintover.seconds) == (0.5, 60.0)
    assert part("keyframes.weights").sampled(scene, [1]) == {1: {1: 1.0}, 2: {1: 1.0}}
    states = part("states")
    known = type(shot).open(shot.folder)
    assert states.Query.of(scene, known) == states.Query.of(scene, known)
