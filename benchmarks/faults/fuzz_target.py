# SPDX-License-Identifier: GPL-3.0-or-later
"""What a target of the fuzzer is, and how files and texts of it are tried.

An input is either read, and what is read of it is finite and valid text, or refused in one sentence
that is right.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.shared.errors import PaintoverError
from engine.shared.names import one_line

from .counts import wrong_sentence


class WrongError(Exception):
    """What must hold does not; the text tells what."""


@dataclasses.dataclass(frozen=True)
class Target:
    """What is fuzzed.

    Attributes:
        name: its name, and that of the folder with its seeds.
        make: returns what tries one input, from a folder with a shot of its own.
        most: most bytes of an input.
        unpack: returns the JSON in an input; None: there is none.
        pack: returns an input with other JSON.
        seeds: inputs to begin with, besides the files of the seeds' shot.
        share: its share of all inputs beside the others', by how quick it is.
        is_slow: whether it needs PyTorch or OpenImageIO.
    """

    name: str
    make: Callable[[Path], Callable[[bytes], None]]
    most: int = 4096
    unpack: Callable[[bytes], str] | None = None
    pack: Callable[[bytes, str], bytes] | None = None
    seeds: tuple[str, ...] = ()
    share: float = 1.0
    is_slow: bool = False


def tries_file(
    name: str, read: Callable[[Path, Path], Any]
) -> Callable[[Path], Callable[[bytes], None]]:
    """Return what makes the try of a file of a shot.

    Args:
        name: path of the file in the shot.
        read: reads it, given the shot's folder and the file.
    """

    def make(shot: Path) -> Callable[[bytes], None]:
        path = shot / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        times = iter(range(10**18, 2 * 10**18))

        def one(data: bytes) -> None:
            with path.open("wb", buffering=0) as file:
                file.write(data)
            now = next(times)  # readers know a file again by its time
            os.utime(path, ns=(now, now))
            try:
                found = read(shot, path)
            except PaintoverError as error:
                wrong = wrong_sentence(str(error), path)
                if wrong:
                    raise WrongError(f"{wrong}: {error}") from error
            else:
                _check_data(found)

        return one

    return make


def _check_data(found: Any) -> None:
    """Check that what was read can be written as JSON that every program reads."""
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode()


def tries_text(read: Callable[[str], Any]) -> Callable[[Path], Callable[[bytes], None]]:
    """Return what makes the try of a text; it is refused in one line of valid text."""

    def one(data: bytes) -> None:
        try:
            found = read(data.decode("utf-8", "replace"))
        except PaintoverError as error:
            sentence = str(error)
            sentence.encode()
            if one_line(sentence) != sentence or len(sentence) > 1000:
                raise WrongError(f"not one line: {sentence!r}") from error
        else:
            _check_data(found)

    return lambda _: one
