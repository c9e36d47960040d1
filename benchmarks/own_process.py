# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules of the benchmarks in their own process, with Blender or the engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from engine.shared.errors import PaintoverError

ROOT = Path(__file__).resolve().parents[1]
SHOWN_LINES = 15


def run_module(module: str, *words: object) -> list[str]:
    """Run ``python -m MODULE WORDS…`` in the root of the project and return its lines of output.

    Raises:
        PaintoverError: it failed; the message ends with its last ``SHOWN_LINES`` lines of output.
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
        end = "\n".join(printed[-SHOWN_LINES:])
        raise PaintoverError(f"{module} failed at {words[0]}:\n{end}")
    return printed


def measure_in(module: str, *words: object) -> Any:
    """Run a module as ``run_module`` does, and return the data of its last line, which is JSON.

    Raises:
        PaintoverError: it failed.
        IndexError, ValueError: its last line is not JSON.
    """
    return json.loads(run_module(module, *words)[-1])
