# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage too large for the memory: computed in parts, with motion followed in a reduced size."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import moving_pictures as footage
import numpy as np
import pytest

from engine.guides.gaussians import MovingGaussians
from engine.images.pictures import read_picture, write_picture
from engine.images.window import Window
from engine.jobs.preview import preview
from engine.jobs.stylize import stylize
from engine.jobs.train import train
from engine.motion.optical_flow import motion_shape
from engine.motion.track_cache import TrackCache
from engine.projection.resampling import Located, Ranged, Resampler
from engine.shared import protocol
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.training.dataset import read_training_set
from engine.training.settings import default_guides

WIDTH, HEIGHT = 480, 275


@pytest.fixture
def shot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shot:
    monkeypatch.setattr(footage, "WIDTH", WIDTH)
    monkeypatch.setattr(footage, "HEIGHT", HEIGHT)
    monkeypatch.setattr(footage, "NOISE", 0.0)
    shot = footage.make_shot(tmp_path / "shot", 3)
    write_picture(shot.key_path(1), np.ascontiguousarray(footage.clean(1)[..., ::-1]))
    return shot


@pytest.fixture
def as_huge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Returns what lets these frames count as huge from then on."""

    def begin() -> None:
        monkeypatch.setattr("engine.images.window.LARGE", 1 << 14)
        monkeypatch.setattr("engine.images.window.HUGE", 1 << 16)
        monkeypatch.setattr("engine.images.window.BAND", 32 * WIDTH)
        monkeypatch.setattr("engine.motion.optical_flow.GRID", 1 << 15)

    yield begin


def test_positions_are_followed_in_a_reduced_size(shot, as_huge):
    exact = TrackCache(shot, 1, Silent()).track(3)
    as_huge()
    assert motion_shape(shot) == (92, 160)
    chain = TrackCache(shot, 1, Silent())
    band = Window(100, 0, 140, WIDTH, HEIGHT, WIDTH)
    found, right = chain.track(3, band), exact.cut(band)
    both = found.known() & right.known()
    assert both.mean() > 0.9
    off = np.abs(found.at - right.at)[both]
    assert off.mean() < 0.4
    rows, columns = np.mgrid[100:140, :WIDTH]
    own = chain.track(1, band)
    assert own.known().all()
    assert np.abs(own.at - np.stack([columns, rows], -1)).max() < 1e-3


def test_points_of_a_band_are_those_of_the_whole(shot):
    guide = MovingGaussians(shot, 1)
    frames = {
        window: Window.whole(HEIGHT, WIDTH) if window is None else window
        for window in (None, Window(96, 32, 160, 400, HEIGHT, WIDTH))
    }
    from engine.frames.frame import read_frame

    drawn = [guide.compute(read_frame(shot, 2, (), part=part)) for part in frames.values()]
    whole, part = drawn
    assert np.abs(whole[:, 96:160, 32:400] - part).max() < 1e-5


def test_packed_pictures_are_resampled_alike():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 256, (1100, 64, 3)).astype(np.float32) / 255
    fine = rng.random((1100, 64, 3)).astype(np.float32)
    x = rng.uniform(-0.2, 63.2, (40, 200)).astype(np.float32)
    y = rng.uniform(-0.2, 1099.2, (40, 200)).astype(np.float32)
    sampler = Resampler(np.ones((1100, 64), np.int32)).at(
        Located(x, y, np.ones(x.shape, bool), np.ones_like(x))
    )
    for picture in (codes, fine):
        packed = Ranged.packed(picture)
        assert packed.values.dtype == np.uint16
        assert np.abs(sampler.sample(packed) - sampler.sample(Ranged.of(picture))).max() < 1e-3


def test_a_preview_is_as_of_smaller_frames(shot, as_huge):
    request = protocol.Preview(1, str(shot.folder), style="first", frames=[1, 3])
    preview(request, Silent())
    as_huge()
    preview(dataclasses.replace(request, style="second"), Silent())
    for frame, limit in ((1, 1e-6), (3, 0.02)):
        first, second = (
            read_picture(shot.out_path(name, frame)).pixels for name in ("first", "second")
        )
        assert np.abs(first - second).mean() < limit


def test_examples_and_stylized_frames_are_as_of_smaller_frames(shot, as_huge):
    names = default_guides("small", shot)
    small = read_training_set(shot, [], names, 0, Silent()).examples[0]
    train(protocol.Train(1, str(shot.folder), steps=20, network="small", device="cpu"), Silent())
    request = protocol.Stylize(1, str(shot.folder), device="cpu", force=True)
    stylize(request, Silent())
    whole = [read_picture(shot.out_path("style", frame)).pixels for frame in shot.frames]
    as_huge()
    huge = read_training_set(shot, [], names, 0, Silent()).examples[0]
    for name in ("picture", "paint", "weight", "projections"):
        assert np.abs(getattr(small, name) - getattr(huge, name)).max() < 0.01, name
    assert small.guides.shape == huge.guides.shape
    stylize(request, Silent())
    for frame, before in zip(shot.frames, whole, strict=True):
        after = read_picture(shot.out_path("style", frame)).pixels
        limit = 1e-6 if frame == 1 else 0.04
        assert np.abs(after - before)[..., :3].mean() < limit
    request = protocol.Train(
        1, str(shot.folder), style="huge", steps=20, network="small", device="cpu"
    )
    assert train(request, Silent())["steps"] == 20
