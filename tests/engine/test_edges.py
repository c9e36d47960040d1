# SPDX-License-Identifier: GPL-3.0-or-later
"""The guide ``edges``: silhouettes from both sides, creases, and nothing on slopes."""

import numpy as np
import pytest

from engine.frames.frame import Frame
from engine.guides.edges import Edges

SIZE = 24
EDGE = 12


@pytest.fixture
def frame() -> Frame:
    normal = np.zeros((SIZE, SIZE, 3), np.float32)
    normal[..., 2] = 1
    return Frame(
        number=1,
        image=np.zeros((SIZE, SIZE, 3), np.float32),
        alpha=np.ones((SIZE, SIZE), np.float32),
        depth=np.full((SIZE, SIZE), 5, np.float32),
        object=np.ones((SIZE, SIZE), np.int32),
        normal=normal,
    )


def test_a_jump_in_depth_is_told_from_both_sides(frame):
    frame.depth[:, EDGE:] = 8
    near, far, crease = Edges().compute(frame)
    assert near[:, EDGE - 1].min() > 0.9
    assert far[:, EDGE].min() > 0.9
    near[:, EDGE - 1] = far[:, EDGE] = 0
    assert not near.any()
    assert not far.any()
    assert not crease.any()


def test_a_slope_is_no_edge(frame):
    frame.depth[:] = np.linspace(2, 40, SIZE, dtype=np.float32)
    assert Edges().compute(frame)[:2].max() < 0.01


def test_the_background_lies_behind_everything(frame):
    frame.depth[:EDGE], frame.object[:EDGE] = np.inf, 0
    near, far, _ = Edges().compute(frame)
    assert near[EDGE].min() > 0.9
    assert far[EDGE - 1].min() > 0.9


def test_objects_at_one_depth_have_an_edge_between_them(frame):
    frame.object[:, EDGE:] = 2
    near, far, _ = Edges().compute(frame)
    assert (near + far)[:, EDGE - 1 : EDGE + 1].min() == 1
    assert not (near + far)[:, : EDGE - 1].any()


def test_a_crease_is_where_normals_turn(frame):
    frame.normal[:, EDGE:] = (1, 0, 0)
    near, far, crease = Edges().compute(frame)
    assert crease[:, EDGE - 1 : EDGE + 1].min() > 0.9
    assert not near.any()
    assert not far.any()


def test_an_empty_frame_has_no_edges(frame):
    frame.depth[:], frame.object[:], frame.normal[:] = np.inf, 0, 0
    assert not Edges().compute(frame).any()
