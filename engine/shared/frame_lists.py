# SPDX-License-Identifier: GPL-3.0-or-later
"""Frame lists such as ``1-30,45``, and frame numbers in file names."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

from .errors import PaintoverError
from .names import one_line

LARGEST_FRAME = 1048574
"""The largest frame number that Blender can hold; the smallest is its negative."""

_DIGITS = 12
"""Most characters of a number in a frame list."""


_UNCLEAR = re.compile(r"[0-9] +(?:[0-9]|-[0-9])")
"""Numbers that only a space parts: not 12, and neither 1 to 2 nor 1 and -2 for sure."""


def parse_frames(text: str) -> list[int]:
    """Parse a frame list such as ``1-30,45``: inclusive ranges, negative frames allowed.

    ``1-9:2`` and ``1-9x2`` are every second frame, as farms write it.

    Returns:
        The frames, sorted, each once.

    Raises:
        PaintoverError: the text is not a frame list.
    """
    ranges: set[tuple[int, int, int]] = set()
    shown = one_line(text[:80])
    is_clear = not _UNCLEAR.search(text)
    for part in text.replace(" ", "").split(","):
        match = re.fullmatch(r"(-?[0-9]+)(?:-(-?[0-9]+)(?:[:x]([0-9]+))?)?", part)
        if not match or not is_clear:
            raise PaintoverError(f'"{shown}" is not a frame list; write it like 1-30,45.')
        if max(map(len, match.groups(""))) > _DIGITS:
            raise PaintoverError(
                f'In "{shown}" is a number beyond {LARGEST_FRAME}, the last frame.'
            )
        first, last, step = int(match[1]), int(match[2] or match[1]), int(match[3] or 1)
        if last < first:
            raise PaintoverError(f'In "{shown}" the range {part} ends before it starts.')
        if max(-first, last) > LARGEST_FRAME:
            raise PaintoverError(f'In "{shown}" {part} is beyond {LARGEST_FRAME}, the last frame.')
        if not step:
            raise PaintoverError(f'In "{shown}" the range {part} never goes on; step by 1 or more.')
        ranges.add((first, last, step))
    if sum((last - first) // step for first, last, step in ranges if step > 1) > LARGEST_FRAME:
        raise PaintoverError(f'"{shown}" names too many frames; write each frame once.')
    stepped = {frame for a, b, step in ranges if step > 1 for frame in range(a, b + 1, step)}
    frames: list[int] = []
    for first, last, _ in sorted(one for one in ranges if one[2] == 1):
        frames.extend(range(max(first, frames[-1] + 1) if frames else first, last + 1))
    return sorted(stepped.union(frames)) if stepped else frames


def format_frames(frames: Iterable[int]) -> str:
    """Format frames as a frame list: ``[1, 2, 3, 7]`` becomes ``1-3,7``."""
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs(frames))


def runs(frames: Iterable[int]) -> list[tuple[int, int]]:
    """Return the first and last frames of runs without a gap: ``[1, 2, 3, 7]``: (1, 3), (7, 7)."""
    found: list[tuple[int, int]] = []
    for frame in sorted(set(frames)):
        if found and frame == found[-1][1] + 1:
            found[-1] = (found[-1][0], frame)
        else:
            found.append((frame, frame))
    return found


def name_frames(frames: Iterable[int]) -> str:
    """Format frames for messages: ``[1, 2, 3, 7]`` becomes ``1-3, 7``."""
    return format_frames(frames).replace(",", ", ")


def counted(number: int, noun: str) -> str:
    """Format a number with its noun: ``1 frame``, ``30 frames``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def frame_name(frame: int) -> str:
    """Return a frame number as in file names: at least four digits, as Blender writes it."""
    return f"{frame:04d}" if frame >= 0 else f"-{-frame:04d}"


def gaps_between(frames: Iterable[int]) -> str:
    """Return the frames that lack between the first and the last as a frame list; "" if none."""
    ordered = sorted(set(frames))
    gaps = [(a + 1, b - 1) for a, b in itertools.pairwise(ordered) if b - a > 1]
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in gaps)


def keep_negative(arguments: Iterable[str]) -> list[str]:
    """Return command-line arguments so that ``argparse`` takes ``-2`` or ``-5--1`` as values.

    A space before the minus does that: no option begins with one.
    """
    negative = re.compile(r"-[0-9][-0-9,.=@:x]*")
    return [f" {text}" if negative.fullmatch(text) else text for text in arguments]


def spread(frames: Sequence[int], most: int) -> list[int]:
    """Return at most so many of some frames, at least 2, evenly spread, with the first and last."""
    if len(frames) <= most:
        return list(frames)
    step = (len(frames) - 1) / (most - 1)
    return [frames[round(number * step)] for number in range(most)]
