# SPDX-License-Identifier: GPL-3.0-or-later
"""Strokes on surface that no keyframe saw: they stick to it, and look like the keyframe's own."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from engine.frames.frame import Frame
from engine.projection.stroke_residuals import MARGIN, Source, StrokeResiduals

HEIGHT, WIDTH = 80, 96
SHAPE = (HEIGHT, WIDTH)
PLANE, OTHER = 7, 8
UNIT = 0.02
"""Length on the surface, in its own units, that a pixel of the keyframe shows."""
BESIDE = 500.0
"""Pixels between what the keyframe shows and the surface that no keyframe shows."""
PERIOD = 6
"""Pixels from stroke to stroke."""


def plane(
    left: float = BESIDE, zoom: float = 1, rolled: bool = False, slant: float = 1
) -> np.ndarray:
    """Surface (H, W, 3) of a plane; pixel (0, 0) shows what is ``left`` pixels from the origin.

    It is shown ``zoom`` times as large, by a camera rolled by a right angle, or aslant, so that a
    row of pixels shows ``slant`` times as much of it.
    """
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32) / np.float32(zoom)
    if rolled:
        x, y = HEIGHT - y, x
    return np.dstack([(x + left) * UNIT, y * UNIT * slant, 0 * x]).astype(np.float32)


def inside(border: float) -> np.ndarray:
    """The picture (H, W) without so many pixels at its border."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.minimum.reduce([x, y, WIDTH - 1 - x, HEIGHT - 1 - y]) >= border


OBJECTS = np.where(inside(8), PLANE, 0).astype(np.int32)
"""One object before an empty background."""
WELL_INSIDE = inside(8 + 2 * MARGIN + 3)
"""Where nothing fades towards the outline."""


def stripes() -> np.ndarray:
    """Horizontal strokes (H, W, 3), lighter and darker by up to 0.2."""
    strokes = 0.2 * np.sin(np.mgrid[:HEIGHT, :WIDTH][0] * 2 * np.pi / PERIOD)
    return np.dstack([strokes, strokes, 0.5 * strokes]).astype(np.float32)


def grain() -> np.ndarray:
    """Strokes (H, W, 3) that are nowhere the same."""
    return np.random.default_rng(1).normal(0, 0.1, (*SHAPE, 3)).astype(np.float32)


def learnt(residue: np.ndarray, surface: np.ndarray | None = None) -> StrokeResiduals:
    """Strokes of a keyframe that shows the plane around its origin."""
    surface = plane(left=0) if surface is None else surface
    return StrokeResiduals([Source(surface, OBJECTS, np.ones(SHAPE, bool), residue)])


def frame_of(surface: np.ndarray, objects: np.ndarray) -> Frame:
    image, alpha = np.full((*SHAPE, 3), 0.5, np.float32), np.ones(SHAPE, np.float32)
    return Frame(2, image, alpha, object=objects, surface=surface)


def drawn(
    strokes: StrokeResiduals, surface: np.ndarray, objects: np.ndarray = OBJECTS
) -> np.ndarray:
    """Strokes (H, W, 3) wherever there can be any."""
    return strokes.strokes(frame_of(surface, objects), np.ones(SHAPE, bool))


def completed(strokes: StrokeResiduals, carried: float, seen: np.ndarray) -> np.ndarray:
    """Strokes (H, W, 3) that were the same everywhere, completed."""
    drawn = np.full((*SHAPE, 3), carried, np.float32)
    strokes.complete(drawn, frame_of(plane(), OBJECTS), seen.astype(np.float32))
    return drawn


def energy(strokes: np.ndarray, axis: int) -> float:
    """Mean squared difference of neighbours, well inside the object."""
    both = np.diff(WELL_INSIDE.astype(int), axis=axis) == 0
    steps = np.square(np.diff(strokes, axis=axis)).mean(-1)
    away = [slice(None), slice(None)]
    away[axis] = slice(None, -1)
    return float(steps[both & WELL_INSIDE[tuple(away)]].mean())


@pytest.mark.parametrize("residue", [stripes, grain])
@pytest.mark.parametrize("shift", [1, 13])
def test_strokes_stick_to_the_surface_when_the_camera_moves(
    residue: Callable[[], np.ndarray], shift: int
) -> None:
    strokes = learnt(residue())
    first, second = (drawn(strokes, plane(BESIDE + moved)) for moved in (0, shift))
    both = WELL_INSIDE[:, shift:] & WELL_INSIDE[:, :-shift]
    same_points = first[:, shift:][both], second[:, :-shift][both]
    assert np.abs(same_points[0] - same_points[1]).max() < 0.005
    assert np.abs(first - second)[WELL_INSIDE].max() > 0.1 or residue is stripes
    assert same_points[0].std() > 0.03


def test_strokes_stay_where_they_are_when_the_camera_comes_nearer() -> None:
    strokes = learnt(grain())
    far, near = (drawn(strokes, plane(zoom=zoom)) for zoom in (1, 2))
    twice = WELL_INSIDE[::2, ::2] & WELL_INSIDE[: HEIGHT // 2, : WIDTH // 2]
    assert twice.sum() > 200
    assert np.abs(far[: HEIGHT // 2, : WIDTH // 2] - near[::2, ::2])[twice].max() < 0.005


def test_strokes_are_borrowed_where_no_keyframe_sees_the_surface() -> None:
    seen = np.zeros(SHAPE)
    seen[:, :40], seen[:, 40:56] = 1, 0.5
    found = completed(learnt(grain()), 0.2, seen)
    assert (found[seen == 1] == np.float32(0.2)).all()
    whole = drawn(learnt(grain()), plane())
    assert found[seen == 0] == pytest.approx(whole[seen == 0])
    assert found[seen == 0.5] == pytest.approx(0.1 + whole[seen == 0.5] / 2, abs=1e-6)
    assert np.abs(whole[WELL_INSIDE]).mean() > 0.03


def test_a_keyframe_s_own_strokes_are_what_it_lends() -> None:
    lent = grain() + 0.2
    (own,) = learnt(lent).carried
    strokes = own.values[..., :3]
    assert np.abs(strokes - (lent - 0.2))[WELL_INSIDE].mean() < 0.02
    assert not strokes[OBJECTS == 0].any()
    assert (own.lowest, own.highest) == (strokes.min(), strokes.max())


def test_nothing_is_added_beside_outlines() -> None:
    objects = OBJECTS.copy()
    objects[:, 48:][OBJECTS[:, 48:] > 0] = OTHER
    strokes = np.abs(drawn(learnt(grain()), plane(), objects)).max(-1)
    assert not strokes[~inside(8 + MARGIN - 1)].any()
    assert not strokes[:, 48 - int(MARGIN) :].any()
    assert strokes[30:50, 22:38].min() > 0


def test_strokes_stay_on_their_object() -> None:
    assert not drawn(learnt(grain()), plane(), np.where(OBJECTS > 0, OTHER, 0)).any()


def test_only_what_is_finer_than_strokes_are_wide_is_borrowed() -> None:
    assert not drawn(learnt(np.zeros((*SHAPE, 3), np.float32)), plane()).any()
    darker = np.full((*SHAPE, 3), -0.2, np.float32)
    assert np.abs(drawn(learnt(darker), plane())).max() < 1e-4


@pytest.mark.parametrize("residue", [stripes, grain])
def test_strokes_are_as_strong_as_the_keyframes(residue: Callable[[], np.ndarray]) -> None:
    lent = residue()
    strokes = drawn(learnt(lent), plane())[WELL_INSIDE]
    assert 0.6 < np.abs(strokes).mean() / np.abs(lent).mean() < 1.4
    assert np.abs(strokes.mean()) < 0.02


def test_strokes_keep_their_direction_on_the_object() -> None:
    strokes = learnt(stripes())
    level, rolled = (drawn(strokes, plane(rolled=rolled)) for rolled in (False, True))
    assert energy(level, axis=0) > 5 * energy(level, axis=1)
    assert energy(rolled, axis=1) > 5 * energy(rolled, axis=0)


def test_surface_seen_at_a_steep_slant_lends_nothing() -> None:
    assert not drawn(learnt(grain(), plane(0, slant=1e-3)), plane()).any()


@pytest.mark.parametrize("slant", [0.0, 1e-3, 0.2])
def test_surface_shown_at_a_slant_takes_strokes(slant: float) -> None:
    strokes = drawn(learnt(grain()), plane(slant=slant))
    assert np.isfinite(strokes).all()
    assert np.abs(strokes).max() < 1


def test_an_object_of_few_pixels_lends_nothing() -> None:
    few = np.where(inside(HEIGHT / 2 - 6), PLANE, 0).astype(np.int32)
    source = Source(plane(left=0), few, np.ones(SHAPE, bool), grain())
    assert not drawn(StrokeResiduals([source]), plane()).any()


def test_unknown_surface_neither_lends_nor_takes() -> None:
    hole = np.s_[30:44, 40:54]
    lender, taker = plane(left=0), plane()
    lender[hole], taker[hole] = np.nan, np.nan
    mistake = grain()
    mistake[hole] = 100
    strokes = drawn(learnt(mistake, lender), taker)
    assert np.isfinite(strokes).all()
    assert not strokes[hole].any()
    assert strokes.any()


def test_two_keyframes_lend_to_each_objects_own_surface() -> None:
    plain = np.zeros((*SHAPE, 3), np.float32)
    mask = np.ones(SHAPE, bool)
    other = np.where(OBJECTS > 0, OTHER, 0).astype(np.int32)
    strokes = StrokeResiduals(
        [Source(plane(0), OBJECTS, mask, plain), Source(plane(0), other, mask, stripes())]
    )
    assert not drawn(strokes, plane()).any()
    assert energy(drawn(strokes, plane(), other), axis=0) > 0.001
