# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of pictures, and their import."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import synthetic

from engine.jobs.import_pictures import import_pictures
from engine.shared.protocol import ImportPictures
from engine.shared.reporter import Silent

SIZE = (270, 480)
RANDOM = np.random.default_rng(11)


class Report(Silent):
    """Remembers what it is told; asks to stop after some pictures."""

    def __init__(self, stop_after: int = -1) -> None:
        self.stop_after = stop_after
        self.steps: list[tuple[str, float]] = []
        self.warnings: list[str] = []

    def progress(self, step, fraction, seconds_left, text):
        self.steps.append((step, fraction))

    def warned(self, sentence):
        self.warnings.append(sentence)

    def cancelled(self):
        return 0 <= self.stop_after <= len(self.steps)


def random_codes(channels: int = 3, kind: type = np.uint8) -> np.ndarray:
    return RANDOM.integers(0, np.iinfo(kind).max + 1, (*SIZE, channels)).astype(kind)


def folder_of(folder: Path, frames=(1, 2, 3), pattern: str = "{:04d}.png", channels=3) -> Path:
    for frame in frames:
        synthetic.write_png(folder / pattern.format(frame), random_codes(channels))
    return folder


def run(shot: Path, source: Path, report: Report | None = None, **folders: object) -> dict:
    painted, mask = (str(folders.pop(name, "")) for name in ("painted", "mask"))
    extra = {name: str(folder) for name, folder in folders.items()}
    request = ImportPictures(1, str(shot), str(source), painted, mask, extra, 25.0)
    return import_pictures(request, report or Report())


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
