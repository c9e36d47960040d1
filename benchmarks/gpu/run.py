# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the parts in turn, each with a time limit, and writes the results after each one."""

from __future__ import annotations

import json
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine
from benchmarks.own_process import ROOT, SHOWN_LINES
from benchmarks.quality.captures import Tell
from engine.networks.device import choose_device
from engine.shared.files import write_bytes

from .kit import open_kit
from .parts import PARTS, Result

LIMIT = 420.0
"""Time limit of a whole run, in seconds."""
MIN_SECONDS = 20.0
"""A part is skipped if fewer seconds are left."""


def run(
    kit: Path, file: Path, device: str, only: Sequence[str], seconds: float, tell: Tell
) -> dict[str, Any]:
    """Run the measurement.

    Args:
        kit: the folder made by ``kit.prepare``.
        file: the JSON file of the results; rewritten after each result.
        device: value of the engine's option ``--device``.
        only: names of parts; empty for all.
        seconds: time limit of the whole run.
        tell: called with progress messages.

    Returns:
        The contents of the file.

    Raises:
        PaintoverError: there is no such device, or the folder is not a kit.
    """
    ends = time.monotonic() + seconds
    open_kit(kit)
    machine = describe_machine()
    machine["device"] = choose_device(device).describe()
    parts: dict[str, Any] = {}
    found = {"machine": machine, "parts": parts}
    for name in only or PARTS:
        left = ends - time.monotonic()
        part: dict[str, Any] = {"state": "not begun", "seconds": 0.0, "results": []}
        parts[name] = part
        if left >= MIN_SECONDS:
            tell(f"{name} ({left:.0f} s left)")
            _run_part(name, kit, device, min(left, PARTS[name].seconds), part, found, file)
            tell(f"  {part['state']}, {part['seconds']:.0f} s")
            for line in part.get("error", ()):
                tell(f"  {line}")
        _write(file, found)
    return found


def _run_part(
    name: str,
    kit: Path,
    device: str,
    seconds: float,
    part: dict[str, Any],
    found: dict[str, Any],
    file: Path,
) -> None:
    """Run a part in its own process, and end the process at its time limit."""
    began = time.monotonic()
    words = [name, str(kit.resolve()), device, str(seconds)]
    lines: queue.Queue[str | None] = queue.Queue()
    others: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-m", "benchmarks.gpu.parts", *words],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        threading.Thread(target=_read, args=(process, lines), daemon=True).start()
        state = "done"
        while True:
            try:
                line = lines.get(timeout=max(0.0, began + seconds - time.monotonic()))
            except queue.Empty:
                process.kill()
                state = "cut"
                break
            if line is None:
                break
            result = _result(line)
            if result is None:
                others.append(line)
            else:
                part["results"].append(result)
                _write(file, found)
    if state == "done" and process.returncode != 0:
        state, part["error"] = "failed", others[-SHOWN_LINES:]
    part["state"], part["seconds"] = state, round(time.monotonic() - began, 1)


def _read(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    assert process.stdout is not None
    for line in process.stdout:
        lines.put(line.rstrip("\n"))
    lines.put(None)


def _result(line: str) -> Result | None:
    """Return the result in a line of output; None if the line is not a result."""
    try:
        data = json.loads(line)
    except ValueError:
        return None
    return data if isinstance(data, dict) and "kind" in data else None


def _write(file: Path, found: dict[str, Any]) -> None:
    text = json.dumps(found, indent=1, ensure_ascii=False) + "\n"
    write_bytes(file.resolve(), text.encode())
