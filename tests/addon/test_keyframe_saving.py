# SPDX-License-Identifier: GPL-3.0-or-later
"""Paint on keyframes is saved, packed or not, and none of it is ever lost."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import HEIGHT, WIDTH, picture, read_codes, write_png
from keyframe_paint import paint, reopened


@pytest.mark.parametrize("space", ["sRGB", "Non-Color"])
def test_open_again_keeps_unsaved_paint(
    scene: Any, shot: Any, part: Callable[[str], Any], space: str
) -> None:
    bpy.ops.paintover.keyframe_add(frame=1)
    bpy.ops.paintover.keyframe_open(frame=1)
    image: Any = part("keyframes.images").find_image(shot.key_path(1))
    image.colorspace_settings.name = space
    paint(image, 1.0)
    painted = list(image.pixels)

    bpy.ops.paintover.keyframe_open(frame=1)

    assert image.is_dirty
    assert list(image.pixels) == painted


def test_unsaved_paint_is_found_and_saved(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    keyframes = part("keyframes.images")
    bpy.ops.paintover.keyframe_add(frame=1)
    paint(keyframes.load(shot, 1), 1.0)
    assert keyframes.unsaved(shot) == ["0001.png"]
    assert not shot.key_is_painted(1)
    assert keyframes.save_unsaved(shot) == ["0001.png"]
    assert keyframes.unsaved(shot) == []
    expected = np.rint(picture(1) * 255)
    expected[10:20, 10:40, :3] = 255
    assert np.array_equal(read_codes(shot.key_path(1)), expected)
    assert keyframes.save_unsaved(shot) == []


def test_sixteen_bit_paintings_stay_sixteen_bit(
    scene: Any, shot: Any, tmp_path: Path, part: Callable[[str], Any]
) -> None:
    keyframes = part("keyframes.images")
    deep: Any = bpy.data.images.new("deep", WIDTH, HEIGHT, alpha=True, float_buffer=True)
    deep.pixels.foreach_set(picture(1, seed=8).ravel())
    scene.render.image_settings.color_depth = "16"
    deep.save_render(str(tmp_path / "deep.png"), scene=scene)
    assert (tmp_path / "deep.png").read_bytes()[24] == 16
    bpy.ops.paintover.keyframe_add(frame=1, filepath=str(tmp_path / "deep.png"))
    image = keyframes.load(shot, 1)
    before = np.empty(WIDTH * HEIGHT * 4, np.float32)
    image.pixels.foreach_get(before)
    paint(image, 0.5)
    keyframes.save_unsaved(shot)
    assert shot.key_path(1).read_bytes()[24] == 16
    after = np.empty_like(before)
    image.pixels.foreach_get(after)
    untouched = np.ones((HEIGHT, WIDTH), bool)
    untouched[10:20, 10:40] = False
    difference = np.abs(after - before).reshape(HEIGHT, WIDTH, 4)[untouched]
    assert difference.max() < 1e-4


def test_saving_the_blend_saves_paint(scene: Any, shot: Any, part: Callable[[str], Any]) -> None:
    keyframes = part("keyframes.images")
    bpy.ops.paintover.keyframe_add(frame=1)
    paint(keyframes.load(shot, 1), 0.0)
    bpy.ops.wm.save_mainfile()
    assert shot.key_is_painted(1)
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    assert keyframes.find_image(shot.key_path(1)) is not None


@pytest.mark.parametrize("how", ["no folder", "moved", "other shot"])
def test_paint_that_cannot_be_saved_with_the_blend_is_told(
    scene: Any,
    shot: Any,
    part: Callable[[str], Any],
    caplog: pytest.LogCaptureFixture,
    how: str,
) -> None:
    keyframes = part("keyframes.images")
    bpy.ops.paintover.keyframe_add(frame=1)
    bpy.ops.paintover.keyframe_add(frame=2)
    bpy.ops.wm.save_mainfile()
    assert not caplog.messages
    image = keyframes.load(shot, 1)
    keyframes.load(shot, 2)
    paint(image, 0.0)
    keys, aside = shot.folder / "keys", shot.folder.with_name("aside")
    if how == "no folder":
        keys.rename(aside)
        keys.write_text("a file")
    elif how == "moved":
        shot.folder.rename(aside)
    else:
        scene.paintover.folder = "//another"
    Path(bpy.data.filepath).unlink()
    bpy.ops.wm.save_mainfile()
    assert Path(bpy.data.filepath).is_file() and image.is_dirty
    (told,) = caplog.messages
    reason = {"no folder": f"Cannot write {keys}", "moved": "shot", "other shot": "Save As"}[how]
    assert told.startswith("The .blend is saved without the paint on 0001.png, which stays in ")
    assert reason in told.partition("only: ")[2]
    caplog.clear()
    if how == "no folder":
        keys.unlink()
        aside.rename(keys)
    elif how == "moved":
        aside.rename(shot.folder)
    else:
        scene.paintover.folder = os.path.relpath(shot.folder, Path(bpy.data.filepath).parent)
    keyframes.save_unsaved(shot)
    bpy.ops.wm.save_mainfile()
    assert not caplog.messages and shot.key_is_painted(1)


def test_full_disk_leaves_the_painting_of_before(
    scene: Any, shot: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    keyframes, errors = part("keyframes.images"), part("engine.shared.errors")
    bpy.ops.paintover.keyframe_add(frame=1)
    image = keyframes.load(shot, 1)
    paint(image, 1.0)
    before = shot.key_path(1).read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(errors.PaintoverError, match=r"0001\.png: No space left"):
        keyframes.save_unsaved(shot)
    assert shot.key_path(1).read_bytes() == before
    assert image.is_dirty
    assert [path.name for path in shot.key_path(1).parent.iterdir()] == ["0001.png"]


def test_painting_changed_outside_is_reloaded_unless_there_is_paint(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    keyframes = part("keyframes.images")
    bpy.ops.paintover.keyframe_add(frame=1)
    image = keyframes.load(shot, 1)
    assert keyframes.reload_changed(shot) == []
    for seed, dirty in ((3, False), (4, True)):
        if dirty:
            paint(image, 1.0)
        write_png(shot.key_path(1), picture(1, seed=seed))
        os.utime(shot.key_path(1), ns=(seed, seed))
        assert keyframes.reload_changed(shot) == ([] if dirty else ["0001.png"])
    assert image.is_dirty
    pixels = np.empty(WIDTH * HEIGHT * 4, np.float32)
    image.pixels.foreach_get(pixels)
    assert pixels.reshape(HEIGHT, WIDTH, 4)[15, 20, 0] == 1.0


def test_new_painting_replaces_the_open_one_and_its_paint_is_kept(
    scene: Any, shot: Any, tmp_path: Path, part: Callable[[str], Any]
) -> None:
    keyframes = part("keyframes.images")
    bpy.ops.paintover.keyframe_add(frame=1)
    image = keyframes.load(shot, 1)
    paint(image, 1.0)
    write_png(tmp_path / "new.png", picture(1, seed=6))
    bpy.ops.paintover.keyframe_add(frame=1, filepath=str(tmp_path / "new.png"))
    kept = list((shot.folder / "keys" / "versions").iterdir())
    assert read_codes(kept[0])[15, 20, 0] == 255
    pixels = np.empty(WIDTH * HEIGHT * 4, np.float32)
    image.pixels.foreach_get(pixels)
    assert np.array_equal(np.rint(pixels * 255), np.rint(picture(1, seed=6) * 255).ravel())


def test_states_tell_what_happened_to_keyframes(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    states, keyframes, step = (
        part("states"),
        part("keyframes.images"),
        part("engine.shared.freshness").Step,
    )
    assert states.look(scene).steps["keyframe"].step is step.NOTHING
    bpy.ops.paintover.keyframe_add(frame=1)
    assert states.look(scene).keyframes == {1: states.NOT_PAINTED}
    paint(keyframes.load(shot, 1), 1.0)
    assert states.look(scene).keyframes == {1: states.UNSAVED}
    keyframes.save_unsaved(shot)
    looked = states.look(scene)
    assert looked.keyframes == {1: states.PAINTED}
    assert looked.steps["keyframe"].step is step.UP_TO_DATE


def test_paint_on_a_packed_keyframe_is_saved_and_stays_packed(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    images = part("keyframes.images")
    bpy.ops.paintover.keyframe_add(frame=1)
    image = images.load(shot, 1)
    bpy.ops.file.pack_all()
    assert image.packed_file
    paint(image, 0.25)
    assert images.unsaved(shot) == ["0001.png"]
    assert part("states").look(scene).keyframes == {1: "Not saved yet"}
    assert images.save_unsaved(shot) == ["0001.png"]
    assert reopened(shot).key_is_painted(1)
    assert (image.is_dirty, image.packed_file is not None) == (False, True)
    assert images.unsaved(shot) == []
    assert abs(image.pixels[(15 * WIDTH + 20) * 4] - 0.25) < 0.01
    assert bytes(image.packed_file.data) == shot.key_path(1).read_bytes()


def test_paint_that_is_only_in_the_pack_is_saved(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    images = part("keyframes.images")
    bpy.ops.paintover.keyframe_add(frame=1)
    image = images.load(shot, 1)
    paint(image, 0.25)
    with part("properties").programmatic():
        image.pack()
    assert not image.is_dirty
    assert images.unsaved(shot) == ["0001.png"]
    images.load(shot, 1)
    images.reload_changed(shot)
    write_png(shot.key_path(1), picture(1, seed=9))
    outside = shot.key_path(1).read_bytes()
    bpy.ops.wm.save_mainfile()
    assert read_codes(shot.key_path(1))[15, 20, 0] == 64
    (version,) = (shot.folder / "keys/versions").iterdir()
    assert version.read_bytes() == outside
    assert images.unsaved(shot) == []


def test_paint_on_an_image_of_blenders_open_is_saved_from_its_pack(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    images = part("keyframes.images")
    bpy.ops.paintover.keyframe_add(frame=1)
    for _ in range(2):  # Blender's Open may load a file a second time
        image = bpy.data.images.load(str(shot.key_path(1)), check_existing=False)
    images.reload_changed(shot)
    paint(image, 0.25)
    with part("properties").programmatic():
        image.pack()
    assert images.unsaved(shot) == ["0001.png"]
    images.reload_changed(shot)
    bpy.ops.wm.save_mainfile()
    assert read_codes(shot.key_path(1))[15, 20, 0] == 64
    assert not (shot.folder / "keys/versions").exists()


def test_paintings_that_must_not_be_read_stop_nothing(
    scene: Any, shot: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    images, masks = part("keyframes.images"), part("keyframes.masks")
    bpy.ops.paintover.keyframe_add(frame=1)
    painting, mask = images.load(shot, 1), masks.load(shot, 1)
    listdir = os.listdir

    def refuse(path: Any = ".") -> list[str]:
        if path == shot.folder / "keys":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return listdir(path)

    monkeypatch.setattr(os, "listdir", refuse)
    with pytest.raises(RuntimeError, match=r"keys cannot be read .*check its permissions"):
        bpy.ops.paintover.train()
    state = part("states").look(scene).steps["capture"]
    assert state.why.endswith("keys cannot be read (Permission denied); check its permissions.")
    assert images.keyframe_of(painting) is None and masks.of_image(mask) is None


def test_a_packed_keyframe_shows_what_another_program_painted(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    images = part("keyframes.images")
    bpy.ops.paintover.keyframe_add(frame=1)
    image = images.load(shot, 1)
    image.pack()
    images.reload_changed(shot)
    write_png(shot.key_path(1), picture(1, seed=9))
    os.utime(shot.key_path(1), ns=(1, 1))
    assert images.reload_changed(shot) == ["0001.png"]
    assert images.unsaved(shot) == []
    assert bytes(image.packed_file.data) == shot.key_path(1).read_bytes()


def test_paint_saved_over_a_file_that_changed_meanwhile_keeps_that_as_a_version(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    images = part("keyframes.images")
    bpy.ops.paintover.keyframe_add(frame=1)
    image = images.load(shot, 1)
    paint(image, 0.25)
    write_png(shot.key_path(1), picture(1, seed=9))
    outside = shot.key_path(1).read_bytes()
    images.save_unsaved(shot)
    (version,) = (shot.folder / "keys/versions").iterdir()
    assert version.read_bytes() == outside
    assert read_codes(shot.key_path(1))[15, 20, 0] == 64


def test_what_another_program_saved_over_an_image_from_blenders_open_is_kept(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    images = part("keyframes.images")
    bpy.ops.paintover.keyframe_add(frame=1)
    image: Any = bpy.data.images.load(str(shot.key_path(1)))
    paint(image, 0.25)
    write_png(shot.key_path(1), picture(1, seed=9))
    outside = shot.key_path(1).read_bytes()
    images.save_unsaved(shot)
    paint(image, 0.5)
    images.save_unsaved(shot)
    (version,) = (shot.folder / "keys/versions").iterdir()
    assert version.read_bytes() == outside
    assert read_codes(shot.key_path(1))[15, 20, 0] == 128


def test_a_mask_that_another_program_saved_is_kept_when_live_writes_strokes(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    bpy.ops.paintover.keyframe_add(frame=1)
    image = part("keyframes.masks").load(shot, 1)
    files = part("live.keyframe_files").KeyframeFiles(shot)
    masks, path = part("live.canvases").KeyframeImages(shot), shot.key_mask_path(1)
    for value in (0.25, 0.5):
        paint(image, value)
        files.note_stroke()
        files._next = 0.0
        assert files.tick(scene, masks)
    assert not (shot.folder / "keys/versions").exists()
    write_png(path, picture(1, seed=9))
    outside = path.read_bytes()
    paint(image, 0.75)
    files.note_stroke()
    files._next = 0.0
    assert files.tick(scene, masks)
    (version,) = (shot.folder / "keys/versions").iterdir()
    assert version.read_bytes() == outside
    assert read_codes(path)[15, 20, 0] == 191


def test_a_painting_that_must_not_be_read_is_kept_and_stops_no_saving(
    scene: Any, shot: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    images, opened = part("keyframes.images"), Path.open
    for frame in (1, 2):
        bpy.ops.paintover.keyframe_add(frame=frame)
        paint(images.load(shot, frame), 0.25)
    write_png(shot.key_path(1), picture(1, seed=9))
    outside = shot.key_path(1).read_bytes()
    shot.key_path(1).chmod(0)

    def refuse(path: Path, *words: Any, **more: Any) -> Any:  # the superuser reads everything
        if not path.stat().st_mode & 0o777:
            raise PermissionError(13, "Permission denied")
        return opened(path, *words, **more)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", refuse)
        assert images.save_unsaved(shot) == ["0001.png", "0002.png"]
    (version,) = (shot.folder / "keys/versions").glob("0001*")
    version.chmod(0o600)
    assert version.read_bytes() == outside
    assert all(read_codes(shot.key_path(frame))[15, 20, 0] == 64 for frame in (1, 2))
