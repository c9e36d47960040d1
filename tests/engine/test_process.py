# SPDX-License-Identifier: GPL-3.0-or-later
"""A process of the engine: it loads what it needs, and ends at once with all that it printed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import shots


def _loaded(*words: object) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """Run the engine; return how it ended, and the modules that it loaded."""
    command = [sys.executable, "-X", "importtime", "-m", "engine", *map(str, words)]
    done = subprocess.run(command, cwd=shots.ROOT, capture_output=True, text=True, check=False)
    lines = [line.split("|") for line in done.stderr.splitlines() if line.startswith("import time")]
    return done, {parts[-1].strip() for parts in lines}


def test_stylizing_loads_nothing_of_pytorch_s_compiler(tmp_path: Path) -> None:
    shot = tmp_path / "shot"
    shots.make_shot(shot, frames=2)
    trained = shots.run_warm("train", shot, "--steps", 1, "--device", "cpu")
    assert trained.returncode == 0, trained.stderr
    done, loaded = _loaded("stylize", shot, "--device", "cpu", "--verbose")
    assert done.returncode == 0, done.stderr[-500:]
    assert "torch" in loaded
    assert not loaded & {"torch._dynamo", "optuna", "matplotlib", "sympy", "scipy.ndimage"}


def test_what_a_process_printed_arrives_whole(tmp_path: Path) -> None:
    shots.make_shot(tmp_path / "shot", frames=2)
    done = shots.run_engine("status", tmp_path / "shot", "--json")
    assert json.loads(done.stdout)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_output_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    shots.make_shot(tmp_path / "shot", frames=2)
    command = [sys.executable, "-m", "engine", "status", str(tmp_path / "shot")]
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(command, cwd=shots.ROOT, stdout=full, check=False)
    assert done.returncode != 0
