# SPDX-License-Identifier: GPL-3.0-or-later
"""Virtual environments of single tools, beside ``.venv``, from files of pinned packages."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import NamedTuple


class SideEnvironment(NamedTuple):
    """A virtual environment of a tool.

    Attributes:
        folder: where it is.
        requirements: file with its packages, their versions and digests.
    """

    folder: Path
    requirements: Path

    def make(self) -> None:
        """Make it with uv, unless it is up to date. Raises SystemExit if that fails."""
        made = self.folder / "made-from.txt"
        wanted = self.requirements.read_bytes()
        if made.is_file() and made.read_bytes() == wanted:
            return
        uv = [sys.executable, "-m", "uv"]
        run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(self.folder)])
        options = ["--quiet", "--require-hashes", "--requirement", str(self.requirements)]
        run([*uv, "pip", "install", "--python", self.program("python"), *options])
        made.write_bytes(wanted)

    def program(self, name: str) -> str:
        """Return the path of one of its programs."""
        return str(self.folder / ("Scripts" if sys.platform == "win32" else "bin") / name)


def run(words: list[str], given: str | None = None) -> str:
    """Run a command and return what it printed. Raises SystemExit if it fails."""
    done = subprocess.run(words, input=given, capture_output=True, encoding="utf-8", check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(words[:3])}: {done.stderr or done.stdout}")
    return done.stdout
