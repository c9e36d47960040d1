# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sweep compares its trials on, noted in its folder so that it goes on with the same."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

from ..shared.checked import Digest, Frame, OneOf, Pattern, Range, from_data
from ..shared.errors import DamagedError
from ..shared.files import write_bytes
from ..shared.names import NAME
from ..shared.reading import read_json
from .space import PAPER, SHOT

RECORD = "sweep.json"
_MOST_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True)
class SweepRecord:
    """What all trials of a sweep have in common.

    Attributes:
        space: ``shot`` or ``paper``.
        paintings: keyframe → ``Shot.key_digest``.
        guides: all guides of the shot, in channel order.
        steps: training steps of a trial, or 0.
        seconds: seconds of a trial, where ``steps`` is 0.
        device: in words, where trials have equal seconds, since they compare only on one device.
    """

    space: Annotated[str, OneOf((SHOT, PAPER))]
    paintings: dict[Frame, Digest]
    guides: list[Annotated[str, Pattern(NAME)]]
    steps: Annotated[int, Range(0, 1e12)]
    seconds: Annotated[float, Range(0, 1e12)]
    device: Annotated[str, Pattern(r"[^\x00-\x1f\x7f-\x9f\u2028\u2029]{0,200}")]
    version: Annotated[int, Range(1, 1)] = 1

    @property
    def trial_in_words(self) -> str:
        """How long a trial trains."""
        return f"{self.steps} steps" if self.steps else f"{self.seconds:g} s on {self.device}"

    def other_than(self, wanted: SweepRecord) -> str:
        """Return in words why trials do not compare with those of another record, "" if they do."""
        if self.space != wanted.space:
            return "it searches other settings"
        if self.paintings != wanted.paintings:
            return "the paintings or their frames have changed since"
        if self.guides != wanted.guides:
            return "the shot has other passes or guides now"
        if (self.steps, self.seconds) != (wanted.steps, wanted.seconds):
            return f"its trials take {self.trial_in_words}"
        if self.device != wanted.device:
            return f"its trials were timed on another device, {self.device}"
        return ""


def read_record(folder: Path) -> SweepRecord | None:
    """Read the record of a sweep; None if there is none yet.

    Raises:
        PaintoverError: it is damaged.
    """
    path = folder / RECORD
    try:
        return from_data(SweepRecord, read_json(path, _MOST_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise DamagedError(
            f"{path} is damaged; rename the folder {folder}, and begin the sweep again."
        ) from error


def write_record(folder: Path, record: SweepRecord) -> None:
    """Write the record of a sweep. Raises PaintoverError if it cannot be written."""
    data = json.loads(json.dumps(dataclasses.asdict(record)))
    write_bytes(folder / RECORD, (json.dumps(data, indent=1) + "\n").encode())
