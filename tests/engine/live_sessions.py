# SPDX-License-Identifier: GPL-3.0-or-later
"""A live session as Blender runs it: a real worker, canvases and pictures in files."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import shots

from engine.images.pictures import read_picture
from engine.shared import live_protocol as live
from engine.shared import protocol
from engine.shared.live_files import Canvas, PictureSlots

JOB = 7
LONGEST = 120.0
"""Seconds to wait for anything; machines that run tests are busy."""


class Session:
    """A worker with one live session.

    Args:
        shot: the shot folder.
        size: width and height of the shot.
        folder: for files of pixels.
    """

    def __init__(self, shot: Path, size: tuple[int, int], folder: Path) -> None:
        self.shot, self.size, self._folder = shot, size, folder
        self.process = shots.start_engine("worker")
        self._events: queue.SimpleQueue[protocol.Event | None] = queue.SimpleQueue()
        self._log: list[str] = []
        for read in (self._read, self._read_log):
            threading.Thread(target=read, daemon=True).start()
        self._number = 0
        self._canvases: dict[int, Canvas] = {}
        self.seen: list[protocol.Event] = []

    def start(self, frame: int, slots: int = 4, **fields: object) -> None:
        """Send ``Live``."""
        folder = self._folder
        folder.mkdir(exist_ok=True)
        self.place = live.LivePictures(str(folder / "pictures"), *self.size, slots=slots)
        self.slots = PictureSlots.make(self.place)
        self.send(live.Live(JOB, str(self.shot), self.place, frame, **fields))

    def send(self, request: protocol.Request) -> None:
        self.process.stdin.write(protocol.encode(request))
        self.process.stdin.flush()

    def number(self) -> int:
        self._number += 1
        return self._number

    def until(self, found: Callable[[protocol.Event], bool]) -> protocol.Event:
        """Return the first event that fits; ``seen`` has all since the last call."""
        self.seen = []
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            try:
                event = self._events.get(timeout=1)
            except queue.Empty:
                continue
            assert event is not None, "the worker has ended:\n" + "".join(self._log)
            self.seen.append(event)
            if found(event):
                return event
            assert not isinstance(event, protocol.Failed), event
        raise AssertionError(f"nothing came but {self.seen[-5:]}")

    def shown(self, shows: str = "", **fields: object) -> live.LiveShown:
        """Wait for a picture with these fields."""
        event = self.until(
            lambda event: (
                isinstance(event, live.LiveShown)
                and (not shows or event.shows == shows)
                and all(getattr(event, name) == value for name, value in fields.items())
            )
        )
        assert isinstance(event, live.LiveShown)
        return event

    def state(self, *states: str) -> live.LiveState:
        """Wait for one of these states."""
        event = self.until(
            lambda event: isinstance(event, live.LiveState) and event.state in states
        )
        assert isinstance(event, live.LiveState)
        return event

    def picture(self, shown: live.LiveShown) -> np.ndarray:
        """Return a picture that was shown, (H, W, 4), top row first."""
        found = self.slots.read(shown.slot, shown.frame)
        assert found is not None
        header, data = found
        assert (header.kind_name, header.change) == (shown.shows, shown.change)
        pixels = np.frombuffer(data, np.float32)
        return pixels.reshape(self.size[1], self.size[0], 4)[::-1]

    def paint(self, key: int, pixels: np.ndarray) -> int:
        """Send a canvas (H, W, 4), top row first; return the number of the change."""
        path = self._folder / f"canvas-{key}"
        if key not in self._canvases:
            self._canvases[key] = Canvas.make(path, *self.size)
        canvas, change = self._canvases[key], self.number()
        with canvas.writing(key, change):
            target = np.asarray(canvas.pixels).reshape(self.size[1], self.size[0], 4)
            target[:] = pixels[::-1]
        self.send(live.LivePaint(JOB, change, key, str(path)))
        return change

    def show(self, frame: int) -> live.LiveShown:
        """Show a frame."""
        number = self.number()
        self.send(live.LiveShow(JOB, number, frame))
        return self.shown(number=number)

    def cancel(self) -> None:
        self.send(protocol.Cancel(JOB))
        self.until(lambda event: isinstance(event, protocol.Cancelled))

    def processor_seconds(self) -> float:
        """Return the processor time of the worker so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / 100

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            stream.close()

    def _read(self) -> None:
        with contextlib.suppress(ValueError):
            for line in self.process.stdout:
                self._events.put(protocol.decode_event(line))
        self._events.put(None)

    def _read_log(self) -> None:
        with contextlib.suppress(ValueError):
            self._log.extend(self.process.stderr)


@contextlib.contextmanager
def session(shot: Path, size: tuple[int, int], folder: Path) -> Iterator[Session]:
    """Start a worker, and end it."""
    one = Session(shot, size, folder)
    try:
        yield one
    finally:
        one.end()


def painting(shot: Path, key: int) -> np.ndarray:
    """Return the painting of a keyframe, (H, W, 4)."""
    picture = read_picture(shot / "keys" / f"{key:04d}.png")
    alpha = np.ones(picture.rgb.shape[:2]) if picture.alpha is None else picture.alpha
    return np.dstack([picture.rgb, alpha]).astype(np.float32)
