# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m benchmarks.scale``: what long shots and many machines cost.

A small shot is rendered once and kept in a cache (--cache); all others are made of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import build_addon
from benchmarks.machine import describe_machine
from benchmarks.own_process import ROOT, run_module
from benchmarks.rows import Row
from benchmarks.speed.files import capture_shot
from benchmarks.table import to_markdown
from engine.shared.errors import PaintoverError

from . import chunks, lengths, page
from .extents import FULL, SHORT, Extent

PARTS = ("sizes", "chunks", "lengths")
PAGE, PLOT = ROOT / "docs/scale.md", ROOT / "docs/pictures/scale.png"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    options = _parse(arguments)
    machine = describe_machine()
    try:
        with tempfile.TemporaryDirectory(prefix="paintover-scale-") as folder:
            extent = SHORT if options.short else FULL
            rows, found = measure(extent, options.only, options.cache, Path(folder))
    except PaintoverError as error:
        print(f"benchmarks.scale: {error}", file=sys.stderr)
        return 1
    print(to_markdown(rows, machine, []))
    if options.json:
        data = {
            "machine": machine,
            "rows": [row.as_data() for row in rows],
            **(dataclasses.asdict(found) if found else {}),
        }
        options.json.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    if options.write and found:
        command = f"python -m benchmarks.scale{' --short' if options.short else ''} --write"
        page.write(PAGE, PLOT, rows, found, machine, command, os.cpu_count() or 1)
    return 0


def measure(
    extent: Extent, parts: Sequence[str], cache: Path, folder: Path
) -> tuple[list[Row], page.Measured | None]:
    """Measure rows, and what the model of a farm needs, which is None without all parts.

    Args:
        extent: the size of the benchmark.
        parts: which of ``PARTS``.
        cache: folder of the captured shot.
        folder: an empty folder to work in.

    Raises:
        PaintoverError: Blender or the engine failed.
    """
    rendered = capture_shot("room", extent.rendered, cache.resolve(), _tell)
    blender = install(folder / "blender")
    rows: list[Row] = []
    costs: list[chunks.FrameCost] = []
    others: list[chunks.OtherCost] = []
    found = None
    if "sizes" in parts:
        _tell("measuring: frames of each size")
        costs, others = chunks.costs_of_sizes(rendered, folder, extent, blender)
        rows.append(chunks.overhead_row(costs[0]))
    if "chunks" in parts:
        _tell("measuring: chunks")
        shot = chunks.make_shot(rendered, folder / "chunked", extent.chunked)
        chunked = chunks.frame_cost(shot, extent.chunked.size, extent.timed)
        frames = extent.chunked.frames
        of_chunks, runs = chunks.chunk_rows(shot, frames)
        rows += of_chunks
        found = page.Measured(costs, others, chunked, frames, runs)
    if "lengths" in parts:
        _tell("measuring: long shots")
        rows += lengths.length_rows(folder, extent, blender)
    return rows, found if {*parts} == {*PARTS} else None


def install(folder: Path) -> Path:
    """Install the add-on for Blender into a new folder, and return it."""
    folder.mkdir()
    build_addon.build(folder)
    run_module("benchmarks.speed.in_blender", "install", folder)
    return folder


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--short", action="store_true", help="smaller and shorter shots")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers as JSON")
    parser.add_argument(
        "--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)} and its plot"
    )
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", default=ROOT / ".cache/quality", help="%(default)s"
    )
    parser.add_argument(
        "--only", nargs="+", choices=PARTS, default=PARTS, help="measure only these parts"
    )
    options = parser.parse_args(arguments)
    if options.write and {*options.only} != {*PARTS}:
        parser.error("--write needs all parts; leave --only out")
    return options


if __name__ == "__main__":
    sys.exit(main())
