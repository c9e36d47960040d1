# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests of files, and writing them whole or not at all. Standard library only."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from .errors import PaintoverError


def digest_bytes(*parts: bytes) -> str:
    """Return a 32-character hexadecimal BLAKE2b digest of byte strings."""
    hasher = hashlib.blake2b(digest_size=16)
    for part in parts:
        hasher.update(len(part).to_bytes(8, "little"))
        hasher.update(part)
    return hasher.hexdigest()


def digest_json(value: Any) -> str:
    """Return the digest of plain data (dicts, lists, strings, numbers), whatever the key order."""
    return digest_bytes(json.dumps(value, sort_keys=True).encode())


_file_digests: dict[tuple[str, int, int], str] = {}


def digest_file(path: Path) -> str:
    """Return the digest of a file's bytes, or "" where there is no such file.

    Digests are remembered by path, size and modification time while the process lives.
    """
    try:
        stat = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return ""
    known = (str(path), stat.st_size, stat.st_mtime_ns)
    if known not in _file_digests:
        hasher = hashlib.blake2b(digest_size=16)
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                hasher.update(block)
        _file_digests[known] = hasher.hexdigest()
    return _file_digests[known]


@contextmanager
def written_beside(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; on success it replaces ``path``, else it is removed.

    The temporary name keeps the suffix, since image writers choose the format by it.

    Raises:
        PaintoverError: the folder is read-only or the disk is full.
    """
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.tmp{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise PaintoverError(
            f"Cannot write {path}: {error.strerror or error}; free some space, or choose a "
            "shot folder that you may write to."
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. Raises PaintoverError where it cannot be written."""
    with written_beside(path) as temporary:
        temporary.write_bytes(data)
