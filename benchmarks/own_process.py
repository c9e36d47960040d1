# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of the benchmarks that run in a process of their own, with Blender or the engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from engine.shared.errors import PaintoverError

ROOT = Path(__file__).resolve().parents[1]
TOLD_LINES = 15


def run_module(module: str, *words: object) -> list[str]:
    """Run ``python -m MODULE WORDS…`` in the project's root and return the lines that it printed.

    Raises:
        PaintoverError: it failed; the last lines that it printed are told.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, words)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    printed = done.stdout.strip().splitlines()
    if done.returncode != 0:
        end = "\n".join(printed[-TOLD_LINES:])
        raise PaintoverError(f"{module} failed at {words[0]}:\n{end}")
    return printed


def measure_in(module: str, *words: object) -> Any:
    """Run a module as ``run_module`` does; return the JSON that is its last line.

    Raises:
        PaintoverError: it failed.
        IndexError, ValueError: it printed no such line.
    """
    return json.loads(run_module(module, *words)[-1])
