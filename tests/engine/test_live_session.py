# SPDX-License-Identifier: GPL-3.0-or-later
"""What a live session takes in, and what interrupts it, without a process of its own."""

from __future__ import annotations

import queue
from pathlib import Path

import numpy as np
import pytest
from live_sessions import JOB
from painted_scenes import Scene
from real_sizes import Project

from engine.live import reports
from engine.live.paintings import Changes, Paintings
from engine.live.session import live
from engine.shared import live_protocol as messages
from engine.shared.errors import Cancelled
from engine.shared.live_files import Canvas, PictureSlots
from engine.shared.shot import Shot

SIZE = (480, 270)
NEAR, FAR = 3, 6


@pytest.fixture(scope="module")
def footage(tmp_path_factory) -> Path:
    """Footage of 480×270 with a painting of frame 1, whose paint is carried along the motion."""
    project = Project(tmp_path_factory.mktemp("footage"), Scene(*SIZE), FAR)
    project.make()
    return project.shot


class Interrupting:
    """A link to a session that asks for ``NEAR`` as soon as the way to ``FAR`` is followed."""

    def __init__(self) -> None:
        self.inbox: queue.SimpleQueue = queue.SimpleQueue()
        self.answered: list[int] = []
        self._is_over = self._asks = False

    def cancelled(self) -> bool:
        return self._is_over

    def warned(self, sentence: str) -> None:
        raise AssertionError(sentence)

    def follows(self) -> None:
        """Note a step along the motion."""
        if self._asks:
            self._asks = False
            self.inbox.put(messages.LiveShow(JOB, 2, NEAR))

    def send(self, event) -> None:
        if not isinstance(event, messages.LiveShown):
            return
        if not self.answered:
            self.inbox.put(messages.LiveShow(JOB, 1, FAR))
            self._asks = True
        if event.number == 2 and 2 not in self.answered:
            self.inbox.put(messages.LiveShow(JOB, 3, FAR))
        self.answered.append(event.number)
        self._is_over = event.number == 3


def test_a_long_way_along_the_motion_is_left_for_a_later_request(footage, tmp_path, monkeypatch):
    link = Interrupting()

    class Told(reports.Interruptible):
        def cancelled(self) -> bool:
            link.follows()
            return super().cancelled()

    monkeypatch.setattr("engine.live.session.Interruptible", Told)
    place = messages.LivePictures(str(tmp_path / "pictures"), *SIZE, slots=3)
    PictureSlots.make(place).close()
    with pytest.raises(Cancelled):
        live(messages.Live(JOB, str(footage), place, 2, device="cpu", keep=False), link)
    answered = [number for number in link.answered if number]
    assert answered[0] == 2
    assert answered[-1] == 3


def test_changes_of_one_painting_add_up():
    """A file and a canvas of it may change between two looks."""
    first, second = np.zeros((2, 4, 4), bool)
    first[0], second[2] = True, True
    changes = Changes()
    changes.add(Changes({1: first}, keys=True))
    changes.add(Changes({1: second, 5: second}, weights=True))
    assert changes.parts[1].sum() == 8
    assert changes.parts[5].sum() == 4
    assert (changes.keys, changes.weights, changes.shot) == (True, True, False)
    assert not first[2].any()


def test_a_removed_keyframe_is_not_learnt_from_its_canvas(footage, tmp_path):
    paintings = Paintings(footage)
    paintings.look()
    assert sorted(paintings.keyframes) == [1]
    canvas = Canvas.make(tmp_path / "canvas", *SIZE)
    with canvas.writing(1, 1):
        np.asarray(canvas.pixels)[:] = 0.5
    stroke = messages.LivePaint(JOB, 1, 1, str(tmp_path / "canvas"))
    assert paintings.take([stroke]).parts
    assert paintings.unsaved() == [1]
    shot = Shot.open(footage)
    shot.manifest.removed_keys.append(1)
    shot.save()
    try:
        assert paintings.look().keys
        assert (paintings.keyframes, paintings.unsaved()) == ({}, [])
        assert "no longer a keyframe" in paintings.take([stroke]).sentences[0]
        assert paintings.keyframes == {}
    finally:
        shot.manifest.removed_keys.clear()
        shot.save()
    paintings.close()
    canvas.close()
