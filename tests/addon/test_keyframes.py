# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes: made, replaced, removed, opened; and no paint is ever lost."""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import HEIGHT, WIDTH, picture, read_codes, write_png


def _reopened(shot: Any) -> Any:
    return type(shot).open(shot.folder)


def _paint(image: Any, value: float) -> None:
    """Paint a stroke as the Image Editor would: into the datablock, not into the file."""
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    pixels.reshape(height, width, 4)[10:20, 10:40, :3] = value
    image.pixels.foreach_set(pixels)
    image.update()
    assert image.is_dirty


def test_add_makes_a_copy_of_the_frame_to_paint_on(scene: Any, shot: Any) -> None:
    scene.frame_set(2)
    assert bpy.ops.paintover.keyframe_add() == {"FINISHED"}
    assert shot.key_path(2).read_bytes() == shot.image_path(2).read_bytes()
    assert shot.key_frames() == [2]
    assert not shot.key_is_painted(2)
    bpy.ops.paintover.keyframe_add(frame=3)
    assert shot.key_frames() == [2, 3]


def test_add_never_overwrites_a_painting(scene: Any, shot: Any) -> None:
    write_png(shot.key_path(1), picture(1, seed=3))
    before = shot.key_path(1).read_bytes()
    with pytest.raises(RuntimeError, match="Frame 1 is a keyframe already; open it"):
        bpy.ops.paintover.keyframe_add(frame=1)
    assert shot.key_path(1).read_bytes() == before


def test_frame_outside_of_the_shot(scene: Any, shot: Any) -> None:
    with pytest.raises(RuntimeError, match=r"Frame 45 is not in the shot .* 1-3; go to one"):
        bpy.ops.paintover.keyframe_add(frame=45)


def test_without_a_shot_the_remedy_is_named(scene: Any) -> None:
    with pytest.raises(RuntimeError, match="Capture the shot first"):
        bpy.ops.paintover.keyframe_add(frame=1)


def test_painting_from_a_file_keeps_the_one_before(scene: Any, shot: Any, tmp_path: Path) -> None:
    for seed in (3, 4):
        write_png(tmp_path / "painted ü.png", picture(1, seed=seed))
        bpy.ops.paintover.keyframe_add(frame=1, filepath=str(tmp_path / "painted ü.png"))
    assert shot.key_path(1).read_bytes() == (tmp_path / "painted ü.png").read_bytes()
    kept = list((shot.folder / "keys" / "versions").iterdir())
    assert len(kept) == 1
    assert np.array_equal(read_codes(kept[0]), np.rint(picture(1, seed=3) * 255))


def test_painting_of_the_wrong_size_is_refused(scene: Any, shot: Any, tmp_path: Path) -> None:
    write_png(shot.key_path(1), picture(1, seed=3))
    before = shot.key_path(1).read_bytes()
    half = tmp_path / "half.png"
    write_png(half, picture(1)[::2, ::2])
    with pytest.raises(RuntimeError, match=r"half\.png is 48×32, but the frames are 96×64; export"):
        bpy.ops.paintover.keyframe_add(frame=1, filepath=str(half))
    write_png(half, picture(1)[:, ::2])
    with pytest.raises(RuntimeError, match=r"half\.png is 48×64, .* of another shape"):
        bpy.ops.paintover.keyframe_add(frame=1, filepath=str(half))
    assert shot.key_path(1).read_bytes() == before
    assert not (shot.folder / "keys" / "versions").exists()


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n nonsense", b"text"])
def test_damaged_painting_is_refused(scene: Any, shot: Any, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.png").write_bytes(content)
    with pytest.raises(RuntimeError, match=r"broken\.png (is damaged|is empty|holds text)"):
        bpy.ops.paintover.keyframe_add(frame=1, filepath=str(tmp_path / "broken.png"))
    assert shot.key_frames() == []


def test_truncated_painting_is_refused(scene: Any, shot: Any, tmp_path: Path) -> None:
    whole = shot.image_path(1).read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RuntimeError, match=r"cut\.png is damaged"):
        bpy.ops.paintover.keyframe_add(frame=1, filepath=str(tmp_path / "cut.png"))
    assert shot.key_frames() == []


def test_missing_and_foreign_files_are_refused(scene: Any, shot: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"There is no picture .*gone\.png"):
        bpy.ops.paintover.keyframe_add(frame=1, filepath=str(tmp_path / "gone.png"))
    (tmp_path / "paint.psd").write_bytes(b"8BPS\0\1" + bytes(80))
    with pytest.raises(RuntimeError, match=r"paint\.psd is a Photoshop document, which"):
        bpy.ops.paintover.keyframe_add(frame=1, filepath=str(tmp_path / "paint.psd"))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _with_chunk(path: Path, name: bytes, data: bytes) -> None:
    """Add a chunk after the header of a PNG, and take away what Blender notes of its colours."""
    whole = path.read_bytes()
    kept, place = whole[:33] + _chunk(name, data), 33
    while place < len(whole):
        length, other = struct.unpack_from(">I4s", whole, place)
        if other not in (b"sRGB", b"gAMA", b"cHRM"):
            kept += whole[place : place + 12 + length]
        place += 12 + length
    path.write_bytes(kept)


def _adobe_rgb() -> bytes:
    """The body of a chunk iCCP with the primaries of Adobe RGB."""
    primaries = (
        (0.60974, 0.31111, 0.01947),
        (0.20528, 0.62567, 0.06087),
        (0.14919, 0.06322, 0.745),
    )
    table, data = struct.pack(">I", 3), b""
    for number, (letter, column) in enumerate(zip(b"rgb", primaries, strict=True)):
        table += bytes([letter]) + b"XYZ" + struct.pack(">II", 168 + 20 * number, 20)
        data += b"XYZ \0\0\0\0" + struct.pack(">3i", *[round(65536 * value) for value in column])
    return b"Adobe RGB\0\0" + zlib.compress(bytes(128) + table + data)


def test_a_picture_counts_by_its_content(scene: Any, shot: Any, tmp_path: Path) -> None:
    settings = scene.render.image_settings
    for suffix, file_format in ((".png", "OPEN_EXR"), (".exr", "PNG")):
        image: Any = bpy.data.images.new("paint", WIDTH, HEIGHT, float_buffer=True)
        image.pixels.foreach_set(picture(1, seed=5).ravel())
        settings.file_format = file_format
        path = tmp_path / "painting.tmp"
        image.save_render(str(path), scene=scene)
        path = path.replace(tmp_path / f"painting{suffix}")
        bpy.ops.paintover.keyframe_add(frame=1, filepath=str(path))
        target = shot.folder / "keys" / ("0001.exr" if file_format == "OPEN_EXR" else "0001.png")
        assert target.read_bytes() == path.read_bytes()
        assert shot.key_path(1) == target
    settings.file_format = "JPEG"
    image.save_render(str(tmp_path / "painting.png"), scene=scene)
    with pytest.raises(RuntimeError, match=r"painting\.png is a JPEG picture; save the painting"):
        bpy.ops.paintover.keyframe_add(frame=1, filepath=str(tmp_path / "painting.png"))
    huge = struct.pack(">IIBBBBB", 100_000, 100_000, 8, 2, 0, 0, 0)
    (tmp_path / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", huge))
    with pytest.raises(RuntimeError, match=r"huge\.png is 100000×100000, but the frames are"):
        bpy.ops.paintover.keyframe_add(frame=1, filepath=str(tmp_path / "huge.png"))


def test_a_jpeg_with_the_name_of_a_png_is_saved_as_png(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    keyframes = part("keyframes.images")
    flat: Any = bpy.data.images.new("flat", WIDTH, HEIGHT)
    scene.render.image_settings.file_format = "JPEG"
    shot.key_path(1).parent.mkdir()
    flat.save_render(str(shot.key_path(1)), scene=scene)
    assert shot.key_path(1).read_bytes().startswith(b"\xff\xd8\xff")
    _paint(keyframes.load(shot, 1), 1.0)
    keyframes.save_unsaved(shot)
    assert shot.key_path(1).read_bytes().startswith(b"\x89PNG")
    expected = np.zeros((HEIGHT, WIDTH, 3), int)
    expected[10:20, 10:40] = 255
    assert np.array_equal(read_codes(shot.key_path(1))[..., :3], expected)


def test_a_profile_that_blender_would_lose_is_not_painted_over(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    keyframes = part("keyframes.images")
    path = shot.key_path(1)
    for name, data in ((b"iCCP", _adobe_rgb()), (b"gAMA", struct.pack(">I", 100000))):
        write_png(path, picture(1, seed=3))
        _with_chunk(path, name, data)
        before = path.read_bytes()
        with pytest.raises(RuntimeError, match=r"0001\.png has a color profile that Blender would"):
            bpy.ops.paintover.keyframe_open(frame=1)
        assert keyframes.find_image(path) is None
        by_hand: Any = bpy.data.images.load(str(path))
        write_png(shot.key_path(2), picture(2, seed=3))
        other: Any = bpy.data.images.load(str(shot.key_path(2)))
        for image in (by_hand, other):
            _paint(image, 1.0)
        with pytest.raises(
            Exception, match=r"0001\.png has a color profile that Blender would lose"
        ):
            keyframes.save_unsaved(shot)
        assert path.read_bytes() == before
        assert by_hand.is_dirty and not other.is_dirty
        for image in (by_hand, other):
            bpy.data.images.remove(image)


def test_a_color_space_that_blender_knows_is_kept(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    path = shot.key_path(1)
    write_png(path, picture(1, seed=3))
    _with_chunk(path, b"cICP", b"\x0c\x0d\0\1")
    if bpy.app.version < (5, 0):
        with pytest.raises(RuntimeError, match=r"0001\.png has a color profile that Blender would"):
            bpy.ops.paintover.keyframe_open(frame=1)
        return
    bpy.ops.paintover.keyframe_open(frame=1)
    keyframes = part("keyframes.images")
    image = keyframes.find_image(path)
    assert image.colorspace_settings.name == "Display P3"
    _paint(image, 1.0)
    keyframes.save_unsaved(shot)
    assert b"cICP" in path.read_bytes()
    expected = np.rint(picture(1, seed=3) * 255)
    expected[10:20, 10:40, :3] = 255
    assert np.array_equal(read_codes(path), expected)


def test_removed_keyframe_keeps_its_file_and_comes_back(scene: Any, shot: Any) -> None:
    write_png(shot.key_path(1), picture(1, seed=3))
    bpy.ops.paintover.keyframe_remove(frame=1)
    assert _reopened(shot).key_frames() == []
    assert shot.key_path(1).is_file()
    with pytest.raises(RuntimeError, match="Frame 1 is not a keyframe"):
        bpy.ops.paintover.keyframe_remove(frame=1)
    bpy.ops.paintover.keyframe_add(frame=1)
    assert _reopened(shot).key_frames() == [1]
    assert np.array_equal(read_codes(shot.key_path(1)), np.rint(picture(1, seed=3) * 255))


def test_open_loads_it_ready_to_paint(scene: Any, shot: Any, part: Callable[[str], Any]) -> None:
    bpy.ops.paintover.keyframe_add(frame=1)
    bpy.ops.paintover.keyframe_open(frame=1)
    image: Any = part("keyframes.images").find_image(shot.key_path(1))
    assert image.use_fake_user and image.colorspace_settings.name == "sRGB"
    assert tuple(image.size) == (WIDTH, HEIGHT)
    bpy.ops.paintover.keyframe_open(frame=1)
    assert sum(other.filepath == image.filepath for other in bpy.data.images) == 1


@pytest.mark.parametrize("space", ["sRGB", "Non-Color"])
def test_open_again_keeps_unsaved_paint(
    scene: Any, shot: Any, part: Callable[[str], Any], space: str
) -> None:
    bpy.ops.paintover.keyframe_add(frame=1)
    bpy.ops.paintover.keyframe_open(frame=1)
    image: Any = part("keyframes.images").find_image(shot.key_path(1))
    image.colorspace_settings.name = space
    _paint(image, 1.0)
    painted = list(image.pixels)

    bpy.ops.paintover.keyframe_open(frame=1)

    assert image.is_dirty
    assert list(image.pixels) == painted


def test_unsaved_paint_is_found_and_saved(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    keyframes = part("keyframes.images")
    bpy.ops.paintover.keyframe_add(frame=1)
    _paint(keyframes.load(shot, 1), 1.0)
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
    _paint(image, 0.5)
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
    _paint(keyframes.load(shot, 1), 0.0)
    bpy.ops.wm.save_mainfile()
    assert shot.key_is_painted(1)
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    assert keyframes.find_image(shot.key_path(1)) is not None


def test_full_disk_leaves_the_painting_of_before(
    scene: Any, shot: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    keyframes, errors = part("keyframes.images"), part("engine.shared.errors")
    bpy.ops.paintover.keyframe_add(frame=1)
    image = keyframes.load(shot, 1)
    _paint(image, 1.0)
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
            _paint(image, 1.0)
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
    _paint(image, 1.0)
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
    _paint(keyframes.load(shot, 1), 1.0)
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
    _paint(image, 0.25)
    assert images.unsaved(shot) == ["0001.png"]
    assert part("states").look(scene).keyframes == {1: "Not saved yet"}
    assert images.save_unsaved(shot) == ["0001.png"]
    assert _reopened(shot).key_is_painted(1)
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
    _paint(image, 0.25)
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
    _paint(image, 0.25)
    write_png(shot.key_path(1), picture(1, seed=9))
    outside = shot.key_path(1).read_bytes()
    images.save_unsaved(shot)
    (version,) = (shot.folder / "keys/versions").iterdir()
    assert version.read_bytes() == outside
    assert read_codes(shot.key_path(1))[15, 20, 0] == 64
