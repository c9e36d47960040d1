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
import json
import os
import platform
import secrets
import sys
import threading
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from .checked import Length, Pattern, Range, from_data, parse_json
from .errors import PaintoverError
from .files import cannot_write
from .locks import is_at, try_lock
from .names import one_line
from .places import check_place
from .reading import open_file
from .temporary import free_name

BEAT = 2.0
"""Seconds between two signs of life of a holder."""
STALE = 30.0
"""Seconds without a sign of life, after which a claim may be taken over."""
_LOOK = 0.1
"""Seconds between two looks at another's claim."""
_ATTEMPTS = 20
_MOST_BYTES = 1024


@dataclasses.dataclass
class Holder:
    """Who holds a claim, as its file tells.

    Attributes:
        beat: a number that grows with each sign of life.
        token: random name of the claim.
        kernel: name of the machine's running system; "" where there is none.
        machine: name of the machine in the network.
        process: process number there.
        since: date and time of that machine's clock, for people.
        is_sure: whether it has been seen to live.
    """

    beat: Annotated[int, Range(0, 1 << 50)]
    token: Annotated[str, Pattern("[0-9a-f]{16}")]
    kernel: Annotated[str, Length(0, 100)]
    machine: Annotated[str, Length(0, 100)]
    process: Annotated[int, Range(0, 1 << 50)]
    since: Annotated[str, Pattern("[0-9: UTC-]{0,30}")]
    is_sure: bool = dataclasses.field(default=False, init=False)

    def __str__(self) -> str:
        """Return it in words, for sentences."""
        if not self.token:
            return "another process"
        return f"process {self.process} on {one_line(self.machine)} since {self.since}"


def _unknown() -> Holder:
    return Holder(0, "", "", "", 0, "")


@dataclasses.dataclass
class _Held:
    descriptor: int
    holder: Holder


@dataclasses.dataclass
class _Seen:
    data: bytes
    since: float
    has_beaten: bool = False


class Claims:
    """The claims of one job; a thread shows that it lives. To be closed, or used by ``with``.

    Args:
        beat: seconds between two signs of life; as ``BEAT`` but in tests.
        stale: seconds after which another's claim counts no more, far more than ``beat``.
    """

    def __init__(self, beat: float = BEAT, stale: float = STALE) -> None:
        self._beat_seconds, self._stale = beat, stale
        self._held: dict[Path, _Held] = {}
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
                    held = _made(path)
                    if held is not None:
                        self._keep(path, held)
                        return None
                    found = self._look(path)
                    if found is not None:
                        return found
            except OSError as error:
                raise cannot_write(path, error) from error
            return _unknown()

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
            is_ours = _token(path) == held.holder.token
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

    def _keep(self, path: Path, held: _Held) -> None:
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
                        _beat(held)

    def _is_ours(self, path: Path, held: _Held) -> bool:
        token = _token(path)
        if token is None:
            with suppress(OSError):  # the shot folder itself may be gone
                made = _made(path)
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
            data = _read(path)
        except FileNotFoundError:
            return None
        holder = _parsed(data)
        if holder.kernel and holder.kernel == _kernel():
            is_locked = _is_locked(path, data)
            if is_locked is not None:
                return _sure(holder) if is_locked else None
        now, seen = time.monotonic(), self._seen.get(path)
        if seen is None or seen.data != data:
            has_beaten = seen is not None and _parsed(seen.data).token == holder.token
            seen = self._seen[path] = _Seen(data, now, has_beaten)
        if now - seen.since > self._stale:
            del self._seen[path]
            return None if _removed(path, data) else holder
        return _sure(holder) if seen.has_beaten else holder


def holder_of(path: Path) -> Holder | None:
    """Return who holds a claim, or has held it until it was killed; None if nobody does."""
    with suppress(OSError):
        return _parsed(_read(path))
    return None


_watched: dict[Path, _Seen] = {}


def is_held(path: Path, stale: float = STALE) -> bool:
    """Return whether the holder of a claim lives; the claim is only looked at.

    On this machine that is known at once. A holder elsewhere counts as alive until its claim has
    stayed the same for ``stale`` seconds, so ask again to learn it.
    """
    try:
        data = _read(path)
    except OSError:
        _watched.pop(path, None)
        return False
    holder = _parsed(data)
    if holder.kernel and holder.kernel == _kernel():
        is_free = _is_free(path)
        if is_free is not None:
            return not is_free
    now, seen = time.monotonic(), _watched.get(path)
    if seen is None or seen.data != data:
        seen = _watched[path] = _Seen(data, now)
    return now - seen.since <= stale


def _is_free(path: Path) -> bool | None:
    """Return whether no process of this machine has locked a file; None if that is unknown."""
    try:
        with open_file(path) as file:
            return try_lock(file.fileno())
    except OSError:
        return None


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


def _kernel() -> str:
    """Return a name that only processes on the same running machine have; "" if unknown."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot[:40]} {platform.node()[:50]}"  # copies of a virtual machine share the first
    return f"{uuid.getnode():x} {platform.node()[:50]}"


def _made(path: Path) -> _Held | None:
    """Make the file of a claim; None if there is one."""
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except FileExistsError:
        return None
    holder = Holder(
        0,
        secrets.token_hex(8),
        _kernel(),
        platform.node()[:100],
        os.getpid(),
        time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    )
    held = _Held(descriptor, holder)
    try:
        for _ in range(_ATTEMPTS):  # another may look at it just now
            if try_lock(descriptor) is not False:
                break
            time.sleep(0.001)
        os.write(descriptor, _text(holder))
    except BaseException:
        os.close(descriptor)
        path.unlink(missing_ok=True)
        raise
    return held


def _beat(held: _Held) -> None:
    """Write a claim again, in place: if another has taken it over, that one's file stays."""
    held.holder = dataclasses.replace(held.holder, beat=held.holder.beat + 1)
    with suppress(OSError):
        os.lseek(held.descriptor, 0, os.SEEK_SET)
        os.write(held.descriptor, _text(held.holder))
        os.fsync(held.descriptor)  # a server of files hears of it now


def _text(holder: Holder) -> bytes:
    """Return the content of a claim's file, which is as long for each beat."""
    data = dataclasses.asdict(holder)
    data.pop("is_sure")
    beat = data.pop("beat")
    return f'{{"beat": {beat:16d}, {json.dumps(data)[1:]}\n'.encode()


def _read(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read(_MOST_BYTES)


def _token(path: Path) -> str | None:
    """Return the token of a claim's file; None if there is none."""
    try:
        return _parsed(_read(path)).token
    except FileNotFoundError:
        return None
    except OSError:
        return ""


def _parsed(data: bytes) -> Holder:
    try:
        return from_data(Holder, parse_json(data))
    except ValueError:
        return _unknown()


def _is_locked(path: Path, data: bytes) -> bool | None:
    """Return whether a process of this machine holds a claim; its file is removed if none does.

    None where there are no locks that tell.
    """
    if sys.platform == "win32":  # which moves no file that another process has opened
        return not _removed(path, data)
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        is_free = try_lock(descriptor)
        if is_free is None:
            return None
        if not is_at(path, descriptor):  # another has just removed it
            return False
        return not (is_free and _removed(path, data))
    finally:
        os.close(descriptor)


def _removed(path: Path, data: bytes) -> bool:
    """Remove the file of a claim that nobody holds, unless it is another by now."""
    aside = free_name(path)
    try:
        path.rename(aside)
    except FileNotFoundError:
        return True
    except PermissionError:
        if sys.platform == "win32":
            return False
        raise
    is_it = _read(aside) == data
    if not is_it:
        with suppress(OSError):
            os.link(aside, path)
    aside.unlink()
    return is_it
