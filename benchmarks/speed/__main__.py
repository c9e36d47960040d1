# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m benchmarks.speed``: speed and memory, as ratios to the published network.

Shots are rendered once and kept in a cache (--cache).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.machine import describe_machine
from benchmarks.own_process import ROOT
from benchmarks.table import to_markdown
from engine.shared.errors import PaintoverError

from .extents import FULL, SHORT
from .sections import SECTIONS, Bench, run

PAGE = ROOT / "docs/benchmarks.md"
NO_GPU = (
    "Not measured, since no CUDA GPU was used: `gpu_1080p_full`, `gpu_4k_full` (full frames), "
    "`gpu_files_1080p` (EXR to PNG), `gpu_train_10s` (a style in 10 s); `--device cuda` does."
)
SHORTENED = (
    "This is the short form; the long one also measures larger frames, the memory of 4K and the "
    "steps in Blender, and trains `paper` for all its steps."
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    options = _parse(arguments)
    machine = describe_machine()
    extent = SHORT if options.short else FULL
    try:
        rows, bench = run(extent, options.device, options.cache, options.only)
    except PaintoverError as error:
        print(f"benchmarks.speed: {error}", file=sys.stderr)
        return 1
    machine["device"] = bench.device.describe()
    table = to_markdown(rows, machine, _remarks(bench, options.short))
    print(table)
    if options.json:
        data = {"machine": machine, "rows": [row.as_data() for row in rows]}
        options.json.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    if options.write:
        command = " ".join(["python -m benchmarks.speed", *sys.argv[1:]])
        options.write.write_text(
            f"# Speed and memory\nMade by `{command}`.\n\n{table}\n", encoding="utf-8"
        )
    return 0


def _remarks(bench: Bench, short: bool) -> list[str]:
    remarks = list(bench.remarks)
    if short:
        remarks.append(SHORTENED)
    if not bench.on_gpu:
        remarks.append(NO_GPU)
    return remarks


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--short", action="store_true", help="small, in 10 minutes on two cores")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers as JSON")
    parser.add_argument(
        "--write",
        nargs="?",
        type=Path,
        const=PAGE,
        metavar="PAGE",
        help=f"write a page, by default {PAGE.relative_to(ROOT)}",
    )
    parser.add_argument(
        "--only",
        choices=SECTIONS,
        action="append",
        default=[],
        metavar="PART",
        help=f"this part, repeatable: {', '.join(SECTIONS)}",
    )
    parser.add_argument("--device", default="auto", help="where to compute: auto, cpu, cuda")
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", default=ROOT / ".cache/quality", help="%(default)s"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
