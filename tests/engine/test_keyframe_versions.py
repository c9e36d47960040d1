# SPDX-License-Identifier: GPL-3.0-or-later
"""Earlier paintings of a keyframe, and the sizes in the heads of paintings."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO
import pytest

from engine.shared.errors import PaintoverError
from engine.shared.keyframes.versions import (
    find_version,
    keep_painting,
    put_mask,
    put_painting,
    versions_of,
)
from engine.shared.manifest import FrameRecord, Manifest
from engine.shared.pictures.digests import digest_picture
from engine.shared.pictures.sizes import DAMAGED, painting_size
from engine.shared.shot import Shot

WIDTH, HEIGHT = 480, 270


def write(path: Path, seed: int, seconds: int = 0) -> Path:
    """Write a random picture with a date of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codes = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    cv2.imwrite(str(path), codes)
    os.utime(path, (1_790_000_000 + seconds, 1_790_000_000 + seconds))
    return path


@pytest.fixture
def shot(tmp_path: Path) -> Shot:
    """A shot of the frames −2, 1 and 12, of which each is a random picture."""
    made = Shot(tmp_path / "shot", Manifest(WIDTH, HEIGHT, -2, 12))
    for frame in (-2, 1, 12):
        write(made.image_path(frame), 100 + frame)
        made.manifest.frames[frame] = FrameRecord(image=digest_picture(made.image_path(frame)))
    made.save()
    return made


@pytest.mark.parametrize("frame", [-2, 1, 12])
def test_a_new_painting_keeps_the_one_before(shot: Shot, tmp_path: Path, frame: int) -> None:
    sources = [write(tmp_path / f"{seed}.png", seed, seed) for seed in range(3)]
    assert put_painting(shot, frame, sources[0], ".png") is None
    for source in sources[1:]:
        before = shot.key_path(frame).read_bytes()
        kept = put_painting(shot, frame, source, ".png")
        assert kept is not None and kept.read_bytes() == before
    found = versions_of(shot, frame)
    assert [version.path.read_bytes() for version in found] == [
        source.read_bytes() for source in (sources[1], sources[0])
    ]
    assert all(not versions_of(shot, other) for other in {-2, 1, 12} - {frame})
    assert find_version(shot, frame, found[0].path.name) == found[0]


def test_the_same_painting_is_kept_once(shot: Shot, tmp_path: Path) -> None:
    first, second = write(tmp_path / "1.png", 1), write(tmp_path / "2.png", 2)
    put_painting(shot, 1, first, ".png")
    kept = {put_painting(shot, 1, source, ".png") for source in (second, first) * 3}
    assert len(kept) == 2
    assert len(versions_of(shot, 1)) == 2
    assert keep_painting(shot, 1, shot.key_path(1)) in kept


def test_what_nobody_painted_on_is_no_version(shot: Shot, tmp_path: Path) -> None:
    put_painting(shot, 1, shot.image_path(1), ".png")
    assert put_painting(shot, 1, write(tmp_path / "1.png", 1), ".png") is None
    assert versions_of(shot, 1) == []


def test_an_exr_takes_the_place_of_a_png(shot: Shot, tmp_path: Path) -> None:
    put_painting(shot, 1, write(tmp_path / "1.png", 1), ".png")
    source = tmp_path / "2.exr"
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    picture = OpenImageIO.ImageOutput.create(str(source))
    picture.open(str(source), OpenImageIO.ImageSpec(WIDTH, HEIGHT, 3, "half"))
    picture.write_image(pixels)
    picture.close()
    put_painting(shot, 1, source, ".exr")
    assert shot.key_path(1).name == "0001.exr"
    assert not (shot.folder / "keys/0001.png").exists()
    assert [version.path.suffix for version in versions_of(shot, 1)] == [".png"]
    assert painting_size(shot.key_path(1)) == (WIDTH, HEIGHT)


def test_masks_and_strays_are_no_versions(shot: Shot, tmp_path: Path) -> None:
    mask = write(tmp_path / "mask.png", 1)
    put_mask(shot, 1, mask)
    put_mask(shot, 1, write(tmp_path / "other.png", 2))
    put_mask(shot, 1, tmp_path / "no such file")
    assert not shot.key_mask_path(1).exists()
    folder = shot.folder / "keys/versions"
    assert len(list(folder.glob("*.mask.png"))) == 2
    for name in ("0001.png", "0001.99999999-999999.png", "00012.20260101-000000.png", "x.png"):
        write(folder / name, 3)
    assert versions_of(shot, 1) == []
    with pytest.raises(PaintoverError, match="is not there any more"):
        find_version(shot, 1, "0001.png")


def test_sizes_are_read_from_heads(tmp_path: Path) -> None:
    path = write(tmp_path / "1.png", 1)
    assert painting_size(path) == (WIDTH, HEIGHT)
    path.write_bytes(path.read_bytes()[:20])
    assert painting_size(path) == DAMAGED
    (tmp_path / "2.exr").write_bytes(b"\x76\x2f\x31\x01" + b"\2\0\0\0" + b"channels\0" * 40)
    assert painting_size(tmp_path / "2.exr") == DAMAGED
    assert painting_size(tmp_path / "no such file") == DAMAGED
    cv2.imwrite(str(tmp_path / "3.jpg"), np.zeros((4, 4, 3), np.uint8))
    assert painting_size(tmp_path / "3.jpg") is None
