# SPDX-License-Identifier: GPL-3.0-or-later
"""Reports what is measured without truth, flicker and strokes: as table, JSON, lines of a log."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..frames.frame import read_frame
from ..shared.errors import Cancelled, PaintoverError
from ..shared.flicker_records import Flicker, describe, unsteady_frames
from ..shared.reporter import Reporter, Silent
from ..shared.shot import Shot
from .flicker_meter import FlickerMeter
from .painting_strokes import PaintingStrokes
from .results import mask_guides, mask_of, read_in_size, result_path


@dataclasses.dataclass(frozen=True)
class FlickerReport:
    """The flicker and the strokes of stylized frames.

    Attributes:
        style: the style's name.
        frames: frame → flicker; None where it was not measured.
        strokes: frame → distance from the strokes of the nearest painting, in 8-bit codes (see
            ``evaluation.strokes``), of the frames that have one.
    """

    style: str
    frames: Mapping[int, Flicker | None]
    strokes: Mapping[int, float]

    @property
    def measured(self) -> dict[int, Flicker]:
        """The frames that were measured."""
        return {frame: one for frame, one in self.frames.items() if one is not None}

    @property
    def unsteady(self) -> list[int]:
        """The frames that flicker much more than the others, sorted."""
        return unsteady_frames(self.measured)

    def as_data(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return {
            "style": self.style,
            "unsteady": self.unsteady,
            "frames": {
                str(frame): dataclasses.asdict(one) if one else None
                for frame, one in self.frames.items()
            },
            "strokes": {str(frame): value for frame, value in self.strokes.items()},
        }

    def as_table(self) -> str:
        """Return a table for people, one line per frame, and a sentence at the end."""
        unsteady = set(self.unsteady)
        lines = [f"{'frame':>9}{'flicker':>9}{'(own)':>9}{'strokes':>9}"]
        for frame, one in self.frames.items():
            cells = [f"{one.result:.2f}", f"{one.picture:.2f}"] if one else ["–", "–"]
            cells.append(f"{self.strokes[frame]:.3f}" if frame in self.strokes else "–")
            mark = "  unsteady" if frame in unsteady else ""
            lines.append("".join(f"{cell:>9}" for cell in (str(frame), *cells)) + mark)
        return "\n".join([*lines, describe(unsteady)])


def measure_flicker(
    shot: Shot, style: str, frames: Sequence[int] = (), report: Reporter | None = None
) -> FlickerReport:
    """Measure the flicker of stylized frames, and how far their strokes are from the painting's.

    Args:
        shot: the shot.
        style: the style whose frames are measured.
        frames: numbers of the frames; empty: all.
        report: receives progress, and may cancel.

    Raises:
        PaintoverError: a file is damaged or of another size, or no two successive frames are
            stylized.
        Cancelled: the reporter asked to stop.
    """
    report = report or Silent()
    wanted = sorted(set(frames)) or shot.frames
    meter = FlickerMeter(shot, style)
    paintings = PaintingStrokes(shot, style)
    found: dict[int, Flicker | None] = {}
    drawn: dict[int, float] = {}
    for number, frame in enumerate(wanted):
        if report.cancelled():
            raise Cancelled
        report.progress("score", number / len(wanted), -1, f"Frame {frame}")
        found[frame] = meter.flicker(frame)
        path = result_path(shot, style, frame)
        if path is not None and frame in shot.manifest.frames:
            mask = mask_of(read_frame(shot, frame, mask_guides(shot)))
            distance = paintings.distance(frame, read_in_size(shot, path), mask)
            drawn |= {} if distance is None else {frame: distance}
    if not any(found.values()):
        raise PaintoverError(
            f'There are no two successive frames of the style "{style}" in {shot.folder} to '
            "compare; stylize some first, and check that the mask is not empty."
        )
    return FlickerReport(style, found, drawn)


def log_lines(measured: Mapping[int, Flicker], unsteady: Collection[int]) -> list[str]:
    """Return lines for a log: one per measured frame, and a sentence on the unsteady frames.

    Args:
        measured: frame → its flicker.
        unsteady: the unsteady frames of the whole shot.
    """
    lines = [
        f"frame {frame}: flicker {one.result:.2f}, the picture's own {one.picture:.2f}"
        + (", unsteady" if frame in unsteady else "")
        for frame, one in sorted(measured.items())
    ]
    return [*lines, describe(unsteady)]
