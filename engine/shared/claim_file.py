# SPDX-License-Identifier: GPL-3.0-or-later
"""The file of a claim: how it is made, written again, read and removed, and whether it is locked.

``claims.py`` tells what claims are for. A file holds one line of JSON, as long for each beat, so
that it is written in place. Its holder keeps it open, with a lock where there are locks.
"""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import secrets
import sys
import time
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Annotated

from .checked import Length, Pattern, Range, from_data, parse_json
from .locks import is_at, try_lock
from .names import one_line
from .reading import open_file
from .temporary import free_name

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


@dataclasses.dataclass
class Held:
    """A claim of this process.

    Attributes:
        descriptor: of its file, open and locked.
        holder: what stands in it.
    """

    descriptor: int
    holder: Holder


def unknown() -> Holder:
    """Return the holder of a claim whose file tells nothing."""
    return Holder(0, "", "", "", 0, "")


def kernel() -> str:
    """Return a name that only processes on the same running machine have; "" if unknown."""
    with suppress(OSError):
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        return f"{boot[:40]} {platform.node()[:50]}"  # copies of a virtual machine share the first
    return f"{uuid.getnode():x} {platform.node()[:50]}"


def is_of_this_machine(holder: Holder) -> bool:
    """Return whether a claim was made on this machine since it was started."""
    return bool(holder.kernel) and holder.kernel == kernel()


def make(path: Path) -> Held | None:
    """Make the file of a claim; None if there is one.

    Raises:
        OSError: it cannot be written.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o666)
    except FileExistsError:
        return None
    holder = Holder(
        0,
        secrets.token_hex(8),
        kernel(),
        platform.node()[:100],
        os.getpid(),
        time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    )
    held = Held(descriptor, holder)
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


def write_beat(held: Held) -> None:
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


def read(path: Path) -> bytes:
    """Return the content of a claim's file.

    Raises:
        OSError: it is missing or cannot be read.
    """
    with open_file(path) as file:
        return file.read(_MOST_BYTES)


def read_token(path: Path) -> str | None:
    """Return the token of a claim's file; None if there is none, "" if it cannot be read."""
    try:
        return parse(read(path)).token
    except FileNotFoundError:
        return None
    except OSError:
        return ""


def parse(data: bytes) -> Holder:
    """Return who holds a claim, by the content of its file; ``unknown`` if that is no claim."""
    try:
        return from_data(Holder, parse_json(data))
    except ValueError:
        return unknown()


def is_alive_here(path: Path, data: bytes) -> bool | None:
    """Return whether a process of this machine holds a claim; if none does, it is removed.

    Args:
        path: of its file.
        data: what stood in it.

    Returns:
        None where there are no locks that tell.

    Raises:
        OSError: the file cannot be removed.
    """
    if sys.platform == "win32":  # which moves no file that another process has opened
        return not remove(path, data)
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
        return not (is_free and remove(path, data))
    finally:
        os.close(descriptor)


def is_unlocked(path: Path) -> bool | None:
    """Return whether no process of this machine has locked a file; None if that is unknown."""
    try:
        with open_file(path) as file:
            return try_lock(file.fileno())
    except OSError:
        return None


def remove(path: Path, data: bytes) -> bool:
    """Remove the file of a claim that nobody holds, and return whether it is gone.

    Args:
        path: of the file.
        data: what stood in it; if it is another by now, it stays.

    Raises:
        OSError: it cannot be removed.
    """
    aside = free_name(path)
    try:
        path.rename(aside)
    except FileNotFoundError:
        return True
    except PermissionError:
        if sys.platform == "win32":
            return False
        raise
    is_it = read(aside) == data
    if not is_it:
        with suppress(OSError):
            os.link(aside, path)
    aside.unlink()
    return is_it
