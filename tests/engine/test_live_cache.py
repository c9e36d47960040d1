# SPDX-License-Identifier: GPL-3.0-or-later
"""Which pictures of a live session are kept, and which strokes make them stale."""

from __future__ import annotations

import queue

import numpy as np
import pytest

from engine.live.cache import PictureCache
from engine.live.requests import Pending
from engine.shared import live_protocol as live
from engine.shared.live_files import PictureSlots

WHOLE = np.ones((2, 3), bool)
LEFT, RIGHT = np.array([[1, 0, 0], [1, 0, 0]], bool), np.array([[0, 0, 1], [0, 0, 0]], bool)


@pytest.fixture
def place(tmp_path):
    place = live.LivePictures(str(tmp_path / "slots"), 24, 16, slots=3, floats=False)
    PictureSlots.make(place).close()
    return place


def put(cache: PictureCache, frame: int, shown: int, seen: np.ndarray = WHOLE) -> int:
    pixels = np.full((16, 24, 4), frame / 10, np.float32)
    return cache.put(frame, shown, pixels, live.NETWORK, 1, 0.0, {1: seen}).slot


def test_a_stroke_makes_only_frames_stale_that_show_its_surface(place):
    cache = PictureCache(place)
    for frame, seen in ((1, LEFT), (2, RIGHT), (3, WHOLE)):
        put(cache, frame, 1, seen)
    cache.paint_over(1, LEFT)
    stale = {frame for frame, entry in cache.entries.items() if entry.is_painted_over}
    assert stale == {1, 3}
    cache.paint_over(5, LEFT)  # a keyframe of which nothing is known
    assert all(entry.is_painted_over for entry in cache.entries.values())


def test_slots_of_frames_farthest_ahead_are_used_again(place):
    cache = PictureCache(place)
    cache.range = [1, 2, 3, 4, 5]
    for frame in (4, 5, 1):
        put(cache, frame, 4)
    assert cache.ahead(5) == [5, 1, 2]
    put(cache, 2, 5)  # 4 is behind the playhead, so it goes
    assert set(cache.entries) == {5, 1, 2}
    put(cache, 9, 9)  # the shown frame always finds a slot
    assert 9 in cache.entries
    slots = PictureSlots(place)
    for frame, entry in cache.entries.items():
        header, data = slots.read(entry.slot, frame)
        assert header.sequence == entry.sequence
        assert set(data) == {min(255, round(frame / 10 * 255))}


def test_without_a_range_the_frames_nearest_to_the_playhead_are_kept(place):
    cache = PictureCache(place)
    frames = [1, 3, 4, 5, 8, 20]
    assert cache.near(4, frames, 3) == [5, 3]  # two beside the shown one fit
    assert cache.near(20, frames, 1) == [8]
    for frame in (4, 20, 5):
        put(cache, frame, 4)
    put(cache, 3, 4)
    assert set(cache.entries) == {3, 4, 5}


def test_pictures_of_another_size_are_scaled_by_their_alpha(place):
    cache = PictureCache(place)
    pixels = np.zeros((32, 48, 4), np.float32)
    pixels[::2] = (1, 0.5, 0, 1)
    cache.put(1, 1, pixels, live.FINAL, 1, 0.0, {})
    found = np.array(PictureSlots(place).pixels(0)).reshape(-1, 4)
    assert np.all(np.abs(found - np.array([255, 128, 0, 128], int)) <= 1)


def test_only_the_latest_request_of_a_kind_waits():
    inbox: queue.SimpleQueue = queue.SimpleQueue()
    pending = Pending(inbox)
    for number in range(5):
        inbox.put(live.LiveShow(1, number, number))
        inbox.put(live.LivePaint(1, number, 3, f"canvas {number}"))
    inbox.put(live.LiveRevert(1, 6, 4))
    inbox.put(None)
    assert pending.is_any
    pending.take()
    assert pending.show == live.LiveShow(1, 4, 4)
    assert pending.paint[3].change == 4
    assert isinstance(pending.paint[4], live.LiveRevert)
    pending.show = None
    pending.paint.clear()
    assert not pending.is_any
