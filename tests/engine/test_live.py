# SPDX-License-Identifier: GPL-3.0-or-later
"""Live sessions through a real worker: strokes are carried, then learnt; nothing else moves."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
from live_sessions import JOB, Session, painting, session
from painted_scenes import Scene
from real_sizes import Project

from engine.shared import live_protocol as live
from engine.shared import protocol

SIZE = (512, 288)
KEY, OTHER = 1, 4


@pytest.fixture(scope="module")
def captured(tmp_path_factory) -> Path:
    """A captured shot of 512×288 with one painting; not to be changed."""
    project = Project(tmp_path_factory.mktemp("live"), Scene(*SIZE, opaque=False), 8)
    project.capture(surface=True)
    return project.shot


@pytest.fixture(scope="module")
def learning(captured, tmp_path_factory):
    """A session that has learnt enough to show pictures through the network."""
    with session(captured, SIZE, tmp_path_factory.mktemp("files")) as one:
        one.start(OTHER, slots=4, keep=False)
        one.shown(live.NETWORK, frame=OTHER)
        yield one


def stroke(one: Session, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the painting with a stroke on the box, and where it is (H, W)."""
    pixels = painting(one.shot, KEY)
    inside = np.zeros(pixels.shape[:2], bool)
    inside[200:224, 100 + 20 * seed : 140 + 20 * seed] = True
    inside &= pixels[..., 3] > 0
    assert inside.sum() > 400
    pixels[inside, :3] = np.random.default_rng(seed).random(3)
    return pixels, inside


def test_a_stroke_is_carried_then_painted_by_the_network_and_nothing_else_moves(learning):
    before = learning.picture(learning.show(OTHER))
    pixels, inside = stroke(learning, 1)
    change = learning.paint(KEY, pixels)
    carried = learning.picture(learning.shown(live.CARRIED, change=change, frame=OTHER))
    moved = np.abs(carried - before).max(axis=2) > 1e-6
    colour = pixels[inside][0, :3]
    near = np.abs(carried[..., :3] - colour).max(axis=2) < 0.05
    assert near.sum() > 0.7 * inside.sum()
    assert 0.7 < moved.sum() / inside.sum() < 1.6
    network = learning.picture(learning.shown(live.NETWORK, change=change, frame=OTHER))
    near = np.abs(network[..., :3] - colour).max(axis=2) < 0.15
    assert near.sum() > 0.7 * inside.sum()
    rows, columns = np.nonzero(moved)
    around = np.zeros_like(moved)
    around[rows.min() - 14 : rows.max() + 15, columns.min() - 14 : columns.max() + 15] = True
    assert np.array_equal(network[~around], before[~around])


def test_the_keyframe_itself_shows_the_painting_at_once(learning):
    learning.show(KEY)
    pixels, inside = stroke(learning, 3)
    change = learning.paint(KEY, pixels)
    shown = learning.picture(learning.shown(change=change, frame=KEY))
    assert np.allclose(shown[inside, :3], pixels[inside, :3], atol=1e-5)
    learning.show(OTHER)


def test_of_many_requests_the_latest_wins(learning):
    numbers = [learning.number() for _ in range(30)]
    for number in numbers:
        learning.send(live.LiveShow(JOB, number, 2 + number % 6))
    learning.shown(number=numbers[-1])
    answers = {event.number for event in learning.seen if isinstance(event, live.LiveShown)}
    assert len(answers & set(numbers)) < 15
    learning.show(OTHER)


def test_frames_of_the_range_are_kept_ready_and_a_stroke_makes_some_of_them_stale(learning):
    learning.send(live.LiveRange(JOB, [3, 4, 5, 6]))
    cache = learning.until(lambda e: isinstance(e, live.LiveCache) and len(e.fresh) == 4)
    assert cache.fresh == [3, 4, 5, 6]
    for frame in (3, 4, 5, 6):
        slots = [number for number in range(4) if learning.slots.header(number).frame == frame]
        assert len(slots) == 1
        assert learning.slots.read(slots[0], frame) is not None
    learning.paint(KEY, stroke(learning, 5)[0])
    learning.until(lambda e: isinstance(e, live.LiveCache) and bool(e.stale))
    cache = learning.until(lambda e: isinstance(e, live.LiveCache) and not e.stale)
    assert cache.fresh == [3, 4, 5, 6]
    learning.send(live.LiveRange(JOB, []))


def test_strokes_of_a_canvas_can_be_discarded(learning):
    pixels, inside = stroke(learning, 7)
    change = learning.paint(KEY, pixels)
    learning.shown(change=change, frame=OTHER)
    learning.send(live.LiveRevert(JOB, (back := learning.number()), KEY))
    learning.shown(change=back, frame=OTHER)
    shown = learning.picture(learning.show(KEY))
    assert np.abs(shown[inside, :3] - pixels[inside, :3]).max() > 0.05
    saved = painting(learning.shot, KEY)
    assert np.abs(shown[inside, :3] - saved[inside, :3]).max() < 0.01
    learning.show(OTHER)


def test_pause_stops_the_processor_and_going_on_learns(learning):
    learning.send(live.LiveSettings(JOB, paused=True))
    learning.state(live.PAUSED)
    time.sleep(1)
    began = learning.processor_seconds()
    time.sleep(2)
    assert learning.processor_seconds() - began <= 0.1
    learning.send(live.LiveSettings(JOB))
    learning.state(live.LEARNING)


def test_other_jobs_are_refused_and_wrong_requests_are_survived(learning):
    learning.send(live.LiveShow(JOB, learning.number(), 99))
    warned = learning.until(lambda event: isinstance(event, protocol.Warned))
    assert "Frame 99 is not in the shot" in warned.sentence
    learning.send(live.LivePaint(JOB, learning.number(), KEY, "/nowhere/canvas"))
    warned = learning.until(lambda event: isinstance(event, protocol.Warned))
    assert "canvas" in warned.sentence
    assert learning.show(OTHER).frame == OTHER
