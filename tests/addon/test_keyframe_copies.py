# SPDX-License-Identifier: GPL-3.0-or-later
"""A painting that is open twice in Blender, as in a copy of its image: no paint is lost."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from conftest import picture, read_codes, write_png
from keyframe_paint import paint

Part = Callable[[str], Any]


@pytest.fixture(params=(0, 1), ids=("first", "second"))
def opened(request: pytest.FixtureRequest, shot: Any, part: Part) -> tuple[Any, Any]:
    """Two images of one painting: the one that is painted on, and the other."""
    write_png(shot.key_path(1), picture(1, seed=3))
    image = part("keyframes.images").load(shot, 1)
    pair = image, image.copy()
    image.name, pair[1].name = "A", "B"
    paint(pair[request.param], 0.5)
    return pair[request.param], pair[1 - request.param]


def changed_outside(shot: Any) -> Any:
    write_png(shot.key_path(1), picture(1, seed=4))
    os.utime(shot.key_path(1), ns=(1, 1))
    return read_codes(shot.key_path(1))


def test_a_file_that_changed_outside_replaces_no_paint_of_its_other_image(
    shot: Any, opened: tuple[Any, Any], part: Part
) -> None:
    images, (painted, other) = part("keyframes.images"), opened
    outside = changed_outside(shot)
    assert images.reload_changed(shot) == []
    assert painted.is_dirty and not other.is_dirty
    assert images.changed_elsewhere(shot) == [shot.key_path(1)]
    assert images.save_unsaved(shot) == ["0001.png"]
    (version,) = (shot.folder / "keys" / "versions").iterdir()
    assert np.array_equal(read_codes(version), outside)
    assert abs(read_codes(shot.key_path(1))[15, 20, 0] - 128) <= 1


def test_the_paint_is_kept_where_the_file_is_used_instead(
    shot: Any, opened: tuple[Any, Any], part: Part
) -> None:
    images, (painted, _) = part("keyframes.images"), opened
    changed_outside(shot)
    name = images.use_file(shot, shot.key_path(1))
    assert not painted.is_dirty
    kept = read_codes(shot.folder / "keys" / "versions" / name)
    assert abs(kept[15, 20, 0] - 128) <= 1


def test_both_images_show_what_another_program_saved(shot: Any, part: Part) -> None:
    write_png(shot.key_path(1), picture(1, seed=3))
    images = part("keyframes.images")
    pair = images.load(shot, 1), images.load(shot, 1).copy()
    outside = changed_outside(shot) / 255
    assert images.reload_changed(shot) == ["0001.png"] * 2
    for image in pair:
        assert np.allclose(np.array(image.pixels[:4]), outside[0, 0], atol=1e-3)
