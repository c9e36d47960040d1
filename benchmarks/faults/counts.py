# SPDX-License-Identifier: GPL-3.0-or-later
"""What happened in the tries of one class of faults."""

from __future__ import annotations

import dataclasses
from pathlib import Path


@dataclasses.dataclass
class Counts:
    """What happened; each list has a line for each time.

    Attributes:
        tried: how many tries there were.
        refused: how many ended in a sentence for the user.
        lost: files that changed or vanished though nobody asked for it.
        unforeseen: what ended in anything else than a result or a sentence, or took too long.
        let_in: files outside of the shot folder that were written.
    """

    tried: int = 0
    refused: int = 0
    lost: list[str] = dataclasses.field(default_factory=list)
    unforeseen: list[str] = dataclasses.field(default_factory=list)
    let_in: list[str] = dataclasses.field(default_factory=list)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the content of every file in a folder, by its path in it; links are not followed."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def changed(before: dict[str, bytes], after: dict[str, bytes]) -> list[str]:
    """Return the paths of files that are new, gone or changed."""
    names = sorted(before.keys() | after.keys())
    return [name for name in names if before.get(name) != after.get(name)]


def wrong_sentence(sentence: str, path: Path) -> str:
    """Return what is wrong with the sentence of an error about a file; "" if nothing is."""
    checks = (
        ("it is not one line", "\n" in sentence or "\r" in sentence),
        ("it does not name the file", path.name not in sentence),
        ("it says no way out", ";" not in sentence and " must be " not in sentence),
        ("it is no sentence", not sentence.endswith((".", ")"))),
        ("it is too long", len(sentence) > 600),
    )
    return next((wrong for wrong, holds in checks if holds), "")
