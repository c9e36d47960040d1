# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests of files and data, atomic writing, and reading of files that others replace."""

from __future__ import annotations

import errno
import functools
import hashlib
import json
import os
import shutil
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from .errors import PaintoverError
from .links import refuse_link
from .places import check_place
from .temporary import temporary_file, temporary_folder
from .write_errors import why_not_written

_Read = TypeVar("_Read")
_Digest = TypeVar("_Digest")
_Found = TypeVar("_Found")

_NO_ROOM_OR_RIGHT = (
    *(errno.EEXIST, errno.ENOENT, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES),
)
_ENCODER = json.JSONEncoder(sort_keys=True)
MOST_DIGESTED, _END = 1 << 30, 1 << 24
"""Bytes up to which all of a file counts in its digest, and bytes of each end that count else."""
ATTEMPTS = 5
"""How often files are read until they stay the same meanwhile."""


def is_text(name: str) -> bool:
    """Return whether a file name is valid text; those of old disks may be in another encoding."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def as_text(name: object) -> str:
    """Return a name, or a sentence with one, with escapes for what is no valid text."""
    return str(name).encode(errors="backslashreplace").decode()


def check_text(name: str) -> None:
    """Raise PaintoverError if a name is no valid text; see ``is_text``."""
    if not is_text(name):
        raise PaintoverError(f"The name {as_text(name)} is not valid text (UTF-8); rename it.")


def digest_bytes(*parts: bytes) -> str:
    """Return a 32-character hexadecimal BLAKE2b digest of byte strings."""
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        hasher.update(len(part).to_bytes(8, "little"))
        hasher.update(part)
    return hasher.hexdigest()


def digest_json(value: Any) -> str:
    """Return the digest of JSON data; the order of keys does not matter."""
    return digest_bytes(_ENCODER.encode(value).encode())


def read_by_state(
    read: Callable[[Path], _Found], missing: _Found
) -> Callable[[Path | str], _Found]:
    """Return a reader of files that reads a file again only when it has changed.

    What was read is kept by path, inode, size and modification time for the life of the process.

    Args:
        read: reads a file; what it returns must not be changed.
        missing: what is returned where there is no such file.
    """
    known: dict[str, tuple[tuple[int, int, int], _Found]] = {}

    def cached(path: Path | str) -> _Found:
        name = os.fspath(path)
        try:
            now = os.stat(name)  # noqa: PTH116 - a tenth of the time of pathlib's
        except OSError:  # also where the disk cannot tell, as for a name that is too long
            return missing
        if not stat.S_ISREG(now.st_mode):
            return missing
        state = (now.st_ino, now.st_size, now.st_mtime_ns)
        before = known.get(name)
        if before is not None and before[0] == state:
            return before[1]
        found = read(Path(path))
        known[name] = (state, found)
        return found

    return cached


def cached_by_state(digest: Callable[[Path], str]) -> Callable[[Path | str], str]:
    """Return a digest of files that is "" if there is no such file; see ``read_by_state``."""
    return functools.wraps(digest)(read_by_state(digest, ""))


@cached_by_state
def digest_file(path: Path) -> str:
    """Return the BLAKE2b digest of a file; see ``cached_by_state``.

    Of files longer than ``MOST_DIGESTED``, which Paintover never reads whole, the length and both
    ends count.
    """
    hasher = hashlib.blake2b(digest_size=16)
    with path.open("rb") as file:
        length = file.seek(0, 2)
        parts = [(0, length)]
        if length > MOST_DIGESTED:
            hasher.update(length.to_bytes(8, "little"))
            parts = [(0, _END), (length - _END, length)]
        for start, end in parts:
            file.seek(start)
            while block := file.read(min(end - file.tell(), 1 << 20)):
                hasher.update(block)
    return hasher.hexdigest()


@contextmanager
def written_beside(path: Path, ready: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """Write a file atomically: yield a temporary path that replaces ``path`` on success.

    After an exception the temporary file is deleted and ``path`` is unchanged. A link at ``path``
    is replaced; nothing is written through it. The temporary name keeps the suffix, because image
    writers choose the format by it.

    Args:
        path: the file.
        ready: called with the temporary file when it is whole, just before it replaces ``path``.

    Raises:
        PaintoverError: the file cannot be written, for example because the disk is full or a
            link leads out of the shot folder.
    """
    try:
        check_place(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(path) as temporary:
            yield temporary
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            if ready:
                ready(temporary)
            temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error


def cannot_write(path: Path, error: OSError) -> PaintoverError:
    """Return the error for a file that cannot be written."""
    return PaintoverError(f"Cannot write {path}{why_not_written(path, error)}.")


def write_bytes(path: Path, data: bytes, ready: Callable[[Path], None] | None = None) -> None:
    """Write a file atomically; see ``written_beside``.

    Raises PaintoverError if it cannot be written.
    """
    with written_beside(path, ready) as temporary:
        temporary.write_bytes(data)


def append(path: Path, data: bytes) -> None:
    """Add data to the end of a file, made if needed, at once.

    Nothing is added through a link, nor to what is no regular file. A file with further names,
    such as in a backup that shares files, is copied first: only this name gets the data.

    Raises:
        OSError: the file cannot be written.
        PaintoverError: as ``check_place``.
    """
    check_place(path)
    refuse_link(path)
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | getattr(os, "O_BINARY", 0)
    flags |= getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(path, flags, 0o666), "ab", buffering=0) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no file", str(path))
        if os.fstat(file.fileno()).st_nlink <= 1:
            file.write(data)
            return
    with temporary_file(path) as temporary:
        shutil.copyfile(path, temporary)
        with temporary.open("ab") as file:
            file.write(data)
        temporary.replace(path)


def link_or_copy(path: Path, target: Path) -> None:
    """Give a file a second name, or copy it where the drive knows no such links.

    Raises:
        FileExistsError: the name is taken.
        OSError: it cannot be written.
    """
    if not path.is_symlink():
        try:
            os.link(path, target)
            return
        except OSError as error:
            if error.errno in _NO_ROOM_OR_RIGHT:
                raise
    target.open("xb").close()  # takes the name; a copy replaces it
    try:
        with temporary_file(target) as temporary:
            shutil.copy2(path, temporary)
            temporary.replace(target)
    except OSError:
        target.unlink()
        raise


def give_name(path: Path, name: Path) -> None:
    """Give a file a further name, or copy it; the file of that name before is replaced at once.

    Raises:
        PaintoverError: it cannot be written.
    """
    try:
        check_place(name)
        name.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(name) as folder:  # its lock keeps other jobs from deleting it
            linked = folder / name.name
            link_or_copy(path, linked)
            with linked.open("rb+") as file:
                os.fsync(file.fileno())
            linked.replace(name)
    except OSError as error:
        raise cannot_write(name, error) from error


def delete(path: Path) -> None:
    """Delete a file that may be gone already. Raises PaintoverError if it cannot be deleted."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:  # such as that of a file that is open, in Windows
        raise PaintoverError(
            f"{path} cannot be deleted ({error.strerror or error}); close the programs that use "
            "it, and try again."
        ) from error


def move(source: Path, target: Path) -> None:
    """Move a file, replacing another at once, also where a folder is a link to another disk.

    Raises:
        OSError, PaintoverError: it cannot be written.
    """
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        with written_beside(target) as temporary:
            shutil.copyfile(source, temporary)
        source.unlink()


def read_unchanged(
    digest: Callable[[], _Digest], read: Callable[[], _Read], what: str
) -> tuple[_Read, _Digest]:
    """Read files, again if they are replaced meanwhile.

    Args:
        digest: returns the digest of the files as they are now.
        read: reads them.
        what: names them in the error's sentence.

    Returns:
        What was read, and its digest.

    Raises:
        PaintoverError: the files change all the time.
    """
    before = digest()
    for _ in range(ATTEMPTS):
        found = read()
        after = digest()
        if after == before:
            return found, before
        before = after
    raise PaintoverError(f"{what} changes while it is read; try again when it is written.")
