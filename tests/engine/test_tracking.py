# SPDX-License-Identifier: GPL-3.0-or-later
"""Places followed along exact motion: a turning plane behind a rectangle that moves over it."""

from __future__ import annotations

import numpy as np
import pytest

from engine.motion.optical_flow import NeighbourMotion
from engine.motion.tracking import Track, extend_track, pixel_scale, start_track

HEIGHT, WIDTH = 72, 96
TURN = np.radians(2.5)
"""Of the plane, a frame."""
MOVE = np.array([2.6, 0.7])
"""Of the rectangle, in pixels a frame."""
FRAMES = 12
MIDDLE = np.array([WIDTH / 2 - 0.5, HEIGHT / 2 - 0.5])
PIXELS = np.stack(np.meshgrid(np.arange(WIDTH), np.arange(HEIGHT)), -1).astype(np.float64)


def turned(points: np.ndarray, turns: float) -> np.ndarray:
    """Points of the plane, so many frames later."""
    cos, sin = np.cos(TURN * turns), np.sin(TURN * turns)
    return (points - MIDDLE) @ np.array([[cos, sin], [-sin, cos]]) + MIDDLE


def covered(points: np.ndarray, frame: int) -> np.ndarray:
    """Whether the rectangle lies over points of the picture."""
    corner = np.array([15.5, 20.5]) + MOVE * frame
    return ((points >= corner) & (points < corner + 22)).all(-1)


def truth(frame: int) -> np.ndarray:
    """Where frame 0 shows what a frame shows, whether or not it is hidden there."""
    on_plane = turned(PIXELS, -frame)
    return np.where(covered(PIXELS, frame)[..., None], PIXELS - MOVE * frame, on_plane)


def motion(frame: int, other: int) -> np.ndarray:
    moved = turned(PIXELS, other - frame) - PIXELS
    moved[covered(PIXELS, frame)] = MOVE * (other - frame)
    return moved.astype(np.float32)


def step(frame: int, other: int) -> NeighbourMotion:
    exact = np.ones((HEIGHT, WIDTH), bool)
    return NeighbourMotion(motion(frame, other), motion(other, frame), exact)


@pytest.fixture(scope="module")
def followed() -> list[Track]:
    """The places of frames 0 to the last."""
    found = [start_track((HEIGHT, WIDTH))]
    for frame in range(1, FRAMES + 1):
        found.append(extend_track(found[-1], step(frame, frame - 1)))
    return found


def test_the_keyframe_shows_itself(followed):
    assert np.array_equal(followed[0].at, PIXELS)
    assert followed[0].known().all()


@pytest.mark.parametrize("frame", [1, 5, FRAMES])
def test_places_are_right_to_half_a_pixel(followed, frame):
    known = followed[frame].known()
    wrong = np.linalg.norm(followed[frame].at - truth(frame), axis=2)[known]
    assert wrong.max() < 0.5
    assert np.mean(wrong) < 0.05
    assert followed[frame].exact[known].all()


def test_all_that_was_seen_all_the_way_is_known_but_for_rims(followed):
    at = truth(FRAMES)
    on_rectangle = covered(PIXELS, FRAMES)
    seen = ((at >= 1) & (at <= [WIDTH - 2, HEIGHT - 2])).all(-1)
    for frame in range(FRAMES + 1):
        place = turned(at, frame)
        margin = [covered(place + np.array([x, y]), frame) for x in (-2, 0, 2) for y in (-2, 0, 2)]
        inside = ((place >= 1) & (place <= [WIDTH - 2, HEIGHT - 2])).all(-1)
        seen &= on_rectangle | (~np.any(margin, axis=0) & inside)
    known = followed[FRAMES].known()
    assert known[seen & ~on_rectangle].mean() > 0.98
    assert known[on_rectangle].mean() > 0.85


def test_nothing_is_known_that_was_hidden_in_between(followed):
    """Hidden by the rectangle or out of the picture in any frame on the way, by 1.5 pixels."""
    at = truth(FRAMES)
    hidden = np.zeros((HEIGHT, WIDTH), bool)
    for frame in range(FRAMES + 1):
        place = turned(at, frame)
        margin = [
            covered(place + np.array([x, y]), frame) for x in (-1.5, 0, 1.5) for y in (-1.5, 0, 1.5)
        ]
        hidden |= np.all(margin, axis=0)
        hidden |= ((place < -1.5) | (place > [WIDTH + 0.5, HEIGHT + 0.5])).any(-1)
    hidden &= ~covered(PIXELS, FRAMES)
    assert hidden.sum() > 300
    assert not (followed[FRAMES].known() & hidden).any()


def test_what_comes_out_from_under_slow_things_is_not_known():
    """Motion of a quarter pixel a frame, far below what estimated motion could tell apart."""
    places = start_track((20, 60))
    columns = np.arange(60)
    for frame in range(1, 25):
        there, back = np.zeros((2, 20, 60, 2), np.float32)
        there[:, columns >= 10 + 0.25 * frame, 0] = -0.25
        back[:, columns >= 10 + 0.25 * (frame - 1), 0] = 0.25
        places = extend_track(places, NeighbourMotion(there, back, np.ones((20, 60), bool)))
    known = places.known()
    assert known[:, :9].all()
    assert not known[:, 11:15].any()
    assert known[:, 18:].all()


def test_estimated_steps_are_remembered():
    first = step(1, 0)
    exact = first.exact.copy()
    exact[:, :40] = False
    places = extend_track(
        start_track((HEIGHT, WIDTH)), NeighbourMotion(first.forward, first.backward, exact)
    )
    assert not places.exact[:, :40].any()
    again = extend_track(places, step(2, 1))
    assert not again.exact[30:40, 5:30].any()
    assert again.exact[30:40, 60:80].all()


def test_scale_tells_how_much_larger_the_keyframe_saw_it():
    places = start_track((HEIGHT, WIDTH))
    nearer = Track(places.at * np.float32(0.5), places.presence, places.exact)
    assert np.allclose(pixel_scale(nearer), 0.5)
