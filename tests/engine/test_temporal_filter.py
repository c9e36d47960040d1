# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import moving_pictures as footage
import numpy as np
import pytest
import shots
import synthetic

from engine.frames.frame import read_frame
from engine.images.pictures import write_picture
from engine.motion.temporal_filter import FilterSettings, TemporalFilter
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

SMALL = FilterSettings(radius=3)


@pytest.fixture
def plain(tmp_path: Path) -> Shot:
    return footage.make_shot(tmp_path / "shot")


def wrong(picture: np.ndarray, frame: int) -> float:
    """Mean |difference| to the clean picture, away from the border."""
    return float(np.abs(picture - footage.clean(frame))[8:-8, 12:-12].mean())


def test_noise_goes_and_drawing_stays(plain: Shot):
    before = wrong(read_frame(plain, 4, ()).image, 4)
    filtered = TemporalFilter(plain, SMALL).picture(4)
    assert filtered.shape == (footage.HEIGHT, footage.WIDTH, 3)
    assert wrong(filtered, 4) < 0.7 * before
    blurred = (footage.clean(3) + footage.clean(4) + footage.clean(5)) / 3
    assert wrong(filtered, 4) < 0.6 * wrong(blurred, 4)


def test_a_colour_that_shows_but_once_stays(plain: Shot):
    spotted = footage.noisy(4)
    spotted[30:40, 40:50] = (1, 0, 0)
    write_picture(plain.image_path(4), spotted)
    filtered = TemporalFilter(plain, SMALL).picture(4)
    assert np.allclose(filtered[32:38, 42:48], (1, 0, 0), atol=0.05)


def test_order_does_not_matter_and_results_are_kept(plain: Shot, tmp_path: Path):
    other = footage.make_shot(tmp_path / "other")
    forwards, backwards = TemporalFilter(plain, SMALL), TemporalFilter(other, SMALL)
    first = {frame: forwards.picture(frame) for frame in plain.frames}
    second = {frame: backwards.picture(frame) for frame in reversed(plain.frames)}
    for frame in plain.frames:
        assert np.array_equal(first[frame], second[frame])
    folder = plain.cache_folder("filter")
    kept = {path: path.stat().st_mtime_ns for path in folder.glob("*.png")}
    assert len(kept) == 7
    assert np.array_equal(TemporalFilter(plain, SMALL).picture(5), first[5])
    assert kept == {path: path.stat().st_mtime_ns for path in kept}


def test_only_what_saw_a_changed_frame_is_made_anew(plain: Shot):
    for frame in (1, 5):
        TemporalFilter(plain, SMALL).picture(frame)
    write_picture(plain.image_path(7), footage.noisy(1))
    before = {path.name for path in plain.cache_folder("filter").glob("*.png")}
    for frame in (1, 5):
        TemporalFilter(plain, SMALL).picture(frame)
    after = {path.name for path in plain.cache_folder("filter").glob("*.png")}
    assert len(after) == 2
    assert {name[:4] for name in after - before} == {"0005"}


def test_scratch_files_are_few_and_go_away(plain: Shot):
    work = TemporalFilter(plain, FilterSettings(radius=1))
    for frame in plain.frames:
        work.picture(frame)
    scratch = list(plain.cache_folder("filter").glob("*scratch*/"))
    assert len(scratch) == 1
    assert len(list(scratch[0].iterdir())) <= 2 * 3 + 4
    del work
    assert not scratch[0].exists()


def test_exact_motion_is_followed_and_hidden_places_are_left_out(rendered_shot: Shot):
    """A moves before B; neither may leave a trace in the other."""
    filtered = TemporalFilter(rendered_shot, FilterSettings(radius=2, colour=10)).picture(2)
    a, b = synthetic.shares(2)
    image = read_frame(rendered_shot, 2, ()).image
    left, top, right, bottom = synthetic.bounds(2)
    inner = np.zeros_like(a, bool)
    inner[top + 3 : bottom - 3, left + 3 : right - 3] = True
    assert np.abs(filtered - image)[inner].max() < 0.02
    never = (synthetic.shares(1)[1] == 1) & (b == 1) & (synthetic.shares(3)[1] == 1)
    assert np.abs(filtered - image)[never].max() < 0.02


def test_what_nobody_sees_has_no_influence(tmp_path: Path):
    shot = shots.make_shot(tmp_path / "shot")
    filtered = TemporalFilter(shot, FilterSettings(radius=2, colour=10)).picture(2)
    frame = read_frame(shot, 2, ())
    inside = np.roll(frame.alpha, 3, 1) * np.roll(frame.alpha, -3, 1) > 0
    assert filtered[inside].min() >= frame.image[inside].min() - 0.05
    assert np.abs(filtered - frame.image)[inside].mean() < 0.02


def test_a_missing_neighbour_is_told(plain: Shot):
    plain.image_path(6).unlink()
    TemporalFilter(plain, SMALL).picture(2)
    with pytest.raises(PaintoverError, match=r"Frame 6 is missing"):
        TemporalFilter(plain, SMALL).picture(4)


def test_it_can_be_cancelled(plain: Shot):
    class Stopped(Silent):
        def cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        TemporalFilter(plain, SMALL, Stopped()).picture(4)
    assert not list(plain.cache_folder("filter").glob("*.png"))
