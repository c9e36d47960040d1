# SPDX-License-Identifier: GPL-3.0-or-later
"""Projection along the motion, on real files: rendered motion without surface, and footage."""

from __future__ import annotations

import shutil
from pathlib import Path

import moving_pictures as footage
import numpy as np
import pytest
import synthetic

from engine.frames.frame import read_frame
from engine.frames.keyframe import read_keyframe
from engine.guides.gaussians import MovingGaussians
from engine.images.pictures import write_picture
from engine.motion import frame_chain, frame_digests
from engine.motion.frame_chain import prepare_together
from engine.motion.optical_flow import NeighbourMotion, neighbour_motion
from engine.motion.track_cache import TrackCache
from engine.projection.keyframe_projection import Projection
from engine.shared.errors import Cancelled
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

FRAMES = 6


@pytest.fixture(scope="module")
def plain_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shot = footage.make_shot(tmp_path_factory.mktemp("plain") / "shot", FRAMES)
    for key in (1, FRAMES):
        painting = np.ascontiguousarray(footage.clean(key)[..., ::-1])
        write_picture(shot.folder / "keys" / f"{key:04d}.png", painting, 16)
    return shot.folder


@pytest.fixture
def plain(plain_folder: Path, tmp_path: Path) -> Shot:
    shutil.copytree(plain_folder, tmp_path / "shot")
    return Shot.open(tmp_path / "shot")


def projection(shot: Shot, *keys: int) -> Projection:
    pairs = [(read_keyframe(shot, key), read_frame(shot, key, Projection.needs)) for key in keys]
    return Projection(shot, pairs)


def test_rendered_motion_carries_paint_where_there_is_no_surface(tmp_path):
    cameras = dict.fromkeys((1, 2, 3), synthetic.rotated_camera(0))
    shot = synthetic.make_shot(tmp_path / "shot", cameras=cameras)
    synthetic.paint(shot, 1)
    del shot.manifest.passes["surface"]
    places = TrackCache(shot, 1, Silent()).track(3)
    known = places.known()
    left, top, right, bottom = synthetic.bounds(3)
    inner = (slice(top + 1, bottom - 1), slice(left + 1, right - 1))
    rows, columns = np.mgrid[inner]
    assert known[inner].all()
    assert np.abs(places.at[inner][..., 0] - (columns - 2 * synthetic.STEP_X)).max() < 1e-2
    assert np.abs(places.at[inner][..., 1] - (rows - 2 * synthetic.STEP_Y)).max() < 1e-2
    (a, b), (before, _) = synthetic.shares(3), synthetic.shares(1)
    assert not known[(b == 1) & (before == 1)].any()
    frame = read_frame(shot, 3, Projection.needs)
    found = projection(shot, 1).compute(frame)
    truth = synthetic.picture(3)[..., [1, 2, 0]]
    paint = found[:3].transpose(1, 2, 0) / 2 + 0.5
    still = (b == 1) & (before == 0) & (synthetic.shares(2)[0] == 0)
    for part in (a == 1, still):
        sure = part & (found[6] == 1)
        assert sure.sum() > 0.8 * part.sum()
        assert np.abs(paint - truth)[sure].max() < 0.02


@pytest.mark.parametrize("key", [1, FRAMES])
def test_footage_is_followed_both_ways(plain, key):
    shot, end = plain, FRAMES + 1 - key
    found = projection(shot, key).compute(read_frame(shot, end))
    valid = found[6] == 1
    inner = np.zeros_like(valid)
    inner[8:-8, 20:-20] = True
    assert valid[inner].mean() > 0.9
    truth = footage.clean(end)[..., ::-1]
    paint = found[:3].transpose(1, 2, 0) / 2 + 0.5
    assert np.abs(paint - truth)[valid & inner].mean() < 0.03
    assert (found[:6, ~valid] == 0).all()


def test_a_cut_is_not_trusted(plain):
    """The frames after it show something else, so nothing of the keyframe can be seen."""
    for frame in range(4, FRAMES + 1):
        other = np.ascontiguousarray(1 - footage.clean(frame)[::-1, ::-1])
        write_picture(plain.image_path(frame), other)
    guide = projection(plain, 1)
    assert guide.compute(read_frame(plain, 3))[6].mean() > 0.6
    assert guide.compute(read_frame(plain, 4))[6].mean() < 0.1


def test_the_keyframe_itself_is_carried_as_it_is(plain):
    paint = read_keyframe(plain, 1).paint
    found = projection(plain, 1, FRAMES).compute(read_frame(plain, 1))
    assert (found[6] == 1).all()
    assert np.abs(found[:3].transpose(1, 2, 0) / 2 + 0.5 - paint).max() < 1e-3


def test_a_keyframe_can_be_left_out_of_a_frame(plain):
    guide, frame = projection(plain, 1, FRAMES), read_frame(plain, 3)
    without = guide.carry(frame, {FRAMES: 0.0}).channels
    assert np.array_equal(without, projection(plain, 1).compute(frame))
    assert not np.array_equal(without, guide.compute(frame))


def test_nothing_outside_the_mask_is_carried(plain):
    mask = np.zeros((footage.HEIGHT, footage.WIDTH, 3), np.float32)
    mask[20:40, 20:60] = 1
    write_picture(plain.key_mask_path(1), mask)
    valid = projection(plain, 1).compute(read_frame(plain, 3))[6] == 1
    down, right = 2 * footage.STEP_Y, 2 * footage.STEP_X
    assert valid[22 + down : 38 + down, 22 + right : 58 + right].mean() > 0.95
    assert not valid[: 18 + down].any()
    assert not valid[:, : 18 + right].any()


def test_it_does_not_matter_which_frames_were_asked_for(plain, tmp_path):
    other = Shot.open(shutil.copytree(plain.folder, tmp_path / "other"))
    chain = TrackCache(plain, 2, Silent())
    in_order = {frame: chain.track(frame) for frame in plain.frames}
    for frame in (FRAMES, 1, 4):
        alone = TrackCache(other, 2, Silent()).track(frame)
        assert np.array_equal(alone.at, in_order[frame].at, equal_nan=True)
        assert np.array_equal(alone.presence, in_order[frame].presence)
        assert np.array_equal(alone.exact, in_order[frame].exact)


def test_kept_places_follow_the_frames(plain):
    before = TrackCache(plain, 1, Silent()).track(5).at
    folder = plain.cache_folder("tracks")
    kept = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    assert len(kept) == 4
    again = TrackCache(plain, 1, Silent()).track(5).at
    assert np.array_equal(again, before, equal_nan=True)
    assert kept == {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    write_picture(plain.image_path(4), footage.noisy(2))
    after = TrackCache(plain, 1, Silent()).track(5).at
    assert not np.array_equal(after, before, equal_nan=True)
    assert {path.name[:4] for path in kept if path.stat().st_mtime_ns != kept[path]} == {
        *("0004", "0005")
    }


def test_frames_on_the_way_are_read_once(plain, monkeypatch):
    monkeypatch.setattr(frame_digests, "YOUNG", -1.0)
    monkeypatch.setattr(frame_digests, "WORTH", 1)
    read, digest = [], Shot.frame_digest
    monkeypatch.setattr(Shot, "frame_digest", lambda shot, n: read.append(n) or digest(shot, n))

    def track():
        read.clear()
        return TrackCache(plain, 1, Silent()).track(FRAMES).at

    before = track()
    assert read == [1, *range(2, FRAMES + 1)]
    assert np.array_equal(track(), before, equal_nan=True)
    assert read == [1]
    write_picture(plain.image_path(4), footage.noisy(2))
    assert not np.array_equal(track(), before, equal_nan=True)
    assert read == [1, 4]
    noted = plain.cache_folder("digests") / "frames.json"
    noted.write_bytes(noted.read_bytes()[:-20])
    track()
    assert read == [1, *range(2, FRAMES + 1)]
    noted.unlink()
    noted.mkdir()  # what cannot be written is left
    track()
    assert read == [1, *range(2, FRAMES + 1)]


def test_damaged_cache_is_made_anew(plain):
    before = TrackCache(plain, 1, Silent()).track(3).at
    for path in plain.cache_folder("tracks").iterdir():
        path.write_bytes(path.read_bytes()[:80])
    again = TrackCache(plain, 1, Silent()).track(3).at
    assert np.array_equal(again, before, equal_nan=True)


def test_all_that_follows_the_motion_shares_it(plain, tmp_path, monkeypatch):
    other = Shot.open(shutil.copytree(plain.folder, tmp_path / "other"))
    looked = []

    def look(shot: Shot, frame: int, neighbour: int, shape: tuple[int, int]) -> NeighbourMotion:
        looked.append((neighbour, frame))
        return neighbour_motion(shot, frame, neighbour, shape)

    monkeypatch.setattr(frame_chain, "neighbour_motion", look)
    keys = (1, 2, 4, FRAMES)
    chains = [TrackCache(plain, key, Silent()) for key in keys]
    prepare_together(chains[:1], "train", [3])
    points = MovingGaussians(plain, 2)
    prepare_together([points.chain, *chains], "train", plain.frames)
    ways = [(frame, frame + 1) for frame in plain.frames[:-1]]
    assert sorted(looked) == sorted([*ways, (2, 3), *[(after, before) for before, after in ways]])
    for chain, key in zip(chains, keys, strict=True):
        for frame in plain.frames:
            alone = TrackCache(other, key, Silent()).track(frame)
            assert np.array_equal(chain.track(frame).at, alone.at, equal_nan=True)
    for frame in plain.frames:
        alone = MovingGaussians(other, 2).points(frame)
        assert np.array_equal(points.points(frame).places, alone.places)


def test_cancelled_on_the_way_goes_on_later(plain):
    class Impatient(Silent):
        asked = 0

        def cancelled(self) -> bool:
            self.asked += 1
            return self.asked > 2

    with pytest.raises(Cancelled):
        prepare_together([TrackCache(plain, 1, Impatient())], "train", [FRAMES])
    assert len([*plain.cache_folder("tracks").iterdir()]) == 2
    prepare_together([TrackCache(plain, 1, Silent())], "train", [FRAMES])
    assert len([*plain.cache_folder("tracks").iterdir()]) == FRAMES - 1
