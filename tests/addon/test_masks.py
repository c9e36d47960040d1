# SPDX-License-Identifier: GPL-3.0-or-later
"""Masks that are painted in Blender: white at first, saved by training, kept when removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import HEIGHT, WIDTH, engine_runs, picture, read_codes, write_png

Part = Callable[[str], Any]
operators: Any = bpy.ops.paintover


@pytest.fixture
def painted(shot: Any) -> Any:
    operators.keyframe_add(frame=2)
    write_png(shot.key_path(2), picture(2, seed=5))
    return shot


def paint_black(image: Any, columns: int) -> None:
    """Paint the left columns of a mask black."""
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    pixels.reshape(image.size[1], image.size[0], 4)[:, :columns, :3] = 0
    image.pixels.foreach_set(pixels)
    image.update()


def test_a_new_mask_is_white_and_what_is_painted_on_it_is_saved(painted: Any, part: Part) -> None:
    path = painted.key_mask_path(2)
    assert operators.mask_paint(frame=2) == {"FINISHED"}
    assert read_codes(path).shape == (HEIGHT, WIDTH, 4) and (read_codes(path) == 255).all()
    image = part("keyframes.images").find_image(path)
    assert image.name == "Mask 2" and not image.is_dirty
    paint_black(image, WIDTH // 2)
    assert part("keyframes.images").unsaved(painted) == ["0002.mask.png"]
    assert part("states").look(bpy.context.scene).keyframes == {2: "Not saved yet"}
    part("keyframes.images").save_unsaved(painted)
    codes = read_codes(path)[..., 0]
    assert (codes[:, : WIDTH // 2] == 0).all() and (codes[:, WIDTH // 2 :] == 255).all()
    operators.mask_paint(frame=2)  # opens what is there
    assert (read_codes(path)[..., 0] == codes).all()
    assert part("states").look(bpy.context.scene).masked == (2,)


def test_a_removed_mask_is_kept_with_its_last_strokes(painted: Any, part: Part) -> None:
    operators.mask_paint(frame=2)
    paint_black(part("keyframes.images").find_image(painted.key_mask_path(2)), 5)
    assert operators.mask_remove(frame=2) == {"FINISHED"}
    assert not painted.key_mask_path(2).exists()
    (kept,) = painted.folder.glob("keys/versions/*mask*")
    assert (read_codes(kept)[:, :5, 0] == 0).all() and (read_codes(kept)[:, 5:, 0] == 255).all()
    assert part("keyframes.images").find_image(painted.key_mask_path(2)) is None
    with pytest.raises(RuntimeError, match="Frame 2 has no mask; all of its painting is learnt"):
        operators.mask_remove(frame=2)


def test_a_mask_needs_a_keyframe_and_a_file_that_can_be_read(painted: Any) -> None:
    with pytest.raises(RuntimeError, match="Frame 1 is not a keyframe; add it first"):
        operators.mask_paint(frame=1)
    assert not painted.key_mask_path(1).exists()
    painted.key_mask_path(2).write_bytes(b"no picture")
    with pytest.raises(RuntimeError, match=r"0002\.mask\.png"):
        operators.mask_paint(frame=2)
    assert painted.key_mask_path(2).read_bytes() == b"no picture"


def test_images_of_masks_are_known(painted: Any, part: Part) -> None:
    masks, images = part("keyframes.masks"), part("keyframes.images")
    operators.mask_paint(frame=2)
    found = masks.of_image(images.find_image(painted.key_mask_path(2)))
    assert found is not None and (found[0].folder, found[1]) == (painted.folder, 2)
    assert masks.of_image(images.find_image(painted.key_path(2))) is None
    assert masks.of_image(None) is None


@pytest.mark.skipif(not engine_runs(), reason="the engine's packages are not installed")
def test_training_learns_the_white_part(painted: Any, part: Part) -> None:
    header = part("engine.shared.style_header").read_style_header
    operators.mask_paint(frame=2)
    paint_black(part("keyframes.images").find_image(painted.key_mask_path(2)), WIDTH)
    with pytest.raises(RuntimeError, match="paint white what should be learnt"):
        operators.train(seconds=1)
    operators.mask_remove(frame=2)
    operators.mask_paint(frame=2)
    paint_black(part("keyframes.images").find_image(painted.key_mask_path(2)), WIDTH // 2)
    assert operators.train(seconds=1) == {"FINISHED"}
    assert list(header(painted.style_path("style")).trained_on) == [2]
