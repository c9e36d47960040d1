# SPDX-License-Identifier: GPL-3.0-or-later
"""The example that the add-on brings."""

from __future__ import annotations

import shutil
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from conftest import read_codes

Part = Callable[[str], Any]
MOST_BYTES = 1_000_000
operators: Any = bpy.ops.paintover


def test_the_example_is_small(archive: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        sizes = [each.compress_size for each in file.infolist() if "example/" in each.filename]
    assert len(sizes) == 4 and sum(sizes) < MOST_BYTES


def test_it_opens_with_a_painted_keyframe_and_keeps_what_one_does(scene: Any, part: Part) -> None:
    assert operators.example_open() == {"FINISHED"}
    path = part("example_files").blend()
    assert Path(bpy.data.filepath) == path
    scene = bpy.context.scene
    states = part("states")
    snapshot = states.look(scene)
    assert snapshot.keyframes == {11: "Painted"} and scene.frame_current == 11
    assert snapshot.steps["capture"].why == "23 of 24 frames to capture"
    assert not snapshot.owner and not snapshot.unused
    shot = snapshot.shot
    assert (shot.manifest.width, shot.manifest.height) == part("properties").render_size(scene)
    painting, frame = read_codes(shot.key_path(11)), read_codes(shot.image_path(11))
    assert painting.shape == frame.shape == (270, 480, 4)
    difference = abs(painting - frame)[..., :3].mean()
    assert 5 < difference < 60  # another picture, of the same things

    operators.keyframe_remove(frame=11)
    operators.example_open()  # again: as it was left
    assert states.look(bpy.context.scene).keyframes == {}
    operators.example_open(anew=True)
    assert states.look(bpy.context.scene).keyframes == {11: "Painted"}
    assert (path.parent.with_name("example-2") / "fox.blend").is_file()


def test_what_to_paint_next_waits_for_all_frames(scene: Any, part: Part) -> None:
    operators.example_open()
    snapshot = part("states").look(bpy.context.scene)
    assert snapshot.steps["capture"].why == "23 of 24 frames to capture" and not snapshot.is_whole
    bpy.context.scene.frame_start = bpy.context.scene.frame_end = 11
    assert part("states").look(bpy.context.scene).is_whole


def test_what_is_left_of_the_example_stays(scene: Any, part: Part) -> None:
    path = part("example_files").copy()
    key = path.parent / "paintover/fox/keys/0011.png"
    key.write_bytes(b"mine")
    path.unlink()
    part("example_files").copy()
    assert path.is_file() and key.read_bytes() == b"mine"


def test_what_a_full_disk_cut_short_is_copied_again(scene: Any, part: Part) -> None:
    resource = pytest.importorskip("resource")
    files = part("example_files")
    folder = files.copy(anew=True).parent
    shipped = {path.relative_to(files._SOURCE): path for path in files._shipped()}
    shutil.rmtree(folder)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, before[1]))
    try:
        with pytest.raises(part("engine.shared.errors").PaintoverError, match="Cannot write"):
            files.copy()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    there = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    assert all((folder / name).read_bytes() == shipped[name].read_bytes() for name in there)
    assert Path("fox.blend") not in there

    for cut in shipped:  # as by an earlier version
        (folder / cut).parent.mkdir(parents=True, exist_ok=True)
        (folder / cut).write_bytes(shipped[cut].read_bytes()[:50])
    (folder / "paintover/fox/.0011.0123456789abcdef.tmp.png").write_bytes(b"left by a kill")
    files.copy()
    there = {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}
    assert there == set(shipped)
    assert all((folder / name).read_bytes() == shipped[name].read_bytes() for name in there)

    key, frame = folder / "paintover/fox/keys/0011.png", folder / "paintover/fox/frames/0011.png"
    key.write_bytes(b"mine")
    frame.unlink()
    (folder / "fox.blend").write_bytes(shipped[Path("fox.blend")].read_bytes()[:-1] + b"my own")
    files.copy()  # what was worked on, or deleted, stays
    assert key.read_bytes() == b"mine" and not frame.exists()
    assert (folder / "fox.blend").read_bytes().endswith(b"my own")
    shutil.rmtree(folder)


def test_where_it_cannot_be_copied_is_said(scene: Any, part: Part) -> None:
    files = part("example_files")
    folder = files.blend().parent
    if folder.exists():
        folder.rename(folder.with_name("aside"))
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("no folder")
    try:
        operators.example_open()
    except RuntimeError as error:
        assert f"Cannot write {folder}" in str(error)
    else:
        raise AssertionError("it must say so")
    finally:
        folder.unlink()
