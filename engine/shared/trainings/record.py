# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of one training: how it ran, written while it runs and when it ends."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from ..checked import Digest, Frame, Length, OneOf, Pattern, Range, from_data
from ..dates import LAST
from ..errors import DamagedError, LaterVersionError, PaintoverError
from ..files import write_bytes
from ..reading import read_json

RECORD_VERSION = 1
RUNNING, FINISHED, CONVERGED, STOPPED = "running", "finished", "converged", "stopped"
"""How a training ended: its time was over; it no longer improved; the user stopped it."""
INTERRUPTED = "interrupted"
"""State of one whose process was killed. Its file goes on saying "running": whether that is so is
known by its claim alone."""
MOST_ROWS = 256
"""Most rows of a curve."""
_MOST_BYTES = 1 << 20
_NOT_BELOW_0 = Range(0, 1e12)


@dataclasses.dataclass(frozen=True)
class TrainingRecord:
    """``styles/NAME/trainings/TRAINING.json``."""

    began: Annotated[float, Range(0, LAST)]
    """When it began, in seconds since 1970."""
    state: Annotated[str, OneOf((RUNNING, FINISHED, CONVERGED, STOPPED))]
    network: Annotated[str, Pattern(r"[\w-]{1,64}")]
    trained_on: dict[Frame, Digest]
    """Keyframe → its ``Shot.key_digest`` then."""
    judged: Digest
    """Of what the held-out figure was measured on: only figures with the same can be compared;
    "" with none."""
    held_out: Annotated[float, _NOT_BELOW_0] | None = None
    """Held-out loss of what was learnt, the lower the better; None: nothing is held out."""
    steps: Annotated[int, _NOT_BELOW_0] = 0
    seconds: Annotated[float, _NOT_BELOW_0] = 0.0
    """Of learning; those of the trainings that it continues are included."""
    curve: Annotated[list[Annotated[list[float], Length(4, 4)]], Length(0, MOST_ROWS)] = (
        dataclasses.field(default_factory=list)
    )
    """Rows of step, seconds, training loss and held-out loss (−1: none), on the same paintings."""
    style: Digest = ""
    """Digest of the style file that is kept of it; "" if none is."""
    version: Annotated[int, Range(1, RECORD_VERSION)] = RECORD_VERSION


def thinned(rows: Sequence[list[float]]) -> list[list[float]]:
    """Return at most ``MOST_ROWS`` rows of a curve, evenly, with its last."""
    step = -(-len(rows) // MOST_ROWS)
    return [*rows[len(rows) - 1 :: -step][::-1]] if rows else []


def figures(curve: Sequence[Sequence[float]]) -> list[tuple[float, float]]:
    """Return the seconds and held-out figures of the rows of a curve that have one."""
    return [(row[1], row[3]) for row in curve if row[3] >= 0]


def write_record(path: Path, record: TrainingRecord) -> None:
    """Write a record, whole or not at all. Raises PaintoverError if it cannot be written."""
    write_bytes(path, json.dumps(dataclasses.asdict(record), allow_nan=False).encode())


def read_record(path: Path) -> TrainingRecord:
    """Read a record.

    Raises:
        PaintoverError: it is missing, damaged or of a later version.
    """
    try:
        data = read_json(path, _MOST_BYTES)
        version = data.get("version") if isinstance(data, dict) else None
        if type(version) is int and version > RECORD_VERSION:
            raise LaterVersionError(
                f"{path} was written by a later Paintover, so this training is not shown; update "
                "Paintover to see it."
            )
        return from_data(TrainingRecord, data)
    except FileNotFoundError:
        raise PaintoverError(f"There is no training {path}.") from None
    except OSError as error:
        raise PaintoverError(
            f"Cannot read {path}: {error.strerror or error}, so this training is not shown; check "
            "its permissions."
        ) from error
    except ValueError as error:
        raise DamagedError(
            f"{path} is damaged, so this training is not shown; the style itself works, and "
            "deleting the file ends this notice."
        ) from error
