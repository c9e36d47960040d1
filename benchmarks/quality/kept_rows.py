# SPDX-License-Identifier: GPL-3.0-or-later
"""Rows that are measured already, so that hours of measuring may be interrupted.

A row is kept for the pair, the method, the extent and the sources that it was measured with: once
the method changes, it is measured anew.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any

from benchmarks.own_process import ROOT
from engine.evaluation.scores import FrameScores, Scores

from .methods import Made
from .pairs import Extent, Pair
from .table import Row
from .uncarried import MoreScores

_NOT_THE_METHOD = {"app", "live", "sweep"}
"""Packages of the engine that do not change what a training and its frames become."""


class KeptRows:
    """The rows of one extent in a file of JSON lines, which only grows.

    Args:
        file: is made with the first row; lines that are torn or of other sources are skipped.
        extent: the size of the benchmark.
        device: value of the engine's option ``--device``.
    """

    def __init__(self, file: Path, extent: Extent, device: str) -> None:
        size = (extent.width, extent.height, extent.frames, extent.seconds)
        self._file = file
        self._of = [list(size), device, _sources()]
        self._rows: dict[tuple[str, str], Row] = {}
        lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
        for line in lines:
            try:
                data = json.loads(line)
            except ValueError:
                continue
            if data["of"] == self._of:
                row = _from_data(data["row"])
                self._rows[row.pair.name, row.method] = row

    def find(self, pair: Pair, method: str) -> Row | None:
        """Return the row of a method on a pair; None if it is to be measured."""
        row = self._rows.get((pair.name, method))
        return row if row is not None and row.pair == pair else None

    def add(self, row: Row) -> None:
        """Keep a row, unless the method failed."""
        if row.scores is None:
            return
        self._rows[row.pair.name, row.method] = row
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._file.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"of": self._of, "row": dataclasses.asdict(row)}) + "\n")


def _from_data(data: dict[str, Any]) -> Row:
    pair = Pair(**{**data["pair"], "keys": tuple(data["pair"]["keys"])})
    frames = {int(name): FrameScores(**one) for name, one in data["scores"]["frames"].items()}
    return Row(
        pair,
        data["keys"],
        data["method"],
        Made(**{**data["made"], "frames": tuple(data["made"]["frames"])}),
        Scores(data["scores"]["style"], frames, data["scores"]["jod"]),
        data["note"],
        MoreScores(**data["more"]),
    )


def _sources() -> str:
    """Return a digest of all sources that the method is of, and of this benchmark's own."""
    engine = ROOT / "engine"
    files = [
        *(file for file in engine.rglob("*.py") if _package(file, engine) not in _NOT_THE_METHOD),
        *ROOT.glob("benchmarks/quality/shots/*.py"),
        *ROOT.glob("benchmarks/quality/styles/*.py"),
    ]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def _package(file: Path, root: Path) -> str:
    return file.relative_to(root).parts[0]
