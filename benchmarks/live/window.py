# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m benchmarks.live.window``: the rows of a live session in a real Blender window.

It needs what ``tests/gui`` needs. ``python -m benchmarks.live --window FILE`` adds its file to the
rows of the engine.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from scenes.real_blender import GUI, RealBlender


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and return the exit code of the window."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live.window", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", required=True, help="rows to write")
    parser.add_argument(
        "--times",
        type=int,
        default=20,
        metavar="N",
        help="how often each thing is measured (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="paintover-live-") as folder:
        blender = RealBlender(Path(folder))
        blend = blender.make_shot(512, 288, 100)
        steps = (
            "--python",
            GUI / "measure_live.py",
            "--",
            options.json.resolve(),
            str(options.times),
        )
        return blender.run("--python-exit-code", "9", blend, *steps, limit=1000)


if __name__ == "__main__":
    sys.exit(main())
