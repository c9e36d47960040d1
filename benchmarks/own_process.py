# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of the benchmarks that run in a process of their own, with Blender or the engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from engine.errors import PaintoverError

ROOT = Path(__file__).resolve().parents[1]
TOLD_LINES = 15


def run_module(module: str, *words: object) -> Any:
    """Run ``python -m MODULE WORDS…`` in the project's root.

    Returns:
        What it printed last, a line of JSON; None where that is none.

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
    try:
        return json.loads(printed[-1])
    except (IndexError, ValueError):
        return None
