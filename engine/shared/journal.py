# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames that were captured since ``shot.json`` was written, a line each in ``shot.journal``.

Writing the whole manifest for each frame would cost as much as the shot is long. The first line of
the journal is the digest of the manifest that it goes on from; with any other it does not count.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from .checked import Frame, from_data, parse_json
from .files import append, digest_file, write_bytes
from .manifest import FrameRecord, record_to_data
from .reading import MOST_JSON, open_file

JOURNAL_NAME = "shot.journal"
MOST_LINES = 50_000
"""Most lines that are read …"""
MOST_TORN = 100
"""… and most of them that are not whole; each writer that is killed may leave one."""
_LONG = 80 * MOST_LINES
"""Bytes from which on a journal is long; a line has more than 80."""


@dataclasses.dataclass(frozen=True)
class _Entry:
    frame: Frame
    record: FrameRecord


def note(manifest: Path, frame: int, record: FrameRecord) -> None:
    """Add a frame, in the place of an earlier one of its number.

    Args:
        manifest: path of ``shot.json``.
        frame: its number.
        record: of the frame.

    Raises:
        OSError, PaintoverError: the journal cannot be written.
        ValueError: it would not be read again.
    """
    path, head = manifest.with_name(JOURNAL_NAME), _head(manifest)
    data = {"frame": frame, "record": record_to_data(record)}
    from_data(_Entry, data)
    line = json.dumps(data, allow_nan=False).encode() + b"\n"
    try:
        with open_file(path) as file:
            goes_on = file.read(len(head)) == head
            file.seek(-1, 2)
            is_whole = file.read() == b"\n"
    except OSError:
        goes_on = is_whole = False
    if not goes_on:
        write_bytes(path, head + line)
    else:  # a writer that was killed may have left half a line
        append(path, line if is_whole else b"\n" + line)


def is_long(manifest: Path) -> bool:
    """Return whether the journal of a manifest is so long that the manifest is to be written."""
    return manifest.with_name(JOURNAL_NAME).stat().st_size > _LONG


def noted(manifest: Path) -> dict[int, FrameRecord]:
    """Return the frames in the journal of a manifest; lines that are not whole do not count.

    Nor do those after very many, whole or not: someone else may have made the file.
    """
    try:
        with open_file(manifest.with_name(JOURNAL_NAME)) as file:
            data = file.read(MOST_JSON)
        head = _head(manifest)
    except OSError:
        return {}
    found: dict[int, FrameRecord] = {}
    torn = 0
    lines = data.removeprefix(head).split(b"\n", MOST_LINES) if data.startswith(head) else []
    for line in lines[:MOST_LINES]:
        try:
            entry = from_data(_Entry, parse_json(line))
        except ValueError:
            torn += 1
            if torn > MOST_TORN:
                break
            continue
        found[entry.frame] = entry.record
    return found


def _head(manifest: Path) -> bytes:
    return digest_file(manifest).encode() + b"\n"
