# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a movie goes on where its file ends: FFmpeg reads what is there of one that was cut."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, BinaryIO

from ..shared.frame_lists import counted
from ..shared.reading import open_file

_INDEXED = "mov"
"""What the name of the format of MP4 and QuickTime movies begins with."""
_MISSING = 1.5
"""Frames that must be missing in a movie that tells its length in seconds alone."""
_UNSURE = 0.1
"""Share of its length that must be missing in one whose sound may last longer."""
_GIF, _GIF_END, _GIF_NOTE, _GIF_PICTURE = b"GIF8", 0x3B, 0x21, 0x2C


class MovieLength:
    """How long a movie says that it is.

    Attributes:
        frames: how many frames its header counts, 0 if it does not.
        seconds: how long its pictures last, 0 if it does not say it.
    """

    def __init__(self, container: Any, stream: Any) -> None:
        """Read what the header of an open movie says of one of its streams."""
        self._container, self._stream = container, stream
        self.frames: int = stream.frames
        self.seconds, self._is_sure = _seconds(container, stream)

    def read_index(self) -> None:
        """Count the frames in the index, too; in some movies it is read along with the frames.

        The header of a movie that was trimmed without coding it anew counts all of its frames.
        """
        if self._container.format.name.startswith(_INDEXED):
            index = self._stream.index_entries
            self.frames = sum(not entry.is_discard for entry in index) or self.frames

    def missing(self, frames: int, seconds: float, frame: float) -> str:
        """Return what is missing at the end, as part of a sentence, "" if nothing is.

        Args:
            frames: how many were read.
            seconds: when the last of them ends.
            frame: how long a frame lasts.
        """
        if frames < self.frames and not self._stream.frames:  # what is cut off has its own index
            return breaks_off(frames)
        if frames < self.frames:
            return f"should have {counted(self.frames, 'frame')}, but only {frames} can be read"
        tolerated = _MISSING * frame if self._is_sure else _UNSURE * self.seconds + frame
        if not self.frames and seconds < self.seconds - tolerated:
            return f"should last {self.seconds:.3g} seconds, but only {seconds:.3g} can be read"
        return ""


def breaks_off(frames: int) -> str:
    """Return that a movie ends early, as part of a sentence, where its length is not known."""
    return f"breaks off after {counted(frames, 'frame')}"


def _seconds(container: Any, stream: Any) -> tuple[float, bool]:
    """Return how long the pictures last, and whether this is said of them alone."""
    is_alone = len(container.streams) == 1
    if stream.duration:
        return float(stream.duration * stream.time_base), is_alone
    told = re.fullmatch(r"(\d+):(\d+):(\d+\.\d+)", stream.metadata.get("DURATION", ""))
    if told:
        return float(told[1]) * 3600 + float(told[2]) * 60 + float(told[3]), True
    return (container.duration / 1e6 if container.duration else 0.0), is_alone


def is_cut_gif(path: Path) -> bool:
    """Return whether a file is a GIF that ends before its mark of the end.

    A GIF tells nowhere how many frames it has.

    Raises:
        OSError: the file may not be read, or is none.
    """
    with open_file(path) as file:
        head = file.read(13)
        if head[:4] != _GIF:
            return False
        _skip_palette(file, head[10:11])
        while (block := file.read(1)) and block[0] != _GIF_END:
            if block[0] == _GIF_PICTURE:
                _skip_palette(file, file.read(9)[8:])
            elif block[0] != _GIF_NOTE:
                return True
            file.seek(1, 1)  # the kind of the note, or of the packing
            while (length := file.read(1)) and length[0]:
                file.seek(length[0], 1)
        return not block


def _skip_palette(file: BinaryIO, flags: bytes) -> None:
    if flags and flags[0] & 0x80:
        file.seek(3 << ((flags[0] & 7) + 1), 1)
