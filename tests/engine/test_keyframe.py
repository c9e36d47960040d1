# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes: paintings, masks, and the sentences for what is wrong with them."""

from __future__ import annotations

import re
import shutil

import numpy as np
import pytest
import synthetic
from synthetic import HEIGHT, WIDTH

from engine.frames.keyframe import read_keyframe, read_keyframes
from engine.images.pictures import read_picture, write_picture
from engine.shared.errors import PaintoverError
from engine.shared.shot import Shot


def test_a_painting_is_read_as_it_is(painted_shot):
    key = read_keyframe(painted_shot, 2)
    wanted = synthetic.picture(2)[..., [1, 2, 0, 3]]
    assert key.frame == 2
    assert np.abs(key.paint - wanted[..., :3]).max() <= 0.5 / 255 + 1e-6
    assert np.array_equal(key.mask, wanted[..., 3] > 0)
    assert np.array_equal(key.alpha == 1, wanted[..., 3] == 1)


def test_the_mask_covers_what_frame_or_painting_shows(rendered_shot):
    pixels = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    pixels[:5, :5] = 1
    write_picture(rendered_shot.key_path(1), pixels)
    mask = read_keyframe(rendered_shot, 1).mask
    assert mask[:5, :5].all()
    assert np.array_equal(mask[6:], (synthetic.picture(1)[..., 3] > 0)[6:])


def test_a_painting_without_alpha_covers_everything(rendered_shot):
    synthetic.paint(rendered_shot, 1, alpha=False)
    key = read_keyframe(rendered_shot, 1)
    assert key.mask.all()
    assert (key.alpha == 1).all()


def test_the_white_part_of_a_mask_file_counts(painted_shot):
    codes = np.zeros((HEIGHT, WIDTH), np.uint8)
    codes[10:20, 30:50] = 255
    codes[30:40] = 100
    synthetic.write_png(painted_shot.key_mask_path(2), codes)
    assert np.array_equal(read_keyframe(painted_shot, 2).mask, codes == 255)


def test_exr_is_read_before_png(painted_shot):
    write_picture(
        painted_shot.folder / "keys" / "0002.exr", np.full((HEIGHT, WIDTH, 3), 0.5, np.float32)
    )
    assert np.allclose(read_keyframe(painted_shot, 2).paint, 0.5, atol=1e-3)


def test_all_painted_keyframes_are_read_in_order(rendered_shot):
    for frame in (3, 1):
        synthetic.paint(rendered_shot, frame)
    shutil.copyfile(rendered_shot.image_path(2), rendered_shot.key_path(2))
    assert rendered_shot.painted_keys() == [1, 3]
    assert [key.frame for key in read_keyframes(rendered_shot)] == [1, 3]
    assert [key.frame for key in read_keyframes(rendered_shot, [3])] == [3]
    rendered_shot.manifest.removed_keys = [1]
    assert [key.frame for key in read_keyframes(rendered_shot)] == [3]


def sentence(shot, *wanted: int) -> str:
    with pytest.raises(PaintoverError) as caught:
        read_keyframes(shot, wanted)
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def test_no_keyframe(rendered_shot):
    assert "no keyframe yet" in sentence(rendered_shot)
    assert re.search(r"Frame 1 has no painting .*0001\.png", sentence(rendered_shot, 1))


def test_not_painted_yet(rendered_shot):
    rendered_shot.key_path(2).parent.mkdir()
    shutil.copyfile(rendered_shot.image_path(2), rendered_shot.key_path(2))
    for wanted in ((), (2,)):
        assert re.search(r"0002\.png is not painted yet", sentence(rendered_shot, *wanted))


def test_outside_the_shot(rendered_shot):
    synthetic.paint(rendered_shot, 9)
    assert "0009.png is not used: the shot has no frame 9" in sentence(rendered_shot)
    text = sentence(rendered_shot, 9)
    assert "0009.png is outside the shot" in text
    assert "1-3" in text
    synthetic.paint(rendered_shot, 2)
    assert [key.frame for key in read_keyframes(rendered_shot)] == [2]


@pytest.mark.parametrize(
    ("size", "words"),
    [((HEIGHT * 2, WIDTH * 2), "scale it"), ((HEIGHT, WIDTH - 1), "aspect differs")],
)
def test_wrong_size(rendered_shot, size, words):
    write_picture(rendered_shot.key_path(1), np.zeros((*size, 3), np.float32))
    text = sentence(rendered_shot)
    assert f"0001.png is {size[1]}×{size[0]}, but the frame is {WIDTH}×{HEIGHT}" in text
    assert words in text


def test_wrong_mask_size(painted_shot):
    synthetic.write_png(painted_shot.key_mask_path(2), np.full((9, 9), 255, np.uint8))
    assert "0002.mask.png is 9×9" in sentence(painted_shot)


@pytest.mark.parametrize("value", [0, 100])
def test_black_mask(painted_shot, value):
    synthetic.write_png(painted_shot.key_mask_path(2), np.full((HEIGHT, WIDTH), value, np.uint8))
    assert "0002.mask.png is empty (all black)" in sentence(painted_shot)


def test_empty_painting_of_an_empty_frame(rendered_shot):
    empty = np.zeros((HEIGHT, WIDTH, 4), np.float32)
    write_picture(rendered_shot.image_path(1), empty)
    empty[..., :3] = 0.5
    write_picture(rendered_shot.key_path(1), empty)
    assert "0001.png is empty (fully transparent)" in sentence(rendered_shot)


def test_damaged_painting_and_mask(painted_shot):
    painting = painted_shot.key_path(2)
    whole = painting.read_bytes()
    painting.write_bytes(whole[: len(whole) // 2])
    assert "0002.png is damaged or cut short" in sentence(painted_shot)
    painting.write_bytes(whole)
    painted_shot.key_mask_path(2).write_bytes(whole[: len(whole) // 2])
    assert "0002.mask.png is damaged or cut short" in sentence(painted_shot)


def test_a_painting_with_the_pixels_of_its_frame_is_not_painted(painted_shot):
    synthetic.paint(painted_shot, 1)
    frame = read_picture(painted_shot.image_path(2))
    for bits in (8, 16):
        write_picture(painted_shot.key_path(2), frame.pixels, bits)
        assert painted_shot.key_is_painted(2) == (bits == 16)
        with pytest.raises(PaintoverError, match=r"0002\.png is not painted yet"):
            read_keyframes(painted_shot, [2])
    assert 2 not in [keyframe.frame for keyframe in read_keyframes(painted_shot)]
    assert not Shot.open(painted_shot.folder).key_is_painted(2)
    synthetic.paint(painted_shot, 2)
    assert 2 in [keyframe.frame for keyframe in read_keyframes(painted_shot)]
