# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes: made, replaced, removed and opened."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import HEIGHT, WIDTH, picture, read_codes, write_png
from keyframe_paint import reopened


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
    with pytest.raises(
        RuntimeError, match=r"half\.png is 240×135, but the frames are 480×270; export"
    ):
        bpy.ops.paintover.keyframe_add(frame=1, filepath=str(half))
    write_png(half, picture(1)[:, ::2])
    with pytest.raises(RuntimeError, match=r"half\.png is 240×270, .* of another shape"):
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


def test_removed_keyframe_keeps_its_file_and_comes_back(scene: Any, shot: Any) -> None:
    write_png(shot.key_path(1), picture(1, seed=3))
    bpy.ops.paintover.keyframe_remove(frame=1)
    assert reopened(shot).key_frames() == []
    assert shot.key_path(1).is_file()
    with pytest.raises(RuntimeError, match="Frame 1 is not a keyframe"):
        bpy.ops.paintover.keyframe_remove(frame=1)
    bpy.ops.paintover.keyframe_add(frame=1)
    assert reopened(shot).key_frames() == [1]
    assert np.array_equal(read_codes(shot.key_path(1)), np.rint(picture(1, seed=3) * 255))


def test_open_loads_it_ready_to_paint(scene: Any, shot: Any, part: Callable[[str], Any]) -> None:
    bpy.ops.paintover.keyframe_add(frame=1)
    bpy.ops.paintover.keyframe_open(frame=1)
    image: Any = part("keyframes.images").find_image(shot.key_path(1))
    assert image.use_fake_user and image.colorspace_settings.name == "sRGB"
    assert tuple(image.size) == (WIDTH, HEIGHT)
    bpy.ops.paintover.keyframe_open(frame=1)
    assert sum(other.filepath == image.filepath for other in bpy.data.images) == 1
