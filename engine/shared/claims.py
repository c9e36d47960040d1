# SPDX-License-Identifier: GPL-3.0-or-later
"""Claims of processes on parts of a shot folder, on one machine or on many.

A claim is a small file that its holder makes exclusively and then writes again every ``BEAT``
seconds with a higher number. Others compare what they see of it over their own seconds, so clocks
need not agree, and no lock is needed: a claim that stays the same for ``STALE`` seconds is that of
a holder that is gone. On the same machine that is known at once, by a lock that ends with its
process. A holder that was only suspended finds that it has lost its claim.

    with Claims() as claims:
        holder = claims.take(path)
        if holder is None:  # ours, until it is released
            ...

Two holders at once are possible for some seconds where a suspended one goes on: what is written
must be whole files, renamed into place, as everywhere in a shot folder.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from . import claim_file
from .claim_file import Held, Holder
from .errors import Cancelled, PaintoverError
from .files import cannot_write
from .places import check_place

BEAT = 2.0
"""Seconds between two signs of life of a holder."""
STALE = 30.0
"""Seconds without a sign of life, after which a claim may be taken over."""
_LOOK = 0.1
"""Seconds between two looks at another's claim."""
_ATTEMPTS = 20


@dataclasses.dataclass
class _Seen:
    """What was seen of a claim of another machine, and since when it has stayed the same."""

    data: bytes
    since: float
    has_beaten: bool = False

    @property
    def seconds(self) -> float:
        """For how long the claim has stayed the same."""
        return time.monotonic() - self.since


def _note(seen: dict[Path, _Seen], path: Path, data: bytes) -> _Seen:
    """Note what stands in a claim, and return what is known of it."""
    before = seen.get(path)
    if before is None or before.data != data:
        has_beaten = before is not None and _token(before.data) == _token(data)
        seen[path] = _Seen(data, time.monotonic(), has_beaten)
    return seen[path]


def _token(data: bytes) -> str:
    return claim_file.parse(data).token


class Claims:
    """The claims of one job; a thread shows that it lives. To be closed, or used by ``with``.

    Args:
        beat: seconds between two signs of life; as ``BEAT`` but in tests.
        stale: seconds after which another's claim counts no more, far more than ``beat``.
    """

    def __init__(self, beat: float = BEAT, stale: float = STALE) -> None:
        self._beat_seconds, self._stale = beat, stale
        self._held: dict[Path, Held] = {}
        self._seen: dict[Path, _Seen] = {}
        self._lock = threading.RLock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Claims:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def take(self, path: Path) -> Holder | None:
        """Take a claim if nobody has it, without waiting.

        Call it again, with the same object, to learn whether its holder lives.

        Args:
            path: of the claim's file; its name begins with a dot and ends with ``.claim``.

        Returns:
            None if it is ours now, else who holds it.

        Raises:
            PaintoverError: it cannot be written or read.
        """
        with self._lock:
            if path in self._held:
                return None
            check_place(path)
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                for _ in range(_ATTEMPTS):
                    held = claim_file.make(path)
                    if held is not None:
                        self._keep(path, held)
                        return None
                    found = self._look(path)
                    if found is not None:
                        return found
            except OSError as error:
                raise cannot_write(path, error) from error
            return claim_file.unknown()

    def settle(self, path: Path, is_cancelled: Callable[[], bool] = lambda: False) -> Holder | None:
        """Take a claim, and wait until it is ours or its holder has shown that it lives.

        Args:
            path: as in ``take``.
            is_cancelled: asked several times a second whether to wait no longer.

        Returns:
            None if it is ours now, else who holds it. It takes ``STALE`` seconds at most.

        Raises:
            PaintoverError: as ``take``.
        """
        while True:
            holder = self.take(path)
            if holder is None or holder.is_sure or is_cancelled():
                return holder
            time.sleep(min(_LOOK, self._beat_seconds))

    def take_or_refuse(
        self,
        path: Path,
        what: str,
        wait: Callable[[Holder], object],
        is_cancelled: Callable[[], bool],
    ) -> None:
        """Take a claim, or wait until it is known that its holder lives.

        Args:
            path: as in ``take``.
            what: as in ``refusal``.
            wait: is told the holder if it must be waited for.
            is_cancelled: as in ``settle``.

        Raises:
            PaintoverError: as ``take``, or the holder lives.
            Cancelled: the wait was cancelled.
        """
        holder = self.take(path)
        if holder is not None and not holder.is_sure:
            wait(holder)
            holder = self.settle(path, is_cancelled)
        if holder is None:
            return
        if not holder.is_sure:
            raise Cancelled
        raise refusal(what, holder)

    def is_ours(self, path: Path) -> bool:
        """Return whether a claim that was taken is still ours, as its file tells.

        A claim whose file was deleted is made anew.
        """
        with self._lock:
            held = self._held.get(path)
            return held is not None and self._is_ours(path, held)

    def release(self, path: Path) -> None:
        """Give a claim back."""
        with self._lock:
            held = self._held.pop(path, None)
            if held is None:
                return
            is_ours = claim_file.read_token(path) == held.holder.token
            if sys.platform == "win32":  # which deletes no open files
                os.close(held.descriptor)
            if is_ours:
                with suppress(OSError):
                    path.unlink()
            if sys.platform != "win32":
                os.close(held.descriptor)

    def close(self) -> None:
        """Give all claims back."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
        for path in list(self._held):
            self.release(path)

    def _keep(self, path: Path, held: Held) -> None:
        self._held[path] = held
        self._seen.pop(path, None)
        if self._thread is None:
            self._thread = threading.Thread(target=self._beat_on, name="claims", daemon=True)
            self._thread.start()

    def _beat_on(self) -> None:
        while not self._stop.wait(self._beat_seconds):
            with self._lock:
                for path, held in self._held.items():
                    if self._is_ours(path, held):
                        claim_file.write_beat(held)

    def _is_ours(self, path: Path, held: Held) -> bool:
        token = claim_file.read_token(path)
        if token is None:
            with suppress(OSError):  # the shot folder itself may be gone
                made = claim_file.make(path)
                if made is None:
                    return False
                os.close(held.descriptor)
                held.descriptor, held.holder = made.descriptor, made.holder
            return True
        return token == held.holder.token

    def _look(self, path: Path) -> Holder | None:
        """Return who holds a claim; None if nobody does any more."""
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            path.unlink(missing_ok=True)  # no claim of ours
            return None
        try:
            data = claim_file.read(path)
        except FileNotFoundError:
            return None
        holder = claim_file.parse(data)
        if claim_file.is_of_this_machine(holder):
            is_alive = claim_file.is_alive_here(path, data)
            if is_alive is not None:
                return _sure(holder) if is_alive else None
        seen = _note(self._seen, path, data)
        if seen.seconds > self._stale:
            del self._seen[path]
            return None if claim_file.remove(path, data) else holder
        return _sure(holder) if seen.has_beaten else holder


def holder_of(path: Path) -> Holder | None:
    """Return who holds a claim, or has held it until it was killed; None if nobody does."""
    with suppress(OSError):
        return claim_file.parse(claim_file.read(path))
    return None


_watched: dict[Path, _Seen] = {}


def is_held(path: Path, stale: float = STALE) -> bool:
    """Return whether the holder of a claim lives; the claim is only looked at.

    On this machine that is known at once. A holder elsewhere counts as alive until its claim has
    stayed the same for ``stale`` seconds, so ask again to learn it.
    """
    try:
        data = claim_file.read(path)
    except OSError:
        _watched.pop(path, None)
        return False
    if claim_file.is_of_this_machine(claim_file.parse(data)):
        is_unlocked = claim_file.is_unlocked(path)
        if is_unlocked is not None:
            return not is_unlocked
    return _note(_watched, path, data).seconds <= stale


def refusal(what: str, holder: Holder) -> PaintoverError:
    """Return the error for something that another process is doing already.

    Args:
        what: a clause such as ``The style "ink" is being trained``.
        holder: who holds the claim.
    """
    return PaintoverError(f"{what} by {holder}; wait until it has ended, or stop it there.")


def _sure(holder: Holder) -> Holder:
    holder.is_sure = True
    return holder
