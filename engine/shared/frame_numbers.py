# SPDX-License-Identifier: GPL-3.0-or-later
"""Frame numbers in file names: which group of digits is the frame number.

In a sequence it is the group that differs from file to file while the rest of the name stays the
same. A minus is its sign after a separator or at the start (``shot_-0003``), and elsewhere only if
``shot-0001`` and ``shot0001`` both exist. Other files, such as paintings, are matched against the
names of a sequence.
"""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

from .errors import PaintoverError
from .frame_lists import LARGEST_FRAME, format_frames

_NUMBER = re.compile(r"(?:(?:^|(?<=[\s._\-,(\[=]))-)?[0-9]+")
_SERIAL_BEFORE = re.compile(
    r"(?:^|[^a-z])(?:v|ver|version|rev|copy|kopie|copie|final|draft|take|alt|wip)[ ._-]?$", re.I
)
"""What stands before a number of a version or a copy."""
_SIZE_BEFORE, _SIZE_AFTER = re.compile(r"[0-9]x$", re.I), re.compile(r"^x[0-9]", re.I)
_UNIT_AFTER = re.compile(r"^(?:p|i|k|fps|bit|bpc|dpi|px|spp)(?![a-z])", re.I)


@dataclasses.dataclass(frozen=True)
class _Number:
    """A group of digits in a name: its value and where it stands."""

    value: int
    start: int
    end: int
    stem: str

    @property
    def prefix(self) -> str:
        return self.stem[: self.start]

    @property
    def suffix(self) -> str:
        return self.stem[self.end :]

    @property
    def digits(self) -> str:
        return self.stem[self.start : self.end].lstrip("-")

    @property
    def is_serial(self) -> bool:
        """Whether it looks like a version, copy, size or unit: ``v2``, ``(1)``, ``1080p``."""
        in_brackets = self.prefix[-1:] in "([" and self.suffix[:1] in ")]"
        return bool(
            (in_brackets and self.prefix)
            or _SERIAL_BEFORE.search(self.prefix)
            or _SIZE_BEFORE.search(self.prefix)
            or _SIZE_AFTER.search(self.suffix)
            or _UNIT_AFTER.search(self.suffix)
        )


def _numbers(stem: str) -> list[_Number]:
    """Return the groups of digits that may be a frame number.

    Versions, copies and sizes count only where the name has no other number.
    """
    found = [_Number(int(m[0]), m.start(), m.end(), stem) for m in _NUMBER.finditer(stem)]
    return [number for number in found if not number.is_serial] or found


@dataclasses.dataclass(frozen=True)
class NamePattern:
    """How a sequence's files are named: text before and after the frame number.

    Attributes:
        prefix: text before the number.
        suffix: text after it, without the file's own suffix.
        width: least number of digits.
        signed: whether a minus right after a letter is a sign.
    """

    prefix: str = ""
    suffix: str = ""
    width: int = 4
    signed: bool = False

    def frame_of(self, stem: str) -> int | None:
        """Return the frame number in a name of this pattern, or None."""
        text = f"{re.escape(self.prefix)}(-?[0-9]+){re.escape(self.suffix)}"
        match = re.fullmatch(text, stem, re.I)
        if match is None or (match[1][0] == "-" and self.prefix[-1:].isalnum() and not self.signed):
            return None
        return int(match[1])

    def spells(self, number: _Number) -> bool:
        """Return whether a number is padded as the pattern pads it."""
        return number.digits == f"{abs(number.value):0{self.width}d}"

    def name(self, frame: int) -> str:
        """Return the name of a frame, without the file's suffix."""
        sign = "-" if frame < 0 else ""
        return f"{self.prefix}{sign}{abs(frame):0{self.width}d}{self.suffix}"


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
    numbered = [path for path in paths if _possible(path.stem)]
    large = next((path for path in paths if _numbers(path.stem)), None)
    if not numbered and large:
        raise PaintoverError(
            f"{large} carries the number {_numbers(large.stem)[-1].value}, but frame numbers go up "
            f"to {LARGEST_FRAME}; number the pictures from 1 on."
        )
    if not numbered:
        return None
    groups = _by_pattern(numbered)
    chosen = max(groups, key=lambda pattern: _weight(groups[pattern]))
    numbers = groups[chosen]
    counted = _by_position(numbered)
    if len(counted) > len(numbers):
        numbers = counted
    elif len(numbers) == 1 < len(numbered):
        raise PaintoverError(
            f"{numbered[0]} and {numbered[1].name} differ in more than a frame number; name the "
            "pictures alike, such as shot_0001.png and shot_0002.png."
        )
    else:
        _check_rival(groups, chosen)
    return _sequence(paths, numbers)


_Found = list[tuple[_Number, Path]]


def _by_pattern(paths: Iterable[Path]) -> dict[tuple[str, str], _Found]:
    """Group files by the text around each of their numbers."""
    groups: dict[tuple[str, str], _Found] = defaultdict(list)
    for path in paths:
        for number in _possible(path.stem):
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
    shapes: dict[str, list[tuple[list[_Number], Path]]] = defaultdict(list)
    for path in paths:
        numbers = _possible(path.stem)
        shape = re.sub(r"[0-9]+", "#", path.stem.lower())
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


def _sequence(paths: Sequence[Path], numbers: _Found) -> FileSequence:
    files: dict[int, Path] = {}
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
        frame = whole.get(path) if whole else frame_named(path.stem, frames, pattern)
        if frame is None and not _possible(path.stem):
            strays.append(path)
            continue
        if frame is None:
            near = next((n.value for n in _possible(path.stem) if n.value in frames), min(frames))
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


def frame_named(stem: str, frames: Collection[int], pattern: NamePattern) -> int | None:
    """Return the frame that a name tells, whether the sequence has it or not; None if unclear.

    Args:
        stem: the name without its suffix.
        frames: the frames of the sequence.
        pattern: how the sequence's files are named.
    """
    frame = pattern.frame_of(stem)
    if frame is not None:
        return frame
    possible = _possible(stem)
    if len({number.value for number in possible}) > 1:
        shared = {n.digits for text in (pattern.prefix, pattern.suffix) for n in _numbers(text)}
        possible = [number for number in possible if number.digits not in shared]
    if len({number.value for number in possible}) > 1 and pattern.width > 1:
        possible = [number for number in possible if pattern.spells(number)]
    values = {number.value for number in possible}
    if len(values) != 1:
        return None
    (value,) = values
    return value


def _possible(stem: str) -> list[_Number]:
    return [number for number in _numbers(stem) if abs(number.value) <= LARGEST_FRAME]
