# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of a stylized frame: what it was made from, so that it is known to be up to date."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

from .checked import Digest, OneOf, Range, from_data
from .files import read_by_state, write_bytes
from .reading import read_json
from .shot_paths import OUT_SUFFIXES

MOST_RECORD = 1 << 16
"""Most bytes of the notes on a stylized frame."""


@dataclasses.dataclass(frozen=True)
class OutRecord:
    """Digests of everything that a stylized frame depends on; up to date while they match.

    Equal records may differ in ``pictures``, which the frame does not depend on.
    """

    file: str
    input: Digest
    style: Digest
    settings: Digest
    light: Annotated[float, Range(0, 1)] = 0.5
    """As ``protocol.Stylize.light``; 0.5 if the style does not use it."""
    unpainted: Annotated[str, OneOf(("frame", "nothing"))] = "frame"
    """As ``protocol.Stylize.unpainted``; ``frame`` if the style does not learn alpha and the shot
    has no mattes."""
    pictures: dict[str, list[Digest]] = dataclasses.field(default_factory=dict, compare=False)
    """File name → digests of the pictures that jobs have written there, in each format; two while
    one is replaced. A picture with another digest is someone's. Earlier versions noted none."""

    def depends_on(self) -> dict[str, object]:
        """Return what the frame depends on, by its names here."""
        return {name: value for name, value in vars(self).items() if name != "pictures"}


def write_record(path: Path, record: OutRecord) -> None:
    """Write a record, whole or not at all. Raises PaintoverError if it cannot be written."""
    write_bytes(path, json.dumps(dataclasses.asdict(record)).encode())


def _parse_record(path: Path) -> OutRecord | None:
    try:
        data = read_json(path, MOST_RECORD)
        # An earlier version noted the picture of the last format alone.
        if isinstance(data, dict) and (written := data.pop("written", "")):
            data["pictures"] = {from_data(str, data.get("file")): [written]}
        record = from_data(OutRecord, data)
    except (OSError, ValueError):
        return None
    names = {path.stem + suffix for suffix in OUT_SUFFIXES}
    return record if {record.file, *record.pictures} <= names else None


read_record = read_by_state(_parse_record, None)
"""Reads a record; None if it is missing or damaged."""
