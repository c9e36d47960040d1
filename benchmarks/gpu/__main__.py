# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m benchmarks.gpu``: measures on a machine that has a CUDA GPU for minutes only.

--prepare makes a small folder, the kit, on any machine. --run measures with the kit on the machine
with the GPU, without Blender or internet access. It writes its results to a file after each one,
so that an interrupted run keeps them. --page writes a page of documentation from that file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.own_process import ROOT
from engine.shared.errors import PaintoverError

from .kit import prepare
from .page import write_page
from .parts import PARTS
from .run import LIMIT, run


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    options = _parse(arguments)
    try:
        if options.prepare:
            for sentence in prepare(options.prepare, options.cache.resolve(), _tell):
                print(sentence)
        elif options.run:
            run(options.run, options.json, options.device, options.only, options.seconds, _tell)
        else:
            print(write_page(options.page, ROOT / "docs"))
    except PaintoverError as error:
        print(f"benchmarks.gpu: {error}", file=sys.stderr)
        return 1
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--prepare", type=Path, metavar="DIR", help="make the folder to take along")
    what.add_argument("--run", type=Path, metavar="DIR", help="measure with that folder")
    what.add_argument(
        "--page",
        type=Path,
        metavar="FILE",
        help="write docs/benchmarks-gpu-CARD.md of a run's file",
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        default=Path("gpu.json"),
        help="where --run writes what it found (default: %(default)s)",
    )
    parser.add_argument("--device", default="cuda", help="where to compute (default: %(default)s)")
    parser.add_argument(
        "--seconds",
        type=float,
        default=LIMIT,
        help="end after so many seconds at the latest (default: %(default)g)",
    )
    parser.add_argument(
        "--only",
        choices=PARTS,
        action="append",
        default=[],
        metavar="PART",
        help=f"this part, repeatable: {', '.join(PARTS)}",
    )
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", default=ROOT / ".cache/quality", help="%(default)s"
    )
    return parser.parse_args(arguments)


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
