# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames come in order, however many are read at once, and no more than that are."""

from __future__ import annotations

import threading
import time

import pytest

from engine.images import prefetch
from engine.images.prefetch import PIXELS_AT_ONCE, read_ahead


class Reader:
    """Reads frames slowly and counts how many it reads at once.

    The first frames, as many as are said, are not done before all of them are being read.
    """

    def __init__(self, together: int = 1) -> None:
        self.lock, self.now, self.most, self.read = threading.Lock(), 0, 0, []
        self.together = threading.Barrier(together)

    def __call__(self, frame: int) -> int:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
            self.read.append(frame)
            is_first = len(self.read) <= self.together.parties
        if is_first:
            self.together.wait(timeout=30)
        time.sleep(0.02 if frame % 2 else 0.005)
        with self.lock:
            self.now -= 1
        if frame == 13:
            raise ValueError("unlucky")
        return -frame


@pytest.mark.parametrize(
    ("cores", "pixels", "several", "most"),
    [(8, 100, True, 8), (8, PIXELS_AT_ONCE // 3, True, 3), (8, 100, False, 1), (1, 100, True, 1)],
)
def test_frames_come_in_order_and_so_many_are_read_at_once(
    monkeypatch, cores, pixels, several, most
):
    monkeypatch.setattr(prefetch, "_cores", lambda: cores)
    reader = Reader(together=most)
    frames = [3, 1, 2, *range(20, 30)]
    assert list(read_ahead(reader, frames, pixels, several=several)) == [-frame for frame in frames]
    assert reader.most == most


def test_large_frames_are_read_when_they_are_wanted():
    reader = Reader()
    reading = read_ahead(reader, [1, 2, 3], 3840 * 2160, several=True)
    assert next(reading) == -1
    time.sleep(0.05)
    assert reader.read == [1]


def test_an_error_comes_with_its_frame_and_those_after_it_are_given_up(monkeypatch):
    monkeypatch.setattr(prefetch, "_cores", lambda: 3)
    reader = Reader()
    reading = read_ahead(reader, [11, 12, 13, *range(14, 60)], 100, several=True)
    assert [next(reading), next(reading)] == [-11, -12]
    with pytest.raises(ValueError, match="unlucky"):
        next(reading)
    assert len(reader.read) < 10
