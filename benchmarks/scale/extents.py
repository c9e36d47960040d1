# SPDX-License-Identifier: GPL-3.0-or-later
"""The size of the benchmark: frame sizes and lengths of shots."""

from __future__ import annotations

import dataclasses

from benchmarks.speed.extents import FileJob, Size


@dataclasses.dataclass(frozen=True)
class Extent:
    """The size of the benchmark.

    Attributes:
        rendered: the captured shot that all others are made of.
        sizes: frame sizes whose frames are timed, and which the model is of.
        timed: frames of these sizes.
        chunked: the shot that is painted by one process and by several.
        long: frames of the shot whose status is read, and whose capture is noted.
        imported: frames of a short and a long import.
        stylized: frames of a short and a long shot that are stylized.
        noted: frames that are noted at the begin and at the end of the capture.
    """

    rendered: FileJob
    sizes: tuple[Size, ...]
    timed: int
    chunked: FileJob
    long: int
    imported: tuple[int, int]
    stylized: tuple[int, int]
    noted: int


_RENDERED = FileJob(Size(480, 270), 6)
FULL = Extent(
    rendered=_RENDERED,
    sizes=(Size(480, 270), Size(960, 540), Size(1920, 1080), Size(3840, 2160)),
    timed=5,
    chunked=FileJob(Size(1920, 1080), 96),
    long=5000,
    imported=(300, 3000),
    stylized=(200, 2000),
    noted=100,
)
SHORT = dataclasses.replace(
    FULL,
    sizes=FULL.sizes[:2],
    chunked=FileJob(Size(960, 540), 16),
    long=500,
    imported=(30, 300),
    stylized=(30, 300),
    noted=20,
)
