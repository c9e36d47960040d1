# SPDX-License-Identifier: GPL-3.0-or-later
"""A live session as Blender runs it: a real worker, canvases and pictures in files."""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.own_process import ROOT
from engine.images.pictures import read_picture
from engine.images.types import FloatArray
from engine.shared import live_protocol as live
from engine.shared import protocol
from engine.shared.live_files import Canvas, PictureSlots

JOB = 7
LONGEST = 300.0
"""Seconds to wait for anything; the machine may be busy."""


class Session:
    """A worker for one live session.

    Args:
        shot: the shot folder.
        size: width and height of the shot.
        folder: for files of pixels.

    Attributes:
        seen: the events since the last wait began.
    """

    def __init__(self, shot: Path, size: tuple[int, int], folder: Path) -> None:
        self.shot, self.size, self._folder = shot, size, folder
        folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "engine", "worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        self._events: queue.SimpleQueue[tuple[float, protocol.Event] | None] = queue.SimpleQueue()
        self._log: list[str] = []
        for read in (self._read, self._read_log):
            threading.Thread(target=read, daemon=True).start()
        self._number = 0
        self._canvases: dict[int, Canvas] = {}
        self.seen: list[protocol.Event] = []
        self.at = 0.0

    def start(
        self, frame: int, slots: int = 4, view: tuple[int, int] | None = None, **fields: Any
    ) -> None:
        """Send ``Live``.

        Args:
            frame: the frame to show.
            slots: pictures that are kept ready.
            view: size of the viewport's pictures; None: no viewport.
            fields: further fields of ``Live``.
        """
        self.place = live.LivePictures(str(self._folder / "pictures"), *self.size, slots=slots)
        self.slots = PictureSlots.make(self.place)
        place = None
        if view:
            place = live.LivePictures(str(self._folder / "view"), *view)
            self.view_slot = PictureSlots.make(place)
        self.send(live.Live(JOB, str(self.shot), self.place, frame, view=place, **fields))

    def send(self, request: protocol.Request) -> None:
        """Send a request."""
        assert self.process.stdin
        self.process.stdin.write(protocol.encode(request))
        self.process.stdin.flush()

    def number(self) -> int:
        """Return the next number for a request."""
        self._number += 1
        return self._number

    def until(self, found: Callable[[protocol.Event], bool]) -> Any:
        """Return the first event that fits; ``at`` is when it came, by ``time.monotonic``."""
        self.seen = []
        end = time.monotonic() + LONGEST
        while time.monotonic() < end:
            try:
                item = self._events.get(timeout=1)
            except queue.Empty:
                continue
            assert item is not None, "the worker has ended:\n" + "".join(self._log)
            self.at, event = item
            self.seen.append(event)
            if found(event):
                return event
            assert not isinstance(event, protocol.Failed), event
        raise AssertionError(f"nothing came but {self.seen[-5:]}")

    def shown(self, shows: str = "", **fields: object) -> live.LiveShown:
        """Wait for a picture with these fields."""
        found: live.LiveShown = self.until(
            lambda event: (
                isinstance(event, live.LiveShown)
                and (not shows or event.shows == shows)
                and all(getattr(event, name) == value for name, value in fields.items())
            )
        )
        return found

    def state(self, *states: str) -> live.LiveState:
        """Wait for one of these states."""
        found: live.LiveState = self.until(
            lambda event: isinstance(event, live.LiveState) and event.state in states
        )
        return found

    def picture(self, shown: live.LiveShown) -> FloatArray:
        """Return a picture that was shown, (H, W, 4), top row first."""
        found = self.slots.read(shown.slot, shown.frame)
        assert found is not None
        header, data = found
        assert (header.kind_name, header.change) == (shown.shows, shown.change)
        pixels = np.frombuffer(data, np.float32)
        return pixels.reshape(self.size[1], self.size[0], 4)[::-1]

    def paint(self, key: int, pixels: FloatArray) -> int:
        """Send a canvas (H, W, 4), top row first; return the number of the change."""
        change = self.number()
        path = self._write(key, pixels, change)
        self.send(live.LivePaint(JOB, change, key, path))
        return change

    def view(self, pixels: FloatArray) -> live.LiveViewed:
        """Send a picture (H, W, 4) of the viewport and wait for the answer."""
        number = self.number()
        self.send(live.LiveView(JOB, number, self._write(-1, pixels, number)))
        found: live.LiveViewed = self.until(
            lambda event: isinstance(event, live.LiveViewed) and event.number == number
        )
        return found

    def show(self, frame: int) -> live.LiveShown:
        """Show a frame and wait for it."""
        number = self.number()
        self.send(live.LiveShow(JOB, number, frame))
        return self.shown(number=number)

    def finish(self, style: str) -> live.LiveFinished:
        """Write the style."""
        self.send(live.LiveFinish(JOB, style))
        found: live.LiveFinished = self.until(lambda event: isinstance(event, live.LiveFinished))
        return found

    def cancel(self) -> None:
        """End the session."""
        self.send(protocol.Cancel(JOB))
        self.until(lambda event: isinstance(event, protocol.Cancelled))

    def processor_seconds(self) -> float:
        """Return the processor time of the worker so far; only on Linux."""
        text = Path(f"/proc/{self.process.pid}/stat").read_text("utf-8")
        fields = text.rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self) -> float:
        """Return the MiB of memory that the worker holds for itself; only on Linux."""
        text = Path(f"/proc/{self.process.pid}/status").read_text("utf-8")
        line = next(line for line in text.splitlines() if line.startswith("RssAnon"))
        return int(line.split()[1]) / 1024

    def end(self) -> None:
        """Kill the worker."""
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream
            stream.close()

    def _write(self, key: int, pixels: FloatArray, change: int) -> str:
        height, width = pixels.shape[:2]
        path = self._folder / f"canvas{key}"
        if key not in self._canvases:
            self._canvases[key] = Canvas.make(path, width, height)
        canvas = self._canvases[key]
        with canvas.writing(key, change):
            np.asarray(canvas.pixels).reshape(height, width, 4)[:] = pixels[::-1]
        return str(path)

    def _read(self) -> None:
        assert self.process.stdout
        with contextlib.suppress(ValueError):
            for line in self.process.stdout:
                self._events.put((time.monotonic(), protocol.decode_event(line)))
        self._events.put(None)

    def _read_log(self) -> None:
        assert self.process.stderr
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


def read_rgba(path: Path) -> FloatArray:
    """Return a picture as a canvas holds it, (H, W, 4)."""
    picture = read_picture(path)
    alpha = np.ones(picture.rgb.shape[:2]) if picture.alpha is None else picture.alpha
    return np.dstack([picture.rgb, alpha]).astype(np.float32)
