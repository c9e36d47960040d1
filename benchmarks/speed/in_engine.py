# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine in its own process, which reports its peak memory at the end.

    python -m benchmarks.speed.in_engine run ARGUMENTS
    python -m benchmarks.speed.in_engine watch SHOT STYLE DEVICE FRAME

``run`` is ``python -m engine ARGUMENTS``. ``watch`` stylizes a whole shot and also reports the peak
after ``FRAME`` frames. The last line of the output is the peaks in bytes, in JSON.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from benchmarks.peak import peak_memory


def run(arguments: list[str]) -> list[int]:
    """Run a verb and return the peak memory in bytes; exit the process if the verb fails."""
    from engine.app.cli import main  # noqa: PLC0415 - the other way loads what it needs itself

    code = main(arguments)
    if code != 0:
        sys.exit(code)
    return [peak_memory()]


def watch(shot: str, style: str, device: str, after: int) -> list[int]:
    """Stylize all frames. Returns the peak memory in bytes after ``after`` frames and last."""
    from engine.jobs.stylize import stylize  # noqa: PLC0415
    from engine.shared import protocol  # noqa: PLC0415
    from engine.shared.reporter import Silent  # noqa: PLC0415

    peaks: list[int] = []

    class Watching(Silent):
        done = 0

        def frame_done(self, frame: int, path: Path) -> None:
            self.done += 1
            if self.done == after:
                peaks.append(peak_memory())

    request = protocol.Stylize(job=0, shot=shot, style=style, device=device, force=True)
    stylize(request, Watching())
    return [*peaks, peak_memory()]


if __name__ == "__main__":
    what, *words = sys.argv[1:]
    found = run(words) if what == "run" else watch(words[0], words[1], words[2], int(words[3]))
    print("\n" + json.dumps(found), flush=True)
