# SPDX-License-Identifier: GPL-3.0-or-later
"""Frame numbers in file names: which groups of digits may be one, and which a single name tells.

A minus is the sign of a number after a separator or at the start (``shot_-0003``).
"""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from pathlib import Path

from ..frame_lists import LARGEST_FRAME

_MINUS = "-\u2212"
_SIGN = rf"(?:(?:^|(?<=[\s._\-,(\[=])|(?<=%20))[{_MINUS}])?"
_NUMBER = re.compile(rf"%(?:2[0-9a-f]|5[bd])|(?P<number>{_SIGN}[0-9]+)", re.I)
"""Numbers, apart from letters that a browser has written as numbers (``shot%200001``)."""
_VERSION_BEFORE = re.compile(r"(?:^|[^a-z])(?:v|ver|version|rev)$", re.I)
_COPY_BEFORE = re.compile(
    r"(?:^|[^a-z])(?:(?:copy|kopie|copie|version)[ ._-]?|final|draft|take|alt|wip)$", re.I
)
_SIZE_BEFORE, _SIZE_AFTER = re.compile(r"[^a-z]x$", re.I), re.compile(r"^x(?![a-z])", re.I)
_UNIT_AFTER = re.compile(r"^(?:p|i|k|fps|bit|bpc|dpi|px|spp)(?![a-z])", re.I)
_WORD_BEFORE = re.compile(r"[^\W\d_]+[\s._-]*$")
_VERSION_DIGITS, _COPY_DIGITS = 3, 2
"""Most digits of the number of a version, and of a copy; longer ones count as frames."""


@dataclasses.dataclass(frozen=True)
class Number:
    """A group of digits in a name: its value and where it stands."""

    value: int
    start: int
    end: int
    stem: str

    @property
    def prefix(self) -> str:
        """The name before it."""
        return self.stem[: self.start]

    @property
    def suffix(self) -> str:
        """The name after it."""
        return self.stem[self.end :]

    @property
    def digits(self) -> str:
        """It as written, without a sign."""
        return self.stem[self.start : self.end].lstrip(_MINUS)

    @property
    def is_serial(self) -> bool:
        """Whether it looks like a version, copy, size or unit: ``v2``, ``(1)``, ``1080p``."""
        in_brackets = self.prefix[-1:] in "([" and self.suffix[:1] in ")]"
        digits = len(self.digits)
        return bool(
            (in_brackets and self.prefix)
            or (digits <= _VERSION_DIGITS and _VERSION_BEFORE.search(self.prefix))
            or (digits <= _COPY_DIGITS and _COPY_BEFORE.search(self.prefix))
            or _SIZE_BEFORE.search(self.prefix)
            or _SIZE_AFTER.search(self.suffix)
            or _UNIT_AFTER.search(self.suffix)
        )


def stem_of(path: Path) -> str:
    """Return a file's name without its suffix; macOS may store an accent apart from its letter."""
    return unicodedata.normalize("NFC", path.stem)


def _value(text: str) -> int:
    return int(text.replace(_MINUS[1], _MINUS[0]))


def numbers_in(stem: str) -> list[Number]:
    """Return the groups of digits that may be a frame number.

    Versions, copies and sizes count only where the name has no other number.
    """
    found = [
        Number(_value(match[0]), match.start(), match.end(), stem)
        for match in _NUMBER.finditer(stem)
        if match["number"]
    ]
    return [number for number in found if not number.is_serial] or found


def possible_numbers(stem: str) -> list[Number]:
    """Return ``numbers_in`` without those that Blender cannot hold."""
    return [number for number in numbers_in(stem) if abs(number.value) <= LARGEST_FRAME]


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
        text = f"{re.escape(self.prefix)}([{_MINUS}]?[0-9]+){re.escape(self.suffix)}"
        match = re.fullmatch(text, stem, re.I)
        if match is None:
            return None
        if match[1][0] in _MINUS and self.prefix[-1:].isalnum() and not self.signed:
            return None
        return _value(match[1])

    def spells(self, number: Number) -> bool:
        """Return whether a number is padded as the pattern pads it."""
        return number.digits == f"{abs(number.value):0{self.width}d}"

    @property
    def is_serial(self) -> bool:
        """Whether the frame number looks like a version or copy, as in ``frame (1)``."""
        return all(number.is_serial for number in numbers_in(self.name(0)))

    def has(self, number: Number) -> bool:
        """Return whether a number is one that all names have, such as that of the shot ``sh010``.

        Words before both tell it.
        """
        word = _WORD_BEFORE.search(number.prefix)
        own = [n for text in (self.prefix, self.suffix) for n in numbers_in(text)]
        alike = [n for n in own if n.digits == number.digits]
        return word is not None and any(
            (found := _WORD_BEFORE.search(n.prefix)) and found[0].lower() == word[0].lower()
            for n in alike
        )

    def name(self, frame: int) -> str:
        """Return the name of a frame, without the file's suffix."""
        sign = "-" if frame < 0 else ""
        return f"{self.prefix}{sign}{abs(frame):0{self.width}d}{self.suffix}"


def frame_named(stem: str, pattern: NamePattern) -> int | None:
    """Return the frame that a name tells, whether the sequence has it or not; None if unclear.

    Args:
        stem: the name without its suffix.
        pattern: how the sequence's files are named.
    """
    frame = pattern.frame_of(stem)
    if frame is not None:
        return frame
    possible = [number for number in possible_numbers(stem) if not pattern.has(number)]
    if not pattern.is_serial:
        possible = [number for number in possible if not number.is_serial]
    if len({number.value for number in possible}) > 1:
        shared = {n.digits for text in (pattern.prefix, pattern.suffix) for n in numbers_in(text)}
        possible = [number for number in possible if number.digits not in shared]
    if len({number.value for number in possible}) > 1 and pattern.width > 1:
        possible = [number for number in possible if pattern.spells(number)]
    values = {number.value for number in possible}
    if len(values) != 1:
        return None
    (value,) = values
    return value
