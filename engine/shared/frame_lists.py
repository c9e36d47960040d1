# SPDX-License-Identifier: GPL-3.0-or-later
"""Frame lists such as ``1-30,45``, and frame numbers in file names."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .errors import PaintoverError


def parse_frames(text: str) -> list[int]:
    """Parse a frame list such as ``1-30,45``: inclusive ranges, negative frames allowed.

    Returns:
        The frames, sorted, each once.

    Raises:
        PaintoverError: the text is not a frame list.
    """
    frames: set[int] = set()
    for part in text.replace(" ", "").split(","):
        match = re.fullmatch(r"(-?\d+)(?:-(-?\d+))?", part)
        if not match:
            raise PaintoverError(f'"{text}" is not a frame list; write it like 1-30,45.')
        first, last = int(match[1]), int(match[2] or match[1])
        if last < first:
            raise PaintoverError(f'In "{text}" the range {part} ends before it starts.')
        frames.update(range(first, last + 1))
    return sorted(frames)


def format_frames(frames: Iterable[int]) -> str:
    """Format frames as a frame list: ``[1, 2, 3, 7]`` becomes ``1-3,7``."""
    parts: list[list[int]] = []
    for frame in sorted(set(frames)):
        if parts and frame == parts[-1][1] + 1:
            parts[-1][1] = frame
        else:
            parts.append([frame, frame])
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in parts)


def name_frames(frames: Iterable[int]) -> str:
    """Format frames for messages: ``[1, 2, 3, 7]`` becomes ``1-3, 7``."""
    return format_frames(frames).replace(",", ", ")


def counted(number: int, noun: str) -> str:
    """Format a number with its noun: ``1 frame``, ``30 frames``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def frame_name(frame: int) -> str:
    """Return a frame number as in file names: at least four digits, as Blender writes it."""
    return f"{frame:04d}" if frame >= 0 else f"-{-frame:04d}"
