# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Blender with a window, with the built add-on, as ``tests/gui`` installs it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import build_addon

ROOT = Path(__file__).resolve().parent.parent
GUI = ROOT / "tests/gui"


def is_installed() -> bool:
    """Return whether it is there."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        return False
    asked = [str(GUI / "blender.sh"), "version"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


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
