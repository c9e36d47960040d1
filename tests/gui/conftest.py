# SPDX-License-Identifier: GPL-3.0-or-later
"""A real Blender with the built zip installed into an empty home, and a small scene."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
SET_UP_LIMIT = 900
sys.path.insert(0, str(ROOT))

import build_addon  # noqa: E402


@dataclass(frozen=True)
class Blender:
    """The real Blender, with a home and an engine Python that it may use."""

    home: Path
    engine_python: Path

    def run(
        self, *arguments: str | Path, limit: int = 240, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """Run ``blender ARGUMENTS`` and return how it ended, its two outputs in one."""
        command = [str(HERE / "blender.sh"), "run", "--home", str(self.home)]
        command += ["--timeout", str(limit), "--", *map(str, arguments)]
        environment = {"PAINTOVER_ENGINE_PYTHON": str(self.engine_python), **variables}
        return subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )

    def do(self, *arguments: str | Path, limit: int = 240, **variables: str) -> str:
        """Run ``blender ARGUMENTS``, fail the test if it fails, and return what it printed."""
        done = self.run(*arguments, limit=limit, **variables)
        assert done.returncode == 0, f"exit status {done.returncode}\n{done.stdout[-6000:]}"
        return done.stdout


@pytest.fixture(scope="session")
def blender(tmp_path_factory: pytest.TempPathFactory) -> Blender:
    """The real Blender with Paintover installed from the zip; skips where it can't be had."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("a real Blender window needs root on Debian or Ubuntu (see tests/gui)")
    try:
        ready = subprocess.run(
            [str(HERE / "blender.sh"), "setup"],
            capture_output=True,
            text=True,
            check=False,
            timeout=SET_UP_LIMIT,
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"a real Blender could not be installed within {SET_UP_LIMIT} s")
    if ready.returncode != 0:
        pytest.skip(f"a real Blender cannot be installed here: {ready.stderr.strip()[-500:]}")
    folder = tmp_path_factory.mktemp("real-blender")
    engine_python = folder / "engine-python"
    engine_python.write_text(f'#!/bin/sh\nexec host-run "{sys.executable}" "$@"\n')
    engine_python.chmod(0o755)
    blender = Blender(folder / "home", engine_python)
    archive = build_addon.build(folder / "dist")
    blender.do("--command", "extension", "install-file", "-r", "user_default", "-e", archive)
    return blender


@pytest.fixture
def pictures(request: pytest.FixtureRequest) -> Path:
    """An empty folder in ``dist/gui``, named after the test, for pictures of its window."""
    folder = ROOT / "dist/gui" / request.node.name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    return folder


@pytest.fixture
def blend(blender: Blender, tmp_path: Path) -> Path:
    """A saved .blend: 96×64, frames 1 to 3, a cube that turns, Cycles with one sample."""
    path = tmp_path / "my shot é.blend"
    blender.do(*("-b", "--python-exit-code", "9", "--python", HERE / "make_scene.py", "--", path))
    return path
