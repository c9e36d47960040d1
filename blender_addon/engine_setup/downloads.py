# SPDX-License-Identifier: GPL-3.0-or-later
"""Downloads wheels, two at a time, into a folder: resumed within a file, and each verified.

A file that is not complete has the suffix ``.part``; the next download goes on behind its last
byte. A complete file has the right digest.
"""

from __future__ import annotations

import collections
import contextlib
import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from typing import Any, BinaryIO

from .. import logs
from ..engine.shared.errors import PaintoverError
from ..jobs import Job, Progress
from . import builds, faults, web

_log = logs.logger(__name__)

AT_ONCE = 2
ATTEMPTS = 6
"""How often a connection may break without a byte in between."""
FIRST_WAIT = 1.0
"""Seconds before the first new attempt; it doubles with each."""
_BLOCK = 1 << 18
_WINDOW_SECONDS = 8.0
_LEAST_SECONDS = 1.5

Locate = Callable[[builds.Wheel], builds.Wheel]
"""Returns a wheel with its address."""


class Downloads:
    """Downloads of several wheels.

    Args:
        wheels: what to download.
        folder: where to; it exists.
        locate: finds the addresses, in a thread.
    """

    def __init__(self, wheels: Sequence[builds.Wheel], folder: Path, locate: Locate) -> None:
        self._waiting = collections.deque(wheels)
        self._folder = folder
        self._locate = locate
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._sizes = {wheel.file: wheel.bytes for wheel in wheels}
        self._done = {wheel.file: _bytes_there(folder, wheel) for wheel in wheels}
        self._lock = threading.Lock()

    @property
    def bytes_total(self) -> int:
        """Bytes of all files, as far as they are known."""
        with self._lock:
            return sum(max(self._sizes[file], self._done[file]) for file in self._sizes)

    @property
    def bytes_done(self) -> int:
        """Bytes that are there."""
        with self._lock:
            return sum(self._done.values())

    def run(self) -> Job[None]:
        """Download; closing the generator stops it, and keeps what is there.

        Raises:
            PaintoverError: a file could not be had.
        """
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        speed = _Speed()
        try:
            while any(thread.is_alive() for thread in threads):
                yield self._progress(speed)
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(1.0)  # one that waits for the network ends later, by itself
        if self._error is not None:
            raise self._error
        yield self._progress(speed)

    def _progress(self, speed: _Speed) -> Progress:
        done, total = self.bytes_done, self.bytes_total
        rate = speed.after(done)
        text = f"{faults.megabytes(done)} of {faults.megabytes(total)}"
        left = -1.0
        if rate > 0:
            text += f", {rate / 1e6:.1f} MB/s"
            left = (total - done) / rate
        return Progress(done / max(1, total), left, text)

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                wheel = self._waiting.popleft()
            except IndexError:
                return
            try:
                self._fetch(wheel)
            except _Stopped:
                return
            except BaseException as error:
                self._error = self._error or error
                self._stop.set()
                return

    def _fetch(self, wheel: builds.Wheel) -> None:
        target = self._folder / wheel.file
        try:
            if is_right(target, wheel):
                self._tell(wheel, target.stat().st_size)
                return
            self._fetch_part(wheel, part_of(target), target)
        except OSError as error:
            raise faults.disk_error(error, self._folder) from error

    def _fetch_part(self, wheel: builds.Wheel, part: Path, target: Path) -> None:
        was_there = _size(part) > 0
        located = self._receive_patiently(wheel, part)
        if not _has_digest(part, located) and was_there:  # begun from another file, or damaged
            part.unlink(missing_ok=True)
            self._tell(wheel, 0)
            located = self._receive_patiently(wheel, part)
        if not _has_digest(part, located):
            part.unlink(missing_ok=True)
            self._tell(wheel, 0)
            raise faults.LastingError(
                f"{wheel.file} arrived damaged (its digest is wrong) and was deleted; press "
                f"Install Engine again. If it happens again, something between here and "
                f"{web.host_of(located.url)} changes downloads: ask your IT, "
                f"{faults.OFFLINE_WAY}."
            )
        part.replace(target)
        self._tell(wheel, target.stat().st_size)

    def _receive_patiently(self, wheel: builds.Wheel, part: Path) -> builds.Wheel:
        """Receive a file, trying again where the connection breaks; returns its address."""
        failures = 0
        while True:
            before = _size(part)
            try:
                located = self._locate(wheel)
                self._receive(located, part)
                return located
            except faults.LastingError:
                raise
            except PaintoverError as error:
                failures = 1 if _size(part) > before else failures + 1
                _log.info("%s: attempt %d: %s", wheel.file, failures, error)
                if failures >= ATTEMPTS:
                    raise
                if self._stop.wait(FIRST_WAIT * 2 ** (failures - 1)):
                    raise _Stopped from error

    def _receive(self, wheel: builds.Wheel, part: Path) -> None:
        """Receive what is missing of a file. Raises PaintoverError, and OSError of the disk."""
        there = _size(part)
        if wheel.bytes and there == wheel.bytes:
            return
        headers = {"Range": f"bytes={there}-"} if there else {}
        host = web.host_of(wheel.url)
        try:
            answer = web.opened(wheel.url, headers)
        except (OSError, HTTPException) as error:
            if getattr(error, "code", 0) == 416:  # what is there is longer than the file
                part.unlink(missing_ok=True)
            raise faults.network_error(error, host) from error
        with contextlib.closing(answer):
            goes_on = there > 0 and answer.status == 206
            start = there if goes_on else 0
            length = answer.headers.get("Content-Length")
            if length and length.isdigit():
                self._know(wheel, start + int(length))
            with part.open("ab" if goes_on else "wb") as file:
                self._copy(wheel, answer, file, start, host)

    def _copy(
        self, wheel: builds.Wheel, answer: Any, file: BinaryIO, start: int, host: str
    ) -> None:
        count = start
        while True:
            if self._stop.is_set():
                raise _Stopped
            try:
                block = answer.read(_BLOCK)
            except (OSError, HTTPException) as error:
                raise faults.network_error(error, host) from error
            if not block:
                break
            file.write(block)
            count += len(block)
            self._tell(wheel, count)
        if count < self._sizes[wheel.file]:
            raise faults.network_error(ConnectionResetError("cut short"), host)

    def _tell(self, wheel: builds.Wheel, count: int) -> None:
        with self._lock:
            self._done[wheel.file] = count

    def _know(self, wheel: builds.Wheel, count: int) -> None:
        with self._lock:
            self._sizes[wheel.file] = count


class _Stopped(Exception):
    pass


class _Speed:
    """Bytes a second over the last seconds."""

    def __init__(self) -> None:
        self._seen: collections.deque[tuple[float, int]] = collections.deque()

    def after(self, done: int) -> float:
        now = time.monotonic()
        self._seen.append((now, done))
        while now - self._seen[0][0] > _WINDOW_SECONDS:
            self._seen.popleft()
        first_time, first = self._seen[0]
        return (
            max(0.0, (done - first) / (now - first_time))
            if now - first_time > _LEAST_SECONDS
            else 0.0
        )


def is_right(path: Path, wheel: builds.Wheel) -> bool:
    """Return whether a file is there and has the right length and digest. Raises OSError."""
    if not path.is_file() or (wheel.bytes and path.stat().st_size != wheel.bytes):
        return False
    return _has_digest(path, wheel)


def part_of(target: Path) -> Path:
    """Return the path of the incomplete file."""
    return target.with_name(f"{target.name}.part")


def _bytes_there(folder: Path, wheel: builds.Wheel) -> int:
    whole = folder / wheel.file
    return _size(whole) if whole.is_file() else _size(part_of(whole))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _has_digest(path: Path, wheel: builds.Wheel) -> bool:
    return not wheel.sha256 or _digest(path) == wheel.sha256


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
