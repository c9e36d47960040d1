# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the alpha of painted frames comes from."""

from __future__ import annotations

import dataclasses

import numpy as np

from engine.frames.alpha import ALPHA_FRAME, ALPHA_LEARNT, ALPHA_OPAQUE, alpha_of, finish
from engine.frames.frame import Frame
from engine.frames.keyframe import Keyframe

SHAPE = (12, 16)
COLOURS = np.full((*SHAPE, 3), 0.5, np.float32)
SEEN = np.zeros(SHAPE, np.float32)
"""A thing with a soft edge in the left half, nothing in the right."""
SEEN[:, :6], SEEN[:, 6] = 1, 0.5


def pair(painted: np.ndarray) -> tuple[Keyframe, Frame]:
    """Return a painting with some alpha of that frame, as reading it without a mask gives it."""
    key = Keyframe(1, COLOURS, painted, (painted > 0) | (SEEN > 0))
    return key, Frame(1, COLOURS, SEEN)


def test_alpha_that_was_left_alone_is_the_frame_s():
    assert alpha_of([pair(SEEN)]) == ALPHA_FRAME
    assert alpha_of([pair(np.clip(SEEN - 1 / 255, 0, 1))]) == ALPHA_FRAME


def test_a_painting_that_covers_everything_is_opaque():
    assert alpha_of([pair(np.ones(SHAPE, np.float32))]) == ALPHA_OPAQUE


def test_a_painting_with_a_hard_edge_leaves_the_rest_empty():
    assert alpha_of([pair((SEEN > 0).astype(np.float32))]) == ALPHA_LEARNT


def test_only_the_mask_counts_if_a_file_says_so():
    key, frame = pair(np.ones(SHAPE, np.float32))
    left = np.zeros(SHAPE, bool)
    left[:, :6] = True
    inside = dataclasses.replace(key, mask=left, masked=True)
    assert alpha_of([(inside, frame)]) == ALPHA_FRAME
    assert np.array_equal(inside.alpha_mask, left)
    assert pair(SEEN)[0].alpha_mask.all()


def test_learnt_alpha_has_no_haze():
    offset = np.zeros(SHAPE, np.float32)
    offset[:4], offset[4:8], offset[8:] = 0.01, -0.01, -0.4
    alpha = finish(np.stack([*COLOURS.transpose(2, 0, 1), offset]), SEEN, ALPHA_LEARNT)[..., 3]
    assert np.array_equal(alpha[:8], SEEN[:8])
    assert np.allclose(alpha[8:], np.clip(SEEN[8:] - 0.4, 0, 1))
