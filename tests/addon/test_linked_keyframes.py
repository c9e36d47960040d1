# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes that are links: they are read, painted on, and replaced, never written through."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import HEIGHT, WIDTH, picture, read_codes, write_png
from keyframe_paint import paint

Part = Callable[[str], Any]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


@pytest.fixture
def elsewhere(shot: Any, tmp_path: Path) -> Path:
    """A folder with the painting and the mask of frame 1, which are links in the shot."""
    folder = tmp_path / "elsewhere"
    write_png(folder / "mine.png", picture(1, seed=5))
    write_png(folder / "mine.mask.png", np.ones((HEIGHT, WIDTH, 4), np.float32))
    (shot.folder / "keys").mkdir()
    shot.key_path(1).symlink_to(folder / "mine.png")
    shot.key_mask_path(1).symlink_to(folder / "mine.mask.png")
    return folder


@pytest.fixture
def disk(shot: Any, tmp_path: Path) -> Iterator[Path]:
    """The folder that ``keys`` of the shot is a link to."""
    folder = tmp_path / "disk"
    write_png(folder / "0001.png", picture(1, seed=5))
    write_png(folder / "0001.mask.png", np.ones((HEIGHT, WIDTH, 4), np.float32))
    (shot.folder / "keys").symlink_to(folder)
    yield folder


@pytest.mark.parametrize("by", ["the add-on", "the .blend"])
def test_paint_replaces_the_link(shot: Any, part: Part, elsewhere: Path, by: str) -> None:
    images, masks = part("keyframes.images"), part("keyframes.masks")
    painting, mask = images.load(shot, 1), masks.load(shot, 1)
    assert images.keyframe_of(painting) == (shot.folder, 1)
    assert (masks.of_image(mask)[0].folder, masks.of_image(mask)[1]) == (shot.folder, 1)
    before = {path: path.read_bytes() for path in elsewhere.iterdir()}
    paint(painting, 1.0)
    paint(mask, 0.0)
    assert sorted(images.unsaved(shot)) == ["0001.mask.png", "0001.png"]
    if by == "the add-on":
        assert sorted(images.save_unsaved(shot)) == ["0001.mask.png", "0001.png"]
    else:
        bpy.ops.wm.save_mainfile()
    assert images.unsaved(shot) == []
    for path, code in ((shot.key_path(1), 255), (shot.key_mask_path(1), 0)):
        assert not path.is_symlink()
        assert (read_codes(path)[10:20, 10:40, :3] == code).all()
    assert {path: path.read_bytes() for path in elsewhere.iterdir()} == before
    assert images.load(shot, 1) == painting and masks.load(shot, 1) == mask


def test_live_finds_the_images_of_links(shot: Any, part: Part, elsewhere: Path) -> None:
    painting, mask = part("keyframes.images").load(shot, 1), part("keyframes.masks").load(shot, 1)
    found = part("live.canvases").KeyframeImages(shot)
    assert (found.paintings(), found.masks()) == ({1: painting}, {1: mask})


def test_a_copy_and_a_move_of_linked_paintings(shot: Any, part: Part, elsewhere: Path) -> None:
    images = part("keyframes.images")
    image = images.load(shot, 1)
    assert bpy.ops.paintover.keyframe_move(frame=1, onto=2) == {"FINISHED"}
    assert images.path_of(image) == shot.key_path(2)
    assert read_codes(shot.key_path(2)).tobytes() == read_codes(elsewhere / "mine.png").tobytes()
    paint(image, 1.0)
    assert images.save_unsaved(shot) == ["0002.png"]


def test_keyframes_in_a_linked_folder_are_known(shot: Any, part: Part, disk: Path) -> None:
    images, masks = part("keyframes.images"), part("keyframes.masks")
    painting, mask = images.load(shot, 1), masks.load(shot, 1)
    assert images.keyframe_of(painting) == (shot.folder, 1)
    assert masks.of_image(mask)[1] == 1
    assert part("keyframes.uv_wires")._shows_painting(painting)
    paint(painting, 1.0)
    assert images.save_unsaved(shot, keep_version=True) == ["0001.png"]
    assert (read_codes(disk / "0001.png")[10:20, 10:40, :3] == 255).all()
    versions = part("engine.shared.keyframes.versions").versions_of(shot, 1)
    shown = part("keyframes.version_images").load(shot, 1, versions[0])
    assert part("keyframes.version_images").of_image(shown)[1:] == (1, versions[0])


def test_what_another_program_saves_in_a_linked_folder_is_shown(
    shot: Any, part: Part, disk: Path
) -> None:
    images = part("keyframes.images")
    image = images.load(shot, 1)
    write_png(disk / "new.png", picture(1, seed=6))
    shutil.move(disk / "new.png", disk / "0001.png")
    os.utime(disk / "0001.png", ns=(1, 1))
    assert images.reload_changed(shot) == ["0001.png"]
    assert np.allclose(np.array(image.pixels), picture(1, seed=6).ravel(), atol=1e-3)
