# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import shutil
from pathlib import Path

import moving_pictures as footage
import numpy as np
import pytest
import synthetic
from scipy.spatial import cKDTree

from engine.frames.frame import read_frame
from engine.guides.gaussians import FADE, MovingGaussians, Points, draw, move, scatter
from engine.images.pictures import write_picture
from engine.images.window import Window
from engine.motion.frame_chain import prepare_together
from engine.shared.errors import Cancelled
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

SHAPE = (footage.HEIGHT, footage.WIDTH)


@pytest.fixture(scope="module")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return footage.make_shot(tmp_path_factory.mktemp("plain") / "shot").folder


@pytest.fixture
def plain(plain_folder: Path, tmp_path: Path) -> Shot:
    shutil.copytree(plain_folder, tmp_path / "shot")
    return Shot.open(tmp_path / "shot")


def computed(guide: MovingGaussians, shot: Shot, frame: int) -> np.ndarray:
    return guide.compute(read_frame(shot, frame, guide.needs))


def test_points_are_apart_and_leave_no_room():
    allowed = np.ones((60, 90), bool)
    allowed[:, 40:] = False
    points = scatter(allowed, 10, 3)
    assert points[:, 0].max() < 40
    tree = cKDTree(points)
    assert tree.query(points, 2)[0][:, 1].min() >= 10
    ys, xs = np.nonzero(allowed)
    assert tree.query(np.stack([xs, ys], 1))[0].max() < 10
    assert np.array_equal(points, scatter(allowed, 10, 3))
    assert not np.array_equal(points, scatter(allowed, 10, 4))


def test_contrast_is_even_however_dense_and_zero_far_away():
    ages = np.full(400, FADE, np.int32)
    rng = np.random.default_rng(0)
    places = rng.uniform((0, 0), (79, 79), (400, 2)).astype(np.float32)
    colours = rng.uniform(-1, 1, (400, 3)).astype(np.float32)
    many = draw(Points(places, colours, ages), Window.whole(80, 300), 10)
    assert 0.4 < many[:, :, :80].std() < 0.75
    assert np.abs(many).max() <= 1
    assert np.abs(many[:, :, 200:]).max() < 1e-3
    one = draw(Points(places[:1] * 0 + 40, colours[:1], ages[:1]), Window.whole(80, 80), 10)
    assert np.allclose(one[:, 40, 40], colours[0], atol=0.05)


def test_points_move_and_end_where_hidden_or_outside():
    places = np.array([[10, 10], [30, 10], [38.5, 20]], np.float32)
    points = Points(places, np.eye(3, dtype=np.float32), np.zeros(3, np.int32))
    offsets = np.full((40, 40, 2), (1.25, -2), np.float32)
    hidden = np.zeros((40, 40), bool)
    hidden[8:12, 28:32] = True
    moved = move(points, offsets, hidden)
    assert np.allclose(moved.places, [[11.25, 8]])
    assert np.array_equal(moved.colours, [[1, 0, 0]])
    assert moved.ages.tolist() == [1]


def test_colours_move_with_the_picture(plain: Shot):
    guide = MovingGaussians(plain, 2)
    first, later = (computed(guide, plain, frame) for frame in (2, 6))
    assert first.shape == (3, *SHAPE)
    assert first.std() > 0.3
    down, right = 4 * footage.STEP_Y, 4 * footage.STEP_X
    here = first[:, 20 : -20 - down, 20 : -20 - right]
    there = later[:, 20 + down : -20, 20 + right : -20]
    assert np.corrcoef(here.ravel(), there.ravel())[0, 1] > 0.99
    still = later[:, 20 : -20 - down, 20 : -20 - right]
    assert np.corrcoef(here.ravel(), still.ravel())[0, 1] < 0.9


def test_what_comes_into_view_is_filled(plain: Shot):
    guide = MovingGaussians(plain, 1)
    points = guide.points(7)
    ys, xs = np.mgrid[: SHAPE[0], : SHAPE[1]]
    distances, _ = cKDTree(points.places).query(np.stack([xs.ravel(), ys.ravel()], 1))
    assert distances.max() <= 16
    assert (points.ages < FADE).any()


def test_order_does_not_matter(plain: Shot, tmp_path: Path):
    other = Shot.open(shutil.copytree(plain.folder, tmp_path / "other"))
    guide = MovingGaussians(plain, 4)
    in_order = {frame: computed(guide, plain, frame) for frame in plain.frames}
    for frame in (7, 1, 5, 4):
        alone = computed(MovingGaussians(other, 4), other, frame)
        assert np.array_equal(alone, in_order[frame])


def test_kept_results_follow_the_frames(plain: Shot):
    guide = MovingGaussians(plain, 1)
    before = computed(guide, plain, 6)
    kept = {path: path.stat().st_mtime_ns for path in plain.cache_folder("gaussians").iterdir()}
    assert len(kept) == 6
    assert np.array_equal(computed(MovingGaussians(plain, 1), plain, 6), before)
    assert kept == {path: path.stat().st_mtime_ns for path in kept}
    write_picture(plain.image_path(5), footage.noisy(2))
    assert not np.array_equal(computed(MovingGaussians(plain, 1), plain, 6), before)
    changed = {path.name[:4] for path in kept if path.stat().st_mtime_ns != kept[path]}
    assert changed == {"0005", "0006"}


def test_damaged_cache_is_made_anew(plain: Shot):
    before = computed(MovingGaussians(plain, 1), plain, 3)
    for path in plain.cache_folder("gaussians").iterdir():
        path.write_bytes(path.read_bytes()[:50])
    assert np.array_equal(computed(MovingGaussians(plain, 1), plain, 3), before)


def test_exact_motion_carries_the_points(rendered_shot: Shot):
    points = [MovingGaussians(rendered_shot, 1).points(frame).places for frame in (1, 3)]
    left, top, right, bottom = synthetic.bounds(1)
    inside = (points[0] > (left + 2, top + 2)).all(1) & (points[0] < (right - 3, bottom - 3)).all(1)
    assert inside.sum() >= 3
    step = (2 * synthetic.STEP_X, 2 * synthetic.STEP_Y)
    nearest, _ = cKDTree(points[1]).query(points[0][inside] + step)
    assert nearest.max() < 1e-3


def test_cancelled_on_the_way_goes_on_later(plain: Shot):
    class Impatient(Silent):
        asked = 0

        def cancelled(self) -> bool:
            self.asked += 1
            return self.asked > 3

    with pytest.raises(Cancelled):
        prepare_together([MovingGaussians(plain, 1, report=Impatient()).chain], "train", [7])
    assert len([*plain.cache_folder("gaussians").iterdir()]) == 3
    prepare_together([MovingGaussians(plain, 1).chain], "train", [7])
    assert len([*plain.cache_folder("gaussians").iterdir()]) == 7
