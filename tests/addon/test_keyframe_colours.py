# SPDX-License-Identifier: GPL-3.0-or-later
"""Paintings of other programs: by their content, and with the color spaces that they name."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import HEIGHT, WIDTH, picture, read_codes, write_png
from keyframe_paint import paint


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
    paint(keyframes.load(shot, 1), 1.0)
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
            paint(image, 1.0)
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
    paint(image, 1.0)
    keyframes.save_unsaved(shot)
    assert b"cICP" in path.read_bytes()
    expected = np.rint(picture(1, seed=3) * 255)
    expected[10:20, 10:40, :3] = 255
    assert np.array_equal(read_codes(path), expected)
