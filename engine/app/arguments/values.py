# SPDX-License-Identifier: GPL-3.0-or-later
"""The types of values on the command line, each with a sentence about a value that is wrong."""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from ...shared.errors import PaintoverError
from ...shared.frame_lists import parse_frames

_MOST, _DIGITS = 1e9, 15
"""Largest number, and most digits of a seed; larger ones would not come back from files."""


def frames(text: str) -> list[int]:
    """Return the frames of a frame list, such as ``1-30,45``."""
    try:
        return parse_frames(text)
    except PaintoverError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def names(text: str) -> list[str]:
    """Return names between commas."""
    return [name.strip() for name in text.split(",") if name.strip()]


def path(text: str) -> Path:
    """Return a path; an empty one, as of an unset variable, would be the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; name a folder, or . for this one")
    return Path(text)


def guide(text: str) -> tuple[str, str]:
    """Return the name and the folder of ``NAME=DIR``."""
    name, separator, folder = text.partition("=")
    if not (name and separator and folder):
        raise argparse.ArgumentTypeError(f'"{text}" is not NAME=DIR, such as normals=renders/nor')
    return name, folder


def split_weights(words: list[str]) -> tuple[list[Path], list[tuple[int, int | None, float]]]:
    """Split the words of ``weights`` into shot folders and weights.

    Raises:
        PaintoverError: there is no shot folder, or a word is neither.
    """
    shots: list[Path] = []
    points: list[tuple[int, int | None, float]] = []
    for word in words:
        try:
            if points or ("=" in word and not _is_there(word)):
                points.append(_weight(word))
            else:
                shots.append(path(word))
        except argparse.ArgumentTypeError as error:
            raise PaintoverError(f"{error}.") from None
    if not shots:
        raise PaintoverError("Name the shot folder before the weights.")
    return shots, points


def _is_there(word: str) -> bool:
    try:
        return Path(word).exists()
    except OSError:  # a name that is too long
        return False


def _weight(text: str) -> tuple[int, int | None, float]:
    match = re.fullmatch(r"(-?[0-9]{1,9})=([^@]+)(?:@(-?[0-9]{1,9}))?", text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f'"{text:.80}" is not KEY=WEIGHT@FRAME, such as 1=0.5@30')
    return int(match[1]), int(match[3]) if match[3] else None, share(match[2])


def share(text: str) -> float:
    """Return a number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text:.40} is not a number from 0 to 1")
    return value


def share_of_time(text: str) -> float:
    """Return a number from 0.05 to 1: with less a session would seem to hang."""
    value = share(text)
    if value < 0.05:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0.05 to 1")
    return value


def positive(text: str) -> float:
    """Return a number above zero, up to 1e9."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1e-9 <= value <= _MOST:
        raise argparse.ArgumentTypeError(f"{text:.40} is not a number above zero, up to 1e9")
    return value


def count(text: str) -> int:
    """Return a whole number above zero, below 1e9."""
    if not (text.isdecimal() and len(text) <= 9 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text:.40} is not a whole number above zero, below 1e9")
    return int(text)


def whole(text: str) -> int:
    """Return a whole number from zero on, such as a seed."""
    if not text.isdecimal() or len(text) > _DIGITS:
        raise argparse.ArgumentTypeError(
            f"{text:.40} is not a whole number from zero on with at most {_DIGITS} digits"
        )
    return int(text)
