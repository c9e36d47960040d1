# SPDX-License-Identifier: GPL-3.0-or-later
"""Sequences of files, whose names differ in the frame number alone, and files that belong to one.

In a sequence the frame number is the group of digits that differs from file to file while the rest
of the name stays the same. A minus right after a letter is its sign where ``shot-0001`` and
``shot0001`` both exist. Other files, such as paintings, are matched against a sequence.
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from ..errors import PaintoverError
from ..frame_lists import LARGEST_FRAME, format_frames
from .frame_numbers import (
    NamePattern,
    Number,
    frame_named,
    numbers_in,
    possible_numbers,
    stem_of,
)

_Found = list[tuple[Number, Path]]


@dataclasses.dataclass(frozen=True)
class FileSequence:
    """Files whose names differ in the frame number alone.

    Attributes:
        files: frame number → file, in frame order.
        pattern: how they are named.
        strays: the other files.
    """

    files: dict[int, Path]
    pattern: NamePattern
    strays: list[Path]


def find_sequence(paths: Sequence[Path]) -> FileSequence | None:
    """Find the sequence that most of the files belong to.

    Files that do not fit it, and numbers that Blender cannot hold, are strays.

    Returns:
        The sequence; None if no name carries a number.

    Raises:
        PaintoverError: two sequences have about as many files, two files carry the same number,
            no single group of digits is the frame number, or all numbers are too large.
    """
    numbered = [path for path in paths if possible_numbers(stem_of(path))]
    if not numbered:
        for path in paths:
            if numbers := numbers_in(stem_of(path)):
                raise PaintoverError(
                    f"{path} carries the number {numbers[-1].value}, but frame numbers go up to "
                    f"{LARGEST_FRAME}; number the pictures from 1 on."
                )
        return None
    groups = _by_pattern(numbered)
    chosen = max(groups, key=lambda pattern: _weight(groups[pattern]))
    found = groups[chosen]
    counted = _by_position(numbered)
    if len(counted) > len(found):
        found = counted
    elif len(found) == 1 < len(numbered):
        told = {
            tuple(number.value for number in possible_numbers(stem_of(path))) for path in numbered
        }
        what = "only in versions or copies" if len(told) == 1 else "in more than a frame number"
        raise _differ(numbered[0], numbered[1], what)
    else:
        _check_rival(groups, chosen)
        _check_parts(numbered, found)
    return _sequence(paths, found)


def _by_pattern(paths: Iterable[Path]) -> dict[tuple[str, str], _Found]:
    """Group files by the text around each of their numbers."""
    groups: dict[tuple[str, str], _Found] = defaultdict(list)
    for path in paths:
        for number in possible_numbers(stem_of(path)):
            groups[number.prefix.lower(), number.suffix.lower()].append((number, path))
    for prefix, suffix in [key for key in groups if key[0].endswith("-")]:
        _join_signed(groups, prefix, suffix)
    return dict(groups)


def _join_signed(groups: dict[tuple[str, str], _Found], prefix: str, suffix: str) -> None:
    """Join ``shot-0001`` to ``shot0001`` as frame -1, where both run up to zero."""
    below, above = groups[prefix, suffix], groups.get((prefix[:-1], suffix), [])
    nearest = {number.value: number for number, _ in below}.get(1)
    widths = {len(number.digits) for number, _ in above if number.value in (0, 1)}
    if nearest and widths & {len(nearest.digits), len(nearest.digits) + 1}:
        del groups[prefix, suffix]
        signed = [
            (dataclasses.replace(n, value=-n.value, start=n.start - 1), path) for n, path in below
        ]
        groups[prefix[:-1], suffix] = signed + above


def _weight(found: _Found) -> tuple[int, bool, int, bool, int]:
    """Return what speaks for a group: number of files, a run without gaps, digits, place."""
    values = [number.value for number, _ in found]
    digits = found[0][0].digits
    has_run = max(values) - min(values) + 1 == len(values)
    return len(found), has_run, len(digits), digits.startswith("0"), found[0][0].start


def _by_position(paths: Iterable[Path]) -> _Found:
    """Return the numbers in a place that counts up, where names differ in other numbers too."""
    shapes: dict[str, list[tuple[list[Number], Path]]] = defaultdict(list)
    for path in paths:
        numbers = possible_numbers(stem_of(path))
        shape = re.sub(r"[0-9]+", "#", stem_of(path).lower())
        shapes[f"{len(numbers)} {shape}"].append((numbers, path))
    files = max(shapes.values(), key=len)
    places: list[_Found] = []
    for place in range(len(files[0][0])):
        found = [(numbers[place], path) for numbers, path in files]
        values = {number.value for number, _ in found}
        counts_up = max(values) - min(values) + 1 == len(files) or len(files[0][0]) == 1
        if len(values) == len(files) and counts_up:
            places.append(found)
    same = {tuple(number.value for number, _ in found) for found in places}
    return places[0] if len(same) == 1 else []


def _check_rival(groups: Mapping[tuple[str, str], _Found], chosen: tuple[str, str]) -> None:
    """Raise PaintoverError if a second sequence has at least half as many files."""
    taken = {path for _, path in groups[chosen]}
    for found in groups.values():
        if len(found) < 2 or 2 * len(found) < len(taken):
            continue
        if taken.isdisjoint([path for _, path in found]):
            mine, other = groups[chosen][0][1], found[0][1]
            raise PaintoverError(
                f"{mine.parent} holds several sequences, {len(taken)} files such as {mine.name} "
                f"and {len(found)} such as {other.name}; move one to another folder."
            )


def _check_parts(paths: Iterable[Path], found: _Found) -> None:
    """Raise PaintoverError if the number is only a part of one: ``01.50``, ``10-00-09-24``."""
    number, first = found[0]
    before = re.search(r"(?:^|(?<=[^a-z0-9]))[0-9]+(?=[.:;-]$)", number.prefix, re.I)
    after = re.search(r"(?<=^[.:;-])[0-9]+", number.suffix)
    alike = [
        re.escape(text[: part.start()]) + "[0-9]+" + re.escape(text[part.end() :])
        if part
        else re.escape(text)
        for text, part in ((number.prefix, before), (number.suffix, after))
    ]
    if before is None and after is None:
        return
    taken = {path for _, path in found}
    pattern = re.compile(f"{alike[0]}[0-9]+{alike[1]}", re.I)
    for path in paths:
        if path not in taken and pattern.fullmatch(stem_of(path)):
            raise _differ(first, path, "in more than a frame number")


def _differ(one: Path, other: Path, what: str) -> PaintoverError:
    return PaintoverError(
        f"{one} and {other.name} differ {what}; name the pictures alike, such as shot_0001.png and "
        "shot_0002.png."
    )


def _within_padding(numbers: _Found) -> _Found:
    """Leave out numbers wider than the padding, unless the others come near to filling it."""
    widths = {len(n.digits) for n, _ in numbers if n.digits[0] == "0" and len(n.digits) > 2}
    full = 10 ** min(widths, default=0)
    fitting = [(number, path) for number, path in numbers if abs(number.value) < full]
    is_filled = any(2 * abs(number.value) >= full for number, _ in fitting)
    return numbers if is_filled or len(fitting) < 2 else fitting


def _sequence(paths: Sequence[Path], numbers: _Found) -> FileSequence:
    files: dict[int, Path] = {}
    numbers = _within_padding(numbers)
    for number, path in numbers:
        if number.value in files:
            raise PaintoverError(
                f"{files[number.value]} and {path.name} both carry the frame number "
                f"{number.value}; rename one, or move it elsewhere."
            )
        files[number.value] = path
    first = numbers[0][0]
    signed = first.prefix[-1:].isalnum() and min(files) < 0
    widths = [len(number.digits) for number, _ in numbers if number.value >= 0 or max(files) < 0]
    pattern = NamePattern(first.prefix, first.suffix, min(widths), signed)
    kept = set(files.values())
    strays = [path for path in paths if path not in kept]
    return FileSequence(dict(sorted(files.items())), pattern, strays)


def match_files(
    paths: Sequence[Path], frames: Collection[int], pattern: NamePattern, what: str
) -> tuple[dict[int, Path], list[Path]]:
    """Find which frame each of further files is of, such as paintings, masks and guides.

    A name like those of the sequence tells it; else the one number in the name that can be a
    frame number, or the one that is padded like the sequence's numbers.

    Args:
        paths: the files.
        frames: the frames of the sequence.
        pattern: how the sequence's files are named.
        what: names the kind of file in errors, such as ``painting``.

    Returns:
        Frame → file, in frame order; and the files without a number.

    Raises:
        PaintoverError: a name tells no frame, or one that the sequence lacks; or two files are of
            the same frame.
    """
    whole = _matched_as_a_whole(paths, frames)
    found: dict[int, Path] = {}
    strays = []
    for path in paths:
        frame = whole.get(path) if whole else frame_named(stem_of(path), pattern)
        if frame is None and not possible_numbers(stem_of(path)):
            strays.append(path)
            continue
        if frame is None:
            near = next(
                (n.value for n in possible_numbers(stem_of(path)) if n.value in frames), min(frames)
            )
            raise PaintoverError(
                f"The name of the {what} {path} does not tell its frame; rename it, for frame "
                f"{near} to {pattern.name(near)}{path.suffix}."
            )
        if frame not in frames:
            raise PaintoverError(
                f"The {what} {path} is of frame {frame}, but the pictures are of frames "
                f"{format_frames(frames)}; add that picture, remove the {what}, or rename it, "
                f"such as to {pattern.name(min(frames))}{path.suffix}."
            )
        if frame in found:
            raise PaintoverError(
                f"{found[frame]} and {path.name} are both of frame {frame}; keep one of them, "
                "and move the other elsewhere."
            )
        found[frame] = path
    return dict(sorted(found.items())), strays


def _matched_as_a_whole(paths: Sequence[Path], frames: Collection[int]) -> dict[Path, int]:
    """Return file → frame where the files are a sequence of their own with just these frames."""
    try:
        sequence = find_sequence(paths)
    except PaintoverError:
        return {}
    if sequence is None or sequence.files.keys() != set(frames) or len(frames) < 2:
        return {}
    return {path: frame for frame, path in sequence.files.items()}
