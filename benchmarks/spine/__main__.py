# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m benchmarks.spine [--json FILE] [--write]``: measure and print the table."""

from __future__ import annotations

import argparse
import dataclasses
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import build_addon
from benchmarks.machine import describe_machine
from benchmarks.spine.of_engine import (
    copy_untrained,
    make_stylized_shot,
    paint,
    run_engine,
    seconds_to_ready,
)
from benchmarks.spine.table import Row, to_markdown
from engine.style_header import read_style_header

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/benchmarks.md"
STARTS = 5
TRAINING_SECONDS = 20
LARGE_FRAMES = 3
MIB = 2**20


def measure(folder: Path) -> list[Row]:
    """Measure everything in an empty folder and return the rows."""
    build_addon.build(folder)
    _in_blender("install", folder)
    rows = _enabling(folder)
    rows += _capture(folder)
    rows += _engine(folder)
    rows += _demo(folder)
    rows += _compose(folder)
    return rows


def _enabling(folder: Path) -> list[Row]:
    starts = [_in_blender("enable", folder) for _ in range(STARTS)]
    loaded = [start for start in starts if start["torch"]]
    return [
        Row(
            "enabling the add-on",
            median(start["seconds"] for start in starts),
            "s",
            0.1,
            f"median of {STARTS} fresh Blenders",
        ),
        Row(
            "times that this imported PyTorch into Blender",
            len(loaded),
            "",
            0,
            f"looked for in sys.modules, {STARTS} Blenders",
        ),
    ]


def _capture(folder: Path) -> list[Row]:
    times = _in_blender("capture", folder)
    pairs = zip(times["plain"], times["capture"], strict=True)
    cost = median(capture - plain for plain, capture in pairs)
    detail = (
        f"a frame at 960×540; median of {len(times['plain'])} pairs in turns; "
        f"plain {median(times['plain']):.2f} s, capture {median(times['capture']):.2f} s"
    )
    plain = _in_blender("plain", folder)["peak"]
    captured = _in_blender("capture_once", folder)["peak"]
    return [
        Row("capture, beyond a plain render", cost, "s", 0.4, detail),
        Row(
            "Blender's peak memory",
            captured / MIB,
            "MiB",
            None,
            f"capture at 960×540; a plain render alone {plain / MIB:.0f} MiB",
        ),
    ]


def _engine(folder: Path) -> list[Row]:
    ready = median(seconds_to_ready() for _ in range(STARTS))
    shot = copy_untrained(folder / "shot", folder / "shot to learn")
    paint(shot, 1)
    rows, peaks = _learning(shot, "960×540")
    return [
        Row("engine, from start to ready", ready, "s", 3.0, f"median of {STARTS} starts"),
        *rows,
        Row(
            "engine's peak memory",
            max(peaks) / MIB,
            "MiB",
            1.5e9 / MIB,
            f"960×540: train {peaks[0] / MIB:.0f} MiB, stylize {peaks[1] / MIB:.0f} MiB",
        ),
    ]


def _demo(folder: Path) -> list[Row]:
    print("measuring the demo's shot", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "demo", "--short", "--out", str(folder / "demo")]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    (made,) = folder.glob("demo/paintover/*/")
    rows, _ = _learning(copy_untrained(made, folder / "demo to learn"), "the short demo's shot")
    return rows


def _learning(shot: Path, name: str) -> tuple[list[Row], tuple[int, int]]:
    """Train and stylize; return the rows, and the peak memory of both in bytes."""
    train = run_engine("train", shot, "--seconds", str(TRAINING_SECONDS))
    steps = read_style_header(shot / "styles/style.safetensors").steps
    frames = len(list((shot / "frames").glob("*.png")))
    stylize = run_engine("stylize", shot)
    how = f"--seconds {TRAINING_SECONDS}, {steps} steps; start and end of the process included"
    rows = [
        Row(f"train, {name}", train.seconds, "s", None, how),
        Row(
            f"stylize, {name}",
            stylize.seconds / frames,
            "s",
            None,
            f"a frame, of {frames}; start of the process included",
        ),
    ]
    return rows, (train.peak, stylize.peak)


def _compose(folder: Path) -> list[Row]:
    make_stylized_shot(folder / "pictures", folder / "large", LARGE_FRAMES)
    times = _in_blender("compose", folder)
    return [
        Row("compose", times["compose"], "s", 0.1, "the operator, on a 1920×1080 scene"),
        Row(
            "a composited frame without a 3D render",
            median(times["frames"]),
            "s",
            0.1,
            f"1920×1080, CPU compositor, median of {len(times['frames'])}; "
            "reading the stylized PNG included, writing not",
        ),
    ]


def _in_blender(what: str, folder: Path) -> dict[str, Any]:
    print(f"measuring in Blender: {what}", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.spine.in_blender", what, str(folder)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"benchmarks.spine: {what} failed:\n{done.stdout[-3000:]}")
    results: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return results


def main() -> None:
    """Command line; see the module's text."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spine", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers as JSON")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    options = parser.parse_args()
    machine = describe_machine()
    with tempfile.TemporaryDirectory(prefix="paintover-spine-") as folder:
        rows = measure(Path(folder))
    table = to_markdown(rows, machine)
    print(table)
    if options.json:
        numbers = {"machine": machine, "rows": [dataclasses.asdict(row) for row in rows]}
        options.json.write_text(json.dumps(numbers, indent=1, ensure_ascii=False) + "\n")
    if options.write:
        text = f"# Speed and memory\nMade by `make bench ARGS=--write`.\n\n{table}\n"
        PAGE.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
