# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m benchmarks.live.window``: the rows of a live session in a real Blender window.

It needs what ``tests/gui`` needs. ``python -m benchmarks.live --window FILE`` adds its file to the
rows of the engine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import build_addon
from benchmarks.own_process import ROOT

GUI = ROOT / "tests/gui"


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
        blend = blender.make_shot(512, 288, 12)
        steps = (
            "--python",
            GUI / "measure_live.py",
            "--",
            options.json.resolve(),
            str(options.times),
        )
        return blender.run("--python-exit-code", "9", blend, *steps, limit=1000)


class RealBlender:
    """Blender with a window and the built add-on, in an empty home.

    Args:
        folder: for the home and the shot; it is under the temporary folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._python = folder / "engine-python"
        self._python.write_text(f'#!/bin/sh\nexec host-run "{sys.executable}" "$@"\n')
        self._python.chmod(0o755)
        archive = build_addon.build(folder / "dist")
        self._do("--command", "extension", "install-file", "-r", "user_default", "-e", archive)

    def make_shot(self, width: int, height: int, frames: int) -> Path:
        """Return a .blend with a captured shot, and a keyframe at its first frame."""
        path = self._folder / "shot.blend"
        size = (str(width), str(height), str(frames))
        scene = ("--python", GUI / "make_scene.py", "--", path)
        self._do("-b", "--python-exit-code", "9", *scene, *size)
        self._do("-b", path, "--command", "paintover", "capture")
        self._do("-b", path, "--command", "paintover", "keyframe", "add", "1")
        return path

    def run(self, *arguments: str | Path, limit: int = 300, **variables: str) -> int:
        """Run ``blender ARGUMENTS`` and return its exit code."""
        command = [str(GUI / "blender.sh"), "run", "--home", str(self._folder / "home")]
        command += ["--timeout", str(limit), "--", *map(str, arguments)]
        environment = {"PAINTOVER_ENGINE_PYTHON": str(self._python), **variables}
        return subprocess.run(
            command, cwd=ROOT, env={**os.environ, **environment}, check=False
        ).returncode

    def _do(self, *arguments: str | Path) -> None:
        status = self.run(*arguments)
        if status:
            raise SystemExit(f"Blender ended with {status}; see above.")


if __name__ == "__main__":
    sys.exit(main())
