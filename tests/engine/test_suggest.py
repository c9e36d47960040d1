# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frame to paint next: what paintings show of a shot, by the surface and along the motion."""

from __future__ import annotations

import dataclasses
import json
import shutil

import cv2
import numpy as np
import pytest
import shots
import synthetic
import turning_scene as scene

from engine.coverage import cuts
from engine.frames.frame import Frame, read_frame
from engine.frames.keyframe import read_keyframe
from engine.images.pictures import write_picture
from engine.jobs.suggest import suggest
from engine.motion.optical_flow import motion_between
from engine.projection.keyframe_projection import Projection
from engine.projection.surface_edges import SurfaceEdges
from engine.shared.coverage_records import Coverage, coverage_digest, read_coverage
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.keyframes.weights import set_weights
from engine.shared.protocol import Suggest
from engine.shared.reporter import Silent
from engine.shared.shot import Shot


def every_second(frame: int) -> int:
    return 2 * frame - 1


def ask(shot: Shot, *keys: int) -> Coverage:
    return suggest(Suggest(0, str(shot.folder), list(keys)), Silent())


@pytest.fixture(scope="module")
def turning_folder(tmp_path_factory):
    """Seven frames of the pillar with a surface pass, the first painted; not to be changed."""
    folder = tmp_path_factory.mktemp("turning") / "shot"
    shot = scene.make_shot(folder, frames=7, shown=every_second)
    scene.paint(shot, 1)
    return folder


@pytest.fixture
def turning(turning_folder, tmp_path) -> Shot:
    """A copy of it, to be changed."""
    shutil.copytree(turning_folder, tmp_path / "turning")
    return Shot.open(tmp_path / "turning")


def carried_share(shot: Shot, key: int, frame: int) -> float:
    """The share of a frame's surface that the projection carries from a keyframe, full size."""
    needs = ("surface", "object")
    projection = Projection(shot, [(read_keyframe(shot, key), read_frame(shot, key, needs))])
    to = read_frame(shot, frame, needs)
    (found,) = projection.project(to)
    counts = (to.object > 0) & np.isfinite(to.surface[..., 0]) & ~SurfaceEdges.of(to).mixed
    return float((found.valid | found.moved)[counts].mean())


@pytest.mark.parametrize("surface", [True, False])
def test_in_real_size_the_suggested_frame_adds_what_was_promised(tmp_path, surface):
    # Estimated motion cannot follow what turns by 30 degrees from frame to frame.
    step = 2 if surface else 1
    shot = scene.make_shot(
        tmp_path / "shot",
        *(480, 270),
        surface=surface,
        frames=12 // step + 1,
        shown=lambda frame: step * (frame - 1) + 1,
    )
    scene.paint(shot, 1)
    before = ask(shot)
    assert before.way == ("surface" if surface else "motion")
    best = before.suggestions[0]
    assert abs(step * (best.frame - 1) - 10) <= 2  # turned by 150 degrees
    assert best.gain > 0.2
    assert before.frames[best.frame] < 0.65
    if surface:
        assert before.frames[7] == pytest.approx(carried_share(shot, 1, 7), abs=0.02)
        assert before.frames[3] == pytest.approx(carried_share(shot, 1, 3), abs=0.02)
    scene.paint(shot, best.frame)
    near = 1e-3 if surface else 0.01
    after = ask(shot)
    assert after.keys == [1, best.frame]
    assert after.covered == pytest.approx(before.covered + best.gain, abs=near)
    assert after.frames[best.frame] == 1
    assert after.covered > 0.9
    assert not after.cuts


def test_on_pictures_what_turns_into_sight_slowly_is_new(tmp_path):
    """Of the last of 49 frames, turned by 180 degrees, frame 1 shows the wall and no pillar."""
    shot = scene.make_shot(
        tmp_path / "shot",
        *(240, 135),
        surface=False,
        frames=49,
        shown=lambda frame: 1 + (frame - 1) / 4,
    )
    first, last = ask(shot, 1), ask(shot, 49)
    for found, other in ((first, 49), (last, 1)):
        assert 0.4 < found.frames[other] < 0.65
        assert found.frames[25] < 0.85
        assert 0.5 < found.covered < 0.8
        assert found.next.gain > 0.15


def test_each_suggestion_counts_those_before_it(turning):
    first = ask(turning, 1)
    chosen = [one.frame for one in first.suggestions]
    assert len(set(chosen)) == len(chosen)
    together = ask(turning, 1, *chosen)
    whole = first.covered + sum(one.gain for one in first.suggestions)
    assert together.covered == pytest.approx(whole, abs=1e-3)
    gains = [one.gain for one in first.suggestions]
    assert gains == sorted(gains, reverse=True)


def test_nothing_is_found_twice_and_new_paintings_need_no_other_frame(turning):
    first = ask(turning)
    kept = turning.cache_folder("coverage") / "seen.safetensors"
    made = kept.stat().st_mtime_ns
    assert ask(turning) == first == read_coverage(turning)
    for frame in range(2, 7):
        turning.passes_path(frame).unlink()
    scene.paint(turning, 7)
    assert read_coverage(turning).made_from != coverage_digest(turning)
    second = ask(turning)
    assert second.covered > first.covered
    assert second.keys == [1, 7]
    assert kept.stat().st_mtime_ns == made


@pytest.mark.parametrize("spoil", [lambda data: data[:-9], lambda data: data[:-9] + b"123456789"])
def test_a_damaged_cache_is_made_anew(turning, spoil):
    first = ask(turning)
    kept = turning.cache_folder("coverage") / "seen.safetensors"
    kept.write_bytes(spoil(kept.read_bytes()))
    (turning.cache_folder("coverage") / "coverage.json").write_text("{}")
    assert ask(turning) == first


def test_masks_weights_and_blank_keyframes_count(turning):
    whole = ask(turning, 1)
    mask = np.zeros((90, 160, 1), np.float32)
    mask[:, :80] = 1
    shots.write_png(turning.key_mask_path(1), mask)
    half = ask(turning)
    assert 0.3 * whole.covered < half.covered < 0.75 * whole.covered
    assert half.frames[1] == pytest.approx(0.5, abs=0.03)
    set_weights(turning, {1: {1: 1.0, 4: 1.0, 5: 0.0}})
    faded = ask(turning)
    assert faded.frames[4] == half.frames[4]
    assert faded.frames[5] == faded.frames[7] == 0
    shutil.copy(turning.image_path(3), turning.key_path(3))
    waiting = ask(turning)
    assert waiting.keys == [1]
    assert waiting.covered == faded.covered
    assert (waiting.next.frame, waiting.next.is_keyframe) == (3, True)
    assert 3 not in [one.frame for one in waiting.suggestions[1:]]
    assert f"keyframe 3 will add {round(100 * waiting.next.gain)} %" in waiting.sentence()


def test_only_what_is_inside_the_matte_counts(turning):
    turning.manifest.matte = "matte"
    for frame in turning.frames:
        matte = np.zeros((90, 160, 1), np.float32)
        matte[:, 44:116] = 1  # the pillar alone, which turns away
        shots.write_png(turning.matte_path(frame), matte)
    turning.save()
    inside = ask(turning)
    assert inside.frames[7] < 0.1
    assert 0.2 < inside.frames[4] < 0.5
    for frame in turning.frames:
        shots.write_png(turning.matte_path(frame), np.zeros((90, 160, 1), np.float32))
    turning.key_path(1).unlink()
    with pytest.raises(PaintoverError, match="outside the matte"):
        ask(turning)


def test_without_a_painting_the_frame_that_shows_most_is_named(turning):
    turning.key_path(1).unlink()
    found = ask(turning)
    assert found.covered == 0
    assert set(found.frames.values()) == {0}
    assert found.sentence().startswith(f"Nothing is painted yet; frame {found.next.frame} shows")
    assert ask(turning, found.next.frame).covered == pytest.approx(found.next.gain, abs=1e-3)


@pytest.mark.parametrize("parts", [[1, 0.85, 0.7, 0.6, 0.5], [0.5, 0.6, 0.7, 0.85, 1]])
def test_on_pictures_a_camera_that_comes_nearer_or_goes_away_is_followed(tmp_path, parts):
    """A frame from afar shows what nearer ones show; a near one shows its part of the others."""
    big = scene.TEXTURES[0][:360, :480]
    shot = scene.make_shot(tmp_path / "shot", surface=False, frames=5)
    for frame, part in zip(shot.frames, parts, strict=True):
        write_picture(shot.image_path(frame), _zoomed(big, part))
    afar, near = (1, 5) if parts[0] == 1 else (5, 1)
    seen_afar, seen_near = ask(shot, afar), ask(shot, near)
    assert min(seen_afar.frames.values()) > 0.85
    assert seen_near.frames[afar] == pytest.approx(0.25, abs=0.1)
    assert seen_near.frames[3] == pytest.approx((0.5 / 0.7) ** 2, abs=0.12)
    assert seen_near.suggestions[0].frame == afar


def _zoomed(big: np.ndarray, part: float) -> np.ndarray:
    """The middle part of a picture, enlarged or reduced to 160×90."""
    height, width = int(270 * part), int(480 * part)
    top, left = (270 - height) // 2, (480 - width) // 2
    cut = big[top : top + height, left : left + width]
    small = cv2.resize(cut, (160, 90), interpolation=cv2.INTER_AREA)
    return np.dstack([small, np.ones((90, 160), np.float32)])


def test_cuts_are_found_and_flashes_are_none(tmp_path):
    """Frames 1 to 5 turn, then the camera shows something else; frame 8 is a flash."""
    shot = scene.make_shot(tmp_path / "shot", surface=False, frames=10)
    for frame in range(6, 11):
        picture, _ = scene.layers(frame, 160, 90)
        picture = np.ascontiguousarray(np.rot90(picture, 2))
        picture[..., :3] = picture[..., [1, 2, 0]]
        if frame == 8:
            picture[..., :3] = picture[..., :3] * 0.2 + 0.8
        write_picture(shot.image_path(frame), picture)
    scene.paint(shot, 1)
    found = ask(shot)
    assert found.cuts == [6]
    assert all(found.frames[frame] == 0 for frame in range(6, 11))
    assert found.next.frame >= 6
    assert "cuts at frame 6" in shots.run_warm("suggest", shot.folder).stdout


def test_fast_motion_is_no_cut(tmp_path):
    shot = scene.make_shot(tmp_path / "shot", surface=False, frames=4, shown=lambda f: 4 * f - 3)
    assert ask(shot, 1).cuts == []


def test_names_of_cameras_tell_cuts(turning):
    camera = synthetic.rotated_camera(0)
    for frame, record in turning.manifest.frames.items():
        record.camera = dataclasses.replace(camera, name="A" if frame < 4 else "B")
    turning.save()
    found = ask(turning)
    assert found.cuts == [4]
    assert found.frames[4] > 0.5  # the surface is known across the cut


def test_motion_that_leads_on_is_no_cut():
    frames = []
    for number, frame in enumerate((1, 2)):
        picture, _ = scene.layers(frame, 160, 90)
        frames.append(_frame(number, picture[..., :3]))
    assert cuts.leads_on(motion_between(*frames), frames[0].image, frames[1].image)
    other = _frame(1, np.ascontiguousarray(frames[1].image[::-1, ::-1]))
    assert not cuts.leads_on(motion_between(frames[0], other), frames[0].image, other.image)


def _frame(number: int, image: np.ndarray):
    image = np.ascontiguousarray(image, np.float32)
    return Frame(number, image, np.ones(image.shape[:2], np.float32))


def test_the_command_line_tells_it_and_writes_json(turning):
    text = shots.run_warm("suggest", turning.folder, "--progress", "none")
    assert text.returncode == 0, text.stderr
    first = text.stdout.splitlines()[0]
    found = json.loads(shots.run_warm("suggest", turning.folder, "--json").stdout)
    assert first == found["sentence"]
    assert first.startswith("Your paintings show ")
    assert found["frames"]["1"] == 1
    assert found["flicker"] == {} and found["unsteady"] == []
    both = json.loads(shots.run_warm("suggest", turning.folder, turning.folder, "--json").stdout)
    assert [one["result"]["covered"] for one in both] == [found["covered"]] * 2
    missing = shots.run_warm("suggest", turning.folder, "--keys", "1,99")
    shots.assert_one_sentence(missing, "no frame 99", "1-7")


def test_it_can_be_cancelled(turning):
    class Impatient(Silent):
        def cancelled(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        suggest(Suggest(0, str(turning.folder)), Impatient())
    assert read_coverage(turning) is None
