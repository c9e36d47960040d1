# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures that Blender must not load: an EXR that is cut short ends Blender 5.0."""

from __future__ import annotations

import os
import resource
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from conftest import HEIGHT, WIDTH, picture, write_png

Part = Callable[[str], Any]
operators: Any = bpy.ops.paintover
VERSION = "0002.20260101-000000.exr"
CUTS = 0.3, 0.5, 0.97


def exr(path: Path, share: float = 1, compression: str = "NONE") -> bytes:
    """Write an EXR with a share of its bytes; return all of them."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image: Any = bpy.data.images.new("exr", WIDTH, HEIGHT, alpha=True, float_buffer=True)
    image.pixels.foreach_set(picture(1).ravel())
    scene: Any = bpy.context.scene
    settings = scene.render.image_settings
    settings.file_format, settings.exr_codec = "OPEN_EXR", compression
    image.save_render(str(path), scene=scene)
    bpy.data.images.remove(image)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    return data


def huge_png(path: Path, width: int = 12000, height: int = 9000) -> None:
    """Write a white PNG: a few kilobytes, whose pixels take hundreds of megabytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    packer = zlib.compressobj(9)
    row = b"\0" + b"\xff" * width
    packed = b"".join(packer.compress(row) for _ in range(height)) + packer.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + b"".join(
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
            for name, data in ((b"IHDR", head), (b"IDAT", packed), (b"IEND", b""))
        )
    )


@pytest.mark.parametrize("compression", ["NONE", "ZIP", "ZIPS", "PIZ", "DWAA"])
@pytest.mark.parametrize("share", CUTS)
def test_paintings(shot: Any, part: Part, tmp_path: Path, compression: str, share: float) -> None:
    images, errors = part("keyframes.images"), part("engine.shared.errors")
    key, other = shot.folder / "keys" / "0002.exr", tmp_path / "other.exr"
    exr(other, share, compression)
    with pytest.raises(RuntimeError, match=r"other\.exr is damaged or not a single picture"):
        operators.keyframe_add(frame=2, filepath=str(other))
    assert not key.exists()
    data = exr(key, share, compression)
    with pytest.raises(errors.PaintoverError, match=r"0002\.exr is cut short or damaged"):
        images.load(shot, 2)
    exr(key.parent / "versions" / VERSION, share, compression)
    with pytest.raises(RuntimeError, match="cut short or damaged"):
        operators.keyframe_look(frame=2, version=VERSION)
    key.write_bytes(data)
    assert tuple(images.load(shot, 2).size) == (WIDTH, HEIGHT)


def test_a_painting_that_is_half_written_waits_until_it_is_whole(shot: Any, part: Part) -> None:
    images, states = part("keyframes.images"), part("states")
    key = shot.folder / "keys" / "0002.exr"
    data = exr(key)
    image = images.load(shot, 2)
    key.write_bytes(data[: len(data) // 2])
    os.utime(key, ns=(1, 1))
    assert images.reload_changed(shot) == []
    assert tuple(image.size) == (WIDTH, HEIGHT)
    assert states.look(bpy.context.scene).keyframes[2] == "Cannot be read"
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="cut short"):
        images.load(shot, 2)
    key.write_bytes(data)
    os.utime(key, ns=(2, 2))
    assert images.reload_changed(shot) == ["0002.exr"]
    assert tuple(image.size) == (WIDTH, HEIGHT)


@pytest.mark.parametrize("frame", [1, 2, 3])
def test_frames_for_the_compositor(shot: Any, part: Part, scene: Any, frame: int) -> None:
    errors = part("engine.shared.errors")
    paths = {each: shot.out_path("style", each, ".exr") for each in shot.frames}
    for each in paths.values():
        data = exr(each)
    scene.paintover.format = "exr"
    paths[frame].write_bytes(data[: len(data) // 2])
    with pytest.raises(RuntimeError, match=f"000{frame}.exr is damaged; delete it and stylize"):
        operators.compose()
    paths[frame].write_bytes(data)
    assert operators.compose() == {"FINISHED"}
    paths[frame].write_bytes(data[: len(data) // 2])
    folder = paths[frame].parent
    with pytest.raises(errors.PaintoverError, match="cut short"):
        part("compositor.sequences").reload_all(folder, shot)
    part("compositor.following").follow(scene, shot, shot.frames, 1)
    part("compositor.following").follow(scene, shot, shot.frames, 2)  # leaves what is shown
    for load in (
        lambda: part("camera_pictures").show(scene, shot, "style", ".exr"),
        lambda: part("compositor").refresh(scene, shot),
        lambda: list(
            part("composed_frames").render(scene, shot, "style", shot.folder / "done", [frame])
        ),
    ):
        with pytest.raises(errors.PaintoverError, match=f"000{frame}.exr is cut short or damaged"):
            load()


def test_pictures_far_larger_than_the_frames(shot: Any, part: Part, tmp_path: Path) -> None:
    images, masks, states = part("keyframes.images"), part("keyframes.masks"), part("states")
    error = part("engine.shared.errors").PaintoverError
    huge_png(tmp_path / "huge.png")
    huge = (tmp_path / "huge.png").read_bytes()
    write_png(shot.key_path(1), picture(1, seed=3))
    version = shot.folder / "keys" / "versions" / "0001.20260101-000000.png"
    version.parent.mkdir()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for path in (shot.key_path(2), shot.key_mask_path(1), version):
        path.write_bytes(huge)
    sentence = f"is 12000×9000, far larger than the frames, which are {WIDTH}×{HEIGHT}; save it in"
    with pytest.raises(error, match=sentence):
        images.load(shot, 2)
    with pytest.raises(error, match=sentence):
        masks.load(shot, 1)
    with pytest.raises(RuntimeError, match=sentence):
        operators.keyframe_look(frame=1, version=version.name)
    with pytest.raises(RuntimeError, match=r"huge\.png is 12000×9000, but the frames are"):
        operators.keyframe_add(frame=3, filepath=str(tmp_path / "huge.png"))
    image = images.load(shot, 1)
    shot.key_path(1).write_bytes(huge)
    os.utime(shot.key_path(1), ns=(1, 1))
    assert images.reload_changed(shot) == []
    assert tuple(image.size) == (WIDTH, HEIGHT)
    for frame in shot.frames:
        path = shot.out_path("style", frame)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(huge)
    with pytest.raises(error, match=sentence):
        part("camera_pictures").show(bpy.context.scene, shot, "style", ".png")
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 100_000  # kilobytes; one of them takes 430 MB
    assert states.look(bpy.context.scene).keyframes == {1: "Wrong size", 2: "Wrong size"}
    assert [time for _, time in states.look(bpy.context.scene).pictures.values()] == [0, 0]
    thumbnails = part("ui.thumbnails")
    assert thumbnails.version_icon(version, shot.manifest.size) == 0
    assert str(version) not in thumbnails._previews
    # The way out: another painting takes its place, and the huge one is kept.
    write_png(tmp_path / "good.png", picture(2, seed=4))
    assert operators.keyframe_add(frame=2, filepath=str(tmp_path / "good.png")) == {"FINISHED"}
    assert states.look(bpy.context.scene).keyframes[2] == "Painted"


def test_a_painting_of_twice_the_size_can_be_looked_at(shot: Any, part: Part) -> None:
    path = shot.key_path(2)
    write_png(path, picture(2).repeat(2, axis=0).repeat(2, axis=1))
    assert tuple(part("keyframes.images").load(shot, 2).size) == (2 * WIDTH, 2 * HEIGHT)
    assert part("states").look(bpy.context.scene).keyframes == {2: "Wrong size"}
