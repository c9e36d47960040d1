# SPDX-License-Identifier: GPL-3.0-or-later
"""Surface projection on surfaces whose every correspondence is known."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
import synthetic

from engine.frames.frame import Frame, read_frame
from engine.frames.keyframe import read_keyframe
from engine.guides import registry as guides
from engine.projection import resampling
from engine.projection.blending import blend, time_weights
from engine.projection.channels import PROJECTION_CHANNELS
from engine.projection.keyframe_projection import Projection
from engine.projection.resampling import Ranged
from engine.projection.surface_edges import edge_distance, mixed
from engine.projection.surface_index import SurfaceIndex
from engine.projection.surface_projector import SurfaceProjector

HEIGHT, WIDTH = 48, 64


NONE_MIXED = np.zeros((HEIGHT, WIDTH), bool)


def plane(shift_x: float = 0.0, shift_y: float = 0.0, scale: float = 1.0, depth: float = 0.0):
    """Surface coordinates of a plane that has moved right and down by so many pixels."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    u, v = (x - shift_x) * scale, (y - shift_y) * scale
    return np.stack([u * 0.05, v * 0.05, np.full_like(u, depth)], -1)


def ball(turn: float):
    """Surface coordinates and ids of a ball of radius 20 pixels, turned about the vertical."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    x, y = (x - WIDTH / 2) / 20, (y - HEIGHT / 2) / 20
    inside = x * x + y * y < 1
    z = np.sqrt(np.where(inside, 1 - x * x - y * y, 0))
    points = np.stack([x * np.cos(turn) - z * np.sin(turn), y, x * np.sin(turn) + z * np.cos(turn)])
    surface = np.where(inside, points, np.nan).transpose(1, 2, 0).astype(np.float32)
    return surface, inside.astype(np.int32)


def texture(surface: np.ndarray) -> np.ndarray:
    """Smooth colours of surface points, 0..1."""
    found = 0.5 + 0.5 * np.sin(np.nan_to_num(surface) * [9, 7, 5] + [0, 1, 2])
    return found.astype(np.float32)


def ones(value: int = 1) -> np.ndarray:
    return np.full((HEIGHT, WIDTH), value, np.int32)


def projector(surface, objects, paint=None, image=None, mask=None) -> SurfaceProjector:
    paint = texture(surface) if paint is None else paint
    image = paint if image is None else image
    return SurfaceProjector(surface, objects, paint, image, objects > -9 if mask is None else mask)


def showing(surface: np.ndarray, objects: np.ndarray) -> Frame:
    """A frame that shows a surface."""
    image, alpha = np.zeros((HEIGHT, WIDTH, 3), np.float32), np.ones((HEIGHT, WIDTH), np.float32)
    return Frame(2, image, alpha, surface=surface, object=objects)


def test_a_keyframe_onto_itself_is_the_identity():
    surface, objects = ball(0.3)
    paint = np.random.default_rng(0).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    found = projector(surface, objects, paint).project(showing(surface, objects))
    assert found.valid.sum() > 0.85 * (objects > 0).sum()
    assert np.abs(found.paint - paint)[found.valid].max() < 1e-6


def test_positions_between_pixels_are_found():
    located = SurfaceIndex(plane(), ones()).locate(plane(5.3, -2.6), ones(), NONE_MIXED)
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    inside = (x >= 6) & (x < WIDTH - 1) & (y >= 1) & (y < HEIGHT - 4)
    assert located.valid[inside].all()
    assert np.abs(located.x - (x - 5.3))[inside].max() < 1e-3
    assert np.abs(located.y - (y + 2.6))[inside].max() < 1e-3
    assert not located.valid[:, :4].any()


def test_paint_between_pixels_stays_sharp():
    found = projector(plane(), ones()).project(showing(plane(5.5, 0.5), ones()))
    truth = texture(plane(5.5, 0.5))
    inner = (slice(4, -4), slice(9, -4))
    assert found.valid[inner].all()
    assert np.abs(found.paint - truth)[inner].max() < 0.01
    blurred = (truth[inner] + np.roll(truth, 1, 1)[inner]) / 2
    assert np.abs(found.paint[inner] - truth[inner]).mean() < np.abs(blurred - truth[inner]).mean()


def test_a_surface_that_turns_away_is_not_valid():
    surface, objects = ball(0.0)
    turned, _ = ball(0.8)
    found = projector(surface, objects).project(showing(turned, objects))
    seen = turned[..., 2] > 0.75
    hidden = turned[..., 2] < -0.05
    inside = objects > 0
    distance = edge_distance(turned, objects)
    assert found.valid[inside & seen & (distance > 4)].mean() > 0.95
    assert not found.valid[inside & hidden].any()
    assert np.abs(found.paint - texture(turned))[found.valid].mean() < 0.01


def test_other_objects_and_unknown_surface_are_not_valid():
    key = projector(plane(), ones(1))
    assert not key.project(showing(plane(), ones(2))).valid.any()
    assert not key.project(showing(plane(), ones(0))).valid.any()
    assert not key.project(showing(plane(), ones(-1))).valid.any()
    unknown = np.full((HEIGHT, WIDTH, 3), np.nan, np.float32)
    assert not key.project(showing(unknown, ones())).valid.any()
    assert not projector(plane(), ones(0)).project(showing(plane(), ones(1))).valid.any()


@pytest.mark.parametrize("wrong", [50.0, 1e25, np.inf])
def test_no_surface_is_too_wild(wrong):
    """Objects of a pixel each, up to the picture's corners, and impossible coordinates."""
    surface, objects = plane(), ones()
    objects[:9, :9] = np.arange(2, 83).reshape(9, 9)
    surface[30, 30] = wrong
    with np.errstate(over="raise", divide="raise", invalid="raise"):
        found = projector(surface, objects).project(showing(surface, objects))
    assert found.valid[12:28, 12:].all()
    assert not found.valid[30, 30]


def test_beginning_near_neighbours_finds_what_a_whole_search_finds(monkeypatch):
    surface, objects = ball(0)
    objects[:, 40:] *= 3
    index = SurfaceIndex(surface, objects)
    turned, others = ball(0.5)
    others[:, 36:] *= 3
    near = index.locate(turned, others, mixed(turned, others))
    monkeypatch.setattr("engine.projection.surface_index.STRIDES", (1,))
    searched = index.locate(turned, others, mixed(turned, others))
    assert searched.valid.sum() > 500
    assert (near.valid != searched.valid).sum() <= 2
    both = near.valid & searched.valid
    for one, other in ((near.x, searched.x), (near.y, searched.y)):
        assert np.abs(one - other)[both].max() < 0.25
        assert np.abs(one - other)[both].mean() < 0.01


def test_a_quarter_of_the_pixels_finds_what_all_find(monkeypatch):
    surface, objects = ball(0)
    turned, others = ball(0.5)
    found = []
    for whole in (objects.size, 0):
        monkeypatch.setattr("engine.projection.surface_index.WHOLE", whole)
        found.append(SurfaceIndex(surface, objects).locate(turned, others, NONE_MIXED))
    every, some = found
    assert every.valid.sum() > 500
    assert (every.valid != some.valid).sum() <= 2
    both = every.valid & some.valid
    for one, other in ((every.x, some.x), (every.y, some.y)):
        assert np.abs(one - other)[both].max() < 0.25
        assert np.abs(one - other)[both].mean() < 0.01


def test_positions_in_a_large_keyframe_are_found():
    y, x = np.mgrid[:720, :1280].astype(np.float32)
    surface, objects = np.dstack([x, y, np.sin(x / 80)]), np.ones((720, 1280), np.int32)
    moved = np.dstack([x + 5.3, y - 2.6, np.sin((x + 5.3) / 80)])
    located = SurfaceIndex(surface, objects).locate(moved, objects, np.zeros((720, 1280), bool))
    inside = (slice(4, -1), slice(0, -7))
    assert located.valid[inside].all()
    assert np.abs(located.x - (x + 5.3))[inside].max() < 0.02
    assert np.abs(located.y - (y - 2.6))[inside].max() < 0.02


def test_objects_with_equal_coordinates_never_mix():
    objects = ones(7)
    objects[:, WIDTH // 2 :] = 2_000_000_011
    surface = plane()
    surface[:, WIDTH // 2 :] = surface[:, : WIDTH // 2]
    paint = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    paint[:, WIDTH // 2 :] = 1
    other = np.roll(objects, WIDTH // 2, 1)
    found = projector(surface, objects, paint).project(showing(surface, other))
    assert found.valid.mean() > 0.7
    assert (found.paint[..., 0] == (other == 2_000_000_011))[found.valid].all()


def test_nothing_outside_the_mask_is_projected():
    mask = np.zeros((HEIGHT, WIDTH), bool)
    mask[10:30, 10:40] = True
    paint = np.where(mask[..., None], np.float32(0.25), np.float32(1))
    found = projector(plane(), ones(), paint.repeat(3, -1), mask=mask).project(
        showing(plane(0.5, 0), ones())
    )
    assert found.valid.sum() > 400
    assert np.abs(found.paint[found.valid] - 0.25).max() < 1e-6


def test_outlines_stay_behind_when_silhouettes_move():
    """An ink line at the near object's silhouette, on the far one, must not be carried along."""
    far, near = 1, 2

    def scene(left: int):
        objects, surface = ones(far), plane()
        objects[10:40, left : left + 20] = near
        surface[10:40, left : left + 20] = plane(left, 0)[10:40, left : left + 20]
        return surface, objects

    surface, objects = scene(10)
    ink = (objects == far) & (edge_distance(surface, objects) <= 1)
    paint = np.where(ink[..., None], 0, np.ones((HEIGHT, WIDTH, 3))).astype(np.float32)
    key = projector(surface, objects, paint)
    moved_surface, moved_objects = scene(30)
    found = key.project(showing(moved_surface, moved_objects))
    carried = found.valid & (found.paint[..., 0] < 0.5)
    away = edge_distance(moved_surface, moved_objects) > 3
    assert not (carried & away).any()
    assert (key.project(showing(surface, objects)).valid[ink]).all()


def test_the_keyframe_that_agrees_is_chosen_without_speckles():
    rng = np.random.default_rng(1)
    left = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    left[:, WIDTH // 2 :] = 0.5
    right = 0.5 - left
    image = np.zeros_like(left)
    noise = (rng.random(image.shape) * 0.3).astype(np.float32)
    candidates = [
        projector(plane(), ones(), np.full_like(left, number), picture + noise).project(
            showing(plane(), ones())
        )
        for number, picture in ((0, left), (1, right))
    ]
    chosen = blend(candidates, time_weights([0, 20], [1, 1], 10), image).paint[..., 0]
    assert chosen[:, : WIDTH // 2 - 2].max() < 0.01
    assert chosen[:, WIDTH // 2 + 2 :].min() > 0.99


def test_a_keyframe_fills_what_another_does_not_see():
    candidates = [
        projector(surface, ones(), np.full((HEIGHT, WIDTH, 3), paint, np.float32), plane() * 0)
        for surface, paint in ((plane(20, 0), 0.25), (plane(-20, 0), 0.75))
    ]
    carried = [candidate.project(showing(plane(), ones())) for candidate in candidates]
    found = blend(carried, time_weights([0, 40], [1, 1], 20), plane() * 0)
    assert found.valid[2:-2, 2:-2].all()
    assert np.allclose(found.paint[2:-2, 2:18], 0.25)
    assert np.allclose(found.paint[2:-2, -18:-2], 0.75)


@pytest.fixture
def moving(tmp_path):
    shot = synthetic.make_shot(tmp_path / "shot")
    synthetic.paint(shot, 1)
    return shot


def test_the_guide_follows_a_rigid_motion(moving):
    names = guides.available(moving)
    wanted = guides.needs(names)
    frames = {number: read_frame(moving, number, wanted) for number in (1, 3)}
    guide = Projection(moving, [(read_keyframe(moving, 1), frames[1])])
    left, top, right, bottom = synthetic.bounds(3)
    inner = (slice(top + 4, bottom - 4), slice(left + 4, right - 4))
    before = (
        slice(inner[0].start - 2 * synthetic.STEP_Y, inner[0].stop - 2 * synthetic.STEP_Y),
        slice(inner[1].start - 2 * synthetic.STEP_X, inner[1].stop - 2 * synthetic.STEP_X),
    )
    found = guide.compute(frames[3])
    paint = read_keyframe(moving, 1).paint * 2 - 1
    assert found.shape == (PROJECTION_CHANNELS, synthetic.HEIGHT, synthetic.WIDTH)
    assert (found[6][inner] == 1).all()
    assert np.abs(found[:3].transpose(1, 2, 0)[inner] - paint[before]).max() < 1e-3
    assert (found[:6, found[6] == 0] == 0).all()
    assert np.abs(found[3:6][:, *inner]).max() < 0.02
    brighter = dataclasses.replace(frames[3], image=np.minimum(frames[3].image + 0.1, 1))
    lit = guide.compute(brighter)[3:6] - found[3:6]
    assert np.median(lit[:, *inner]) == pytest.approx(-0.2, abs=0.01)
    assert len(guide.each(frames[3])) == 2


def test_paint_gives_way_towards_surface_that_was_not_seen(moving):
    wanted = guides.needs(["projection"])
    keyframe, frame = read_keyframe(moving, 1), read_frame(moving, 1, wanted)
    middle = sum(synthetic.bounds(1)[::2]) // 2
    keyframe.mask[:, middle:] = False
    guide = Projection(moving, [(keyframe, frame)])
    row = sum(synthetic.bounds(1)[1::2]) // 2
    own = guide.compute(frame)[6, row]
    other = guide.compute(dataclasses.replace(frame, number=2))[6, row]
    last = int(np.flatnonzero(own)[-1])
    assert middle - 3 < last < middle
    assert own[last - 3 : last + 2].tolist() == [1, 1, 1, 1, 0]
    assert 0.2 < other[last] < 0.8
    assert other[last] < other[last - 1] <= other[last - 3] == 1
    assert other[last + 1] == 0
    whole = guide.carry(dataclasses.replace(frame, number=2), border=0).channels[6, row]
    assert np.array_equal(whole, own)


def test_where_only_an_outline_has_moved_the_paint_around_does_not_give_way(moving, monkeypatch):
    wanted = guides.needs(["projection"])
    keyframe, frame = read_keyframe(moving, 1), read_frame(moving, 1, wanted)
    guide = Projection(moving, [(keyframe, frame)])
    monkeypatch.setattr("engine.projection.surface_projector.OUTLINE", 6 / frame.image.shape[1])
    outlined = Projection(moving, [(keyframe, frame)])
    later = read_frame(moving, 3, wanted)
    whole, without = guide.carry(later).channels[6], outlined.carry(later).channels[6]
    lost = (whole == 1) & (without == 0)
    assert lost.any()
    assert np.array_equal(whole[~lost], without[~lost])


def test_strokes_are_carried_as_paint_is(moving):
    wanted = guides.needs(["projection"])
    frames = {number: read_frame(moving, number, wanted) for number in (1, 3)}
    keyframe = read_keyframe(moving, 1)
    guide = Projection(moving, [(keyframe, frames[1])])
    assert guide.carry(frames[3]).strokes is None
    guide.carry_strokes([Ranged.of(keyframe.paint - 0.5)])
    channels, strokes = guide.carry(frames[3])
    assert strokes is not None
    seen = channels[6] == 1
    assert np.allclose(strokes[seen], channels[:3].transpose(1, 2, 0)[seen] / 2, atol=1e-5)
    assert not strokes[channels[6] == 0].any()


def test_more_places_than_opencv_has_rows_for():
    picture = np.arange(12, dtype=np.float32).reshape(3, 4, 1)
    count = (resampling.MOST_ROWS + 1000) * resampling.LENGTH
    x, y = np.full(count, 2, np.float32), np.full(count, 1, np.float32)
    x[-1], y[-1] = 3, 2
    found = resampling._fetch(picture, x, y, cv2.INTER_LINEAR)
    assert found.shape == (count, 1)
    assert found[0, 0] == 6 and found[-2, 0] == 6 and found[-1, 0] == 11
