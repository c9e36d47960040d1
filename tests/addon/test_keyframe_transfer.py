# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes onto other frames, earlier paintings taken back, files dropped, other programs."""

from __future__ import annotations

import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import picture, read_codes, write_png

Part = Callable[[str], Any]
operators: Any = bpy.ops.paintover


def painted(path: Path, seed: int) -> bool:
    """Return whether a file has the random picture of a seed."""
    return np.array_equal(read_codes(path), np.rint(picture(1, seed=seed) * 255))


def reopened(shot: Any) -> Any:
    return type(shot).open(shot.folder)


@pytest.fixture
def key(shot: Any) -> Any:
    """The shot with a painting of frame 1 (seed 3), a mask, and the weight 0.25."""
    write_png(shot.key_path(1), picture(1, seed=3))
    write_png(shot.key_mask_path(1), picture(1, seed=9))
    operators.keyframe_jump(frame=1)
    bpy.context.scene.paintover.keyframes["1"].weight = 0.25
    return shot


def animate(scene: Any, frame: int) -> None:
    row = scene.paintover.keyframes[str(frame)]
    for at, value in ((1, 1.0), (3, 0.5)):
        row.weight = value
        assert row.keyframe_insert("weight", frame=at)


def test_jump_goes_to_the_frame(scene: Any, key: Any) -> None:
    scene.frame_set(3)
    operators.keyframe_jump(frame=1)
    assert scene.frame_current == 1


def test_duplicate_takes_mask_and_weight_along(scene: Any, key: Any, part: Part) -> None:
    scene.frame_set(3)
    assert operators.keyframe_duplicate(frame=1) == {"FINISHED"}
    for frame in (1, 3):
        assert painted(key.key_path(frame), 3)
        assert painted(key.key_mask_path(frame), 9)
        assert scene.paintover.keyframes[str(frame)].weight == 0.25
    assert reopened(key).key_frames() == [1, 3]
    assert reopened(key).manifest.weights == {1: {1: 0.25}, 3: {3: 0.25}}


def test_an_animated_weight_goes_along(scene: Any, key: Any, part: Part) -> None:
    weights = part("keyframes.weights")
    animate(scene, 1)
    operators.keyframe_duplicate(frame=1, onto=2)
    animate(scene, 2)  # and is replaced by the next
    before = weights.sampled(scene, [1, 2, 3])[1]
    operators.keyframe_move(frame=1, onto=2, replace=True)
    found = weights.sampled(scene, [1, 2, 3])
    assert found == {1: {1: 1.0}, 2: before}
    assert len(weights.fcurves(scene)) == 1
    operators.keyframe_duplicate(frame=2, onto=3)
    scene.frame_set(2)
    rows = scene.paintover.keyframes
    assert rows["2"].weight == rows["3"].weight == pytest.approx(before[2], abs=1e-3)


def test_a_painting_is_replaced_only_if_that_is_said(scene: Any, key: Any) -> None:
    write_png(key.key_path(3), picture(1, seed=4))
    write_png(key.key_mask_path(3), picture(1, seed=8))
    for operator in (operators.keyframe_duplicate, operators.keyframe_move):
        with pytest.raises(RuntimeError, match="Frame 3 has a painting already; say that"):
            operator(frame=1, onto=3)
    assert painted(key.key_path(1), 3) and painted(key.key_path(3), 4)
    operators.keyframe_duplicate(frame=1, onto=3, replace=True)
    assert painted(key.key_path(3), 3) and painted(key.key_mask_path(3), 9)
    kept = {path.name.count("mask"): path for path in (key.folder / "keys/versions").iterdir()}
    assert painted(kept[0], 4) and painted(kept[1], 8)


def test_a_blank_keyframe_may_be_replaced_without_asking(scene: Any, key: Any) -> None:
    operators.keyframe_add(frame=2)
    operators.keyframe_duplicate(frame=1, onto=2)
    assert painted(key.key_path(2), 3)
    assert not (key.folder / "keys/versions").exists()


def test_move_leaves_no_keyframe_behind_and_loses_nothing(scene: Any, key: Any, part: Part) -> None:
    keyframes = part("keyframes.images")
    image = keyframes.load(key, 1)
    pixels = np.full(image.size[0] * image.size[1] * 4, 0.5, np.float32)
    image.pixels.foreach_set(pixels)  # unsaved paint, which goes along
    operators.keyframe_move(frame=1, onto=2)
    assert reopened(key).key_frames() == [2]
    assert np.all(read_codes(key.key_path(2)) == 128)
    assert painted(key.key_mask_path(2), 9)
    assert not key.key_mask_path(1).exists()
    assert scene.paintover.keyframes["1"].weight == 1
    assert scene.paintover.keyframes["2"].weight == 0.25
    assert keyframes.find_image(key.key_path(2)) == image
    assert image.name == "Keyframe 2"
    assert len(part("engine.shared.keyframes.versions").versions_of(key, 1)) == 1
    operators.keyframe_add(frame=1)
    assert not reopened(key).key_is_painted(1)


def test_undo_after_a_move_does_no_harm(scene: Any, key: Any, part: Part) -> None:
    keyframes = part("keyframes.images")
    bpy.context.preferences.edit.use_global_undo = True
    image = keyframes.load(key, 1)
    bpy.ops.ed.undo_push(message="before")
    operators.keyframe_move(frame=1, onto=2)
    bpy.ops.ed.undo_push(message="move")
    before = key.key_path(2).read_bytes()
    for step in (bpy.ops.ed.undo, bpy.ops.ed.redo):
        step()
        files = {Path(bpy.path.abspath(each.filepath)).name for each in bpy.data.images}
        assert "0001.png" not in files
        image = keyframes.find_image(key.key_path(2))
        assert image is not None and tuple(image.size) == (480, 270) and not image.is_dirty
        bpy.ops.wm.save_mainfile()
        assert key.key_path(2).read_bytes() == before
        assert reopened(key).key_frames() == [2]


def test_undo_after_a_mask_came_back_and_was_removed(scene: Any, key: Any, part: Part) -> None:
    paintings = part("keyframes.paintings")
    bpy.context.preferences.edit.use_global_undo = True
    operators.keyframe_move(frame=1, onto=2)
    operators.keyframe_move(frame=2, onto=1)
    assert key.key_mask_path(1) not in paintings.relocated
    bpy.ops.ed.undo_push(message="moved")
    operators.mask_remove(frame=1)
    bpy.ops.ed.undo_push(message="removed")
    assert bpy.ops.ed.undo() == {"FINISHED"}
    assert not key.key_mask_path(1).exists()


def test_a_removed_mask_is_not_that_of_another_frame(scene: Any, key: Any, part: Part) -> None:
    masks, paintings = part("keyframes.masks"), part("keyframes.paintings")
    operators.keyframe_move(frame=1, onto=2)
    write_png(key.key_path(1), picture(1, seed=4))
    masks.load(key, 1)
    operators.mask_remove(frame=1)
    assert paintings.file_now(key.key_mask_path(1)) == key.key_mask_path(1)


def test_files_that_were_moved_in_a_circle_are_where_they_were(
    scene: Any, key: Any, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    paintings, gone = part("keyframes.paintings"), key.key_path(3)
    circle = {gone: key.key_path(2), key.key_path(2): gone}
    monkeypatch.setattr(paintings, "relocated", circle)
    assert paintings.file_now(gone) == gone


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"frame": 1, "onto": 1}, "Frame 1 has this painting already"),
        ({"frame": 1, "onto": 7}, "Frame 7 is not in the shot"),
        ({"frame": 2, "onto": 3}, "Frame 2 is not a keyframe"),
    ],
)
def test_what_cannot_be_is_said(scene: Any, key: Any, given: Any, words: str) -> None:
    for operator in (operators.keyframe_duplicate, operators.keyframe_move):
        with pytest.raises(RuntimeError, match=words):
            operator(**given)
    assert painted(key.key_path(1), 3)
    operators.keyframe_add(frame=2)
    with pytest.raises(RuntimeError, match="Frame 2 is not painted yet; paint on it first"):
        operators.keyframe_duplicate(frame=2, onto=3)


def test_an_earlier_painting_is_looked_at_and_taken_back(
    scene: Any, key: Any, part: Part, tmp_path: Path
) -> None:
    versions = part("engine.shared.keyframes.versions")
    write_png(tmp_path / "new.png", picture(1, seed=5))
    operators.keyframe_add(frame=1, filepath=str(tmp_path / "new.png"))
    image = part("keyframes.images").load(key, 1)
    (version,) = versions.versions_of(key, 1)
    operators.keyframe_look(frame=1, version=version.path.name)
    shown = part("keyframes.images").find_image(version.path)
    assert tuple(shown.size) == (480, 270) and not shown.use_fake_user
    operators.keyframe_take_back(frame=1, version=version.path.name)
    assert painted(key.key_path(1), 3) and painted(key.key_mask_path(1), 9)
    assert np.rint(image.pixels[0] * 255) == read_codes(key.key_path(1))[0, 0, 0]
    found = versions.versions_of(key, 1)
    assert len(found) == 2 and sum(painted(each.path, 5) for each in found) == 1
    with pytest.raises(RuntimeError, match="is the same painting as that of frame 1 now"):
        operators.keyframe_take_back(frame=1, version=version.path.name)
    with pytest.raises(RuntimeError, match="is not there any more"):
        operators.keyframe_take_back(frame=1, version="0001.20200101-000000.png")


def test_a_version_of_another_size_is_refused(scene: Any, key: Any) -> None:
    name = "0001.20260101-000000.png"
    write_png(key.folder / "keys/versions" / name, picture(1)[::2])
    with pytest.raises(RuntimeError, match=r"is 480×135, but the frames are 480×270"):
        operators.keyframe_take_back(frame=1, version=name)
    assert painted(key.key_path(1), 3)


def drop(folder: Path, *names: str, **others: Any) -> None:
    files = [{"name": name} for name in names]
    operators.keyframe_drop(directory=f"{folder}/", files=files, **others)


def test_dropped_files_go_to_the_frames_in_their_names(
    scene: Any, key: Any, tmp_path: Path
) -> None:
    for seed, name in ((4, "0001.png"), (5, "fox_0003.png"), (6, "any ü.png")):
        write_png(tmp_path / name, picture(1, seed=seed))
    drop(tmp_path, "0001.png", "fox_0003.png")
    assert painted(key.key_path(1), 4) and painted(key.key_path(3), 5)
    assert painted(next((key.folder / "keys/versions").iterdir()), 3)
    with pytest.raises(RuntimeError, match=r"any ü\.png does not tell which frame"):
        drop(tmp_path, "0001.png", "any ü.png")
    scene.frame_set(2)
    drop(tmp_path, "any ü.png")
    assert painted(key.key_path(2), 6)
    drop(tmp_path, "any ü.png", frame=3)
    assert painted(key.key_path(3), 6)
    write_png(tmp_path / "1.png", picture(1, seed=4))
    with pytest.raises(RuntimeError, match="are both of frame 1; drop one"):
        drop(tmp_path, "0001.png", "1.png")
    handler = bpy.types.PAINTOVER_FH_keyframe
    assert handler.bl_import_operator == "paintover.keyframe_drop"


def test_a_painting_opens_in_the_paint_program(scene: Any, key: Any, tmp_path: Path) -> None:
    preferences: Any = bpy.context.preferences.filepaths
    preferences.image_editor = ""
    with pytest.raises(RuntimeError, match="No paint program is chosen; name it in"):
        operators.keyframe_open_in(frame=1)
    for name in (str(tmp_path / "no such program"), str(tmp_path)):
        preferences.image_editor = name
        with pytest.raises(RuntimeError, match="is not there or is no program; name another"):
            operators.keyframe_open_in(frame=1)
    told = tmp_path / "told"
    program = tmp_path / "paint; it $(touch harm)"
    program.write_text(f'#!/bin/sh\nprintf %s "$1" > "{told}.part"; mv "{told}.part" "{told}"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    preferences.image_editor = str(program)
    operators.keyframe_open_in(frame=1)
    deadline = time.monotonic() + 60
    while not told.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert told.read_text() == os.fspath(key.key_path(1))
    assert not list(tmp_path.rglob("harm"))
    program.write_text("#!/no/such/interpreter\n")
    if sys.platform == "linux":
        with pytest.raises(RuntimeError, match="cannot be started"):
            operators.keyframe_open_in(frame=1)
    preferences.image_editor = ""


def test_the_state_tells_size_and_damage(scene: Any, key: Any, part: Part) -> None:
    states = part("states")
    write_png(key.key_path(2), picture(1, seed=4)[::2])
    key.key_path(3).write_bytes(b"nonsense")
    snapshot = states.look(scene)
    assert snapshot.keyframes == {1: "Painted", 2: "Wrong size", 3: "Cannot be read"}
    assert snapshot.steps["keyframe"].why == "Frame 2-3: wrong size"
    assert snapshot.masked == (1,)
    freshness, following = part("engine.shared.freshness"), part("next_step")
    captured = freshness.StepState(freshness.Step.UP_TO_DATE)
    known = following.Facts({**snapshot.steps, "capture": captured}, snapshot.keyframes)
    step = following.next_step(known)
    assert part("ui.next_button").sentence(step).startswith("The painting of frame 2: wrong size.")
    assert (step.operator, step.options) == ("paintover.keyframe_open_in", {"frame": 2})


def test_the_same_without_a_window(
    scene: Any, key: Any, part: Part, capsys: pytest.CaptureFixture[str]
) -> None:
    main = part("command").main
    assert main(["keyframe", "duplicate", "1", "--onto", "3"]) == 0
    assert main(["keyframe", "move", "1", "--onto", "3"]) == 1
    assert main(["keyframe", "move", "1"]) == 1
    write_png(key.key_path(1), picture(1, seed=6))
    assert main(["keyframe", "move", "1", "--onto", "3", "--replace", "--save"]) == 0
    capsys.readouterr()
    assert main(["keyframe", "versions", "3"]) == 0
    (line,) = [line for line in capsys.readouterr().out.splitlines() if line.startswith("0003.")]
    assert main(["keyframe", "take-back", "3", "--version", line.split("\t")[0]]) == 0
    assert painted(key.key_path(3), 3)
    assert reopened(key).manifest.weights == {3: {3: 0.25}}


def shown_size(thumbnails: Any, path: Path) -> tuple[int, int]:
    thumbnails.icon(path)  # only a window gives out icons
    width, height = thumbnails._previews[str(path)].image_size
    return width, height


def test_thumbnails_follow_the_paintings(scene: Any, key: Any, part: Part) -> None:
    thumbnails, states, watcher = part("ui.thumbnails"), part("states"), part("ui.watcher")
    path, young = states.look(scene).pictures[1]
    assert path == key.key_path(1) and young == 0
    thumbnails.update({path: young}, {})
    assert thumbnails.icon(path) == 0  # it may be written once more in this second
    os.utime(path, (1_790_000_000, 1_790_000_000))
    pictures = states.look(scene).pictures
    assert pictures[1] == (path, 1_790_000_000 * 10**9)
    assert not thumbnails.update(dict(pictures.values()), {})
    assert shown_size(thumbnails, path) == (256, 144)
    write_png(path, picture(1, seed=3)[:, :135])
    os.utime(path, (1_790_000_009, 1_790_000_009))
    thumbnails.update(dict(states.look(scene).pictures.values()), {})
    assert shown_size(thumbnails, path) == (128, 256)
    write_png(path, picture(1, seed=3))
    image = part("keyframes.images").load(key, 1)
    image.pixels.foreach_set(np.zeros(len(image.pixels), np.float32))
    assert thumbnails.update({path: 0}, part("keyframes.images").painted_on(key))
    part("keyframes.images").save_unsaved(key)
    assert not thumbnails.update({path: 0}, part("keyframes.images").painted_on(key))
    watcher.select(1)
    (row,) = bpy.context.window_manager.paintover.keyframes
    assert (row.frame, row.state) == (1, states.NOT_PAINTED)


@pytest.mark.parametrize("work", ("duplicate", "move", "add", "take_back", "mask"))
def test_a_file_that_cannot_be_deleted_is_told(
    scene: Any, key: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, work: str
) -> None:
    write_png(tmp_path / "new.png", picture(1, seed=5))
    operators.keyframe_add(frame=1, filepath=str(tmp_path / "new.png"))
    (version,) = (key.folder / "keys" / "versions").iterdir()
    unlink, held = os.unlink, {"0001.png", "0001.exr", "0003.exr", "0001.mask.png"}

    def refused(path: Any, *args: Any, **options: Any) -> None:
        if Path(path).name in held:
            raise PermissionError(13, "It is being used by another process", str(path))
        unlink(path, *args, **options)

    monkeypatch.setattr(os, "unlink", refused)
    steps: dict[str, Callable[[], Any]] = {
        "duplicate": lambda: operators.keyframe_duplicate(frame=1, onto=3),
        "move": lambda: operators.keyframe_move(frame=1, onto=2),
        "add": lambda: operators.keyframe_add(frame=1, filepath=str(tmp_path / "new.png")),
        "take_back": lambda: operators.keyframe_take_back(frame=1, version=version.name),
        "mask": lambda: operators.mask_remove(frame=1),
    }
    with pytest.raises(RuntimeError, match=r"cannot be deleted \(It is being used") as error:
        steps[work]()
    assert "Traceback" not in str(error.value)
    files = {path.name: path for path in (key.folder / "keys").rglob("*.png")}
    assert any(painted(path, 5) for path in files.values())
    assert any(painted(path, 3) for path in files.values())
    assert any(painted(path, 9) for path in files.values())
