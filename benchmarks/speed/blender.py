# SPDX-License-Identifier: GPL-3.0-or-later
"""The cost of the steps inside Blender, and of starting the engine."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from typing import Any

import build_addon
from benchmarks.own_process import measure_in
from benchmarks.rows import Row

from .processes import (
    copy_untrained,
    make_stylized_shot,
    paint,
    run_engine,
    seconds_to_ready,
)

STARTS = 5
COMPOSED_FRAMES = 3
TRAINING_STEPS = 60
MIB = 2**20
MOST_OF_ENGINE = 1.5e9


def blender_rows(folder: Path, device: str) -> list[Row]:
    """Measure all rows, in an empty folder."""
    build_addon.build(folder)
    _in_blender("install", folder)
    return [
        *_enabling(folder),
        *_capture(folder),
        _engine_memory(folder, device),
        *_compose(folder),
    ]


def start_row() -> Row:
    """Measure the seconds until the engine's process is ready."""
    ready = median(seconds_to_ready() for _ in range(STARTS))
    return Row("engine_start", ready, "s", aim=3.0, remark=f"median of {STARTS} starts")


def _enabling(folder: Path) -> list[Row]:
    starts = [_in_blender("enable", folder) for _ in range(STARTS)]
    loaded = [start for start in starts if start["torch"]]
    return [
        Row(
            "addon_enable",
            median(start["seconds"] for start in starts),
            "s",
            aim=0.1,
            remark=f"median of {STARTS} fresh Blenders",
        ),
        Row(
            "addon_imports_torch",
            len(loaded),
            "",
            aim=0,
            remark=f"times that this imported PyTorch into Blender, of {STARTS}",
        ),
    ]


def _capture(folder: Path) -> list[Row]:
    times = _in_blender("capture", folder)
    pairs = zip(times["plain"], times["capture"], strict=True)
    cost = median(capture - plain for plain, capture in pairs)
    detail = (
        f"a frame at 960×540, beyond a plain render; {len(times['plain'])} turns; "
        f"plain {median(times['plain']):.2f} s, capture {median(times['capture']):.2f} s"
    )
    plain = _in_blender("plain", folder)["peak"]
    captured = _in_blender("capture_once", folder)["peak"]
    return [
        Row("capture_overhead", cost, "s", aim=0.4, remark=detail),
        Row(
            "memory_blender",
            captured / MIB,
            "MiB",
            remark=f"peak, capture at 960×540; a plain render alone {plain / MIB:.0f} MiB",
        ),
    ]


def _engine_memory(folder: Path, device: str) -> Row:
    shot = copy_untrained(folder / "shot", folder / "shot to learn")
    paint(shot, 1)
    steps = str(TRAINING_STEPS)
    peaks = [
        run_engine("train", shot, "--steps", steps, "--device", device),
        run_engine("stylize", shot, "--device", device),
    ]
    return Row(
        "memory_engine",
        max(peaks) / MIB,
        "MiB",
        aim=MOST_OF_ENGINE / MIB,
        remark=(
            f"peak, all guides at 960×540: train {peaks[0] / MIB:.0f} MiB, "
            f"stylize {peaks[1] / MIB:.0f} MiB"
        ),
    )


def _compose(folder: Path) -> list[Row]:
    make_stylized_shot(folder / "pictures", folder / "large", COMPOSED_FRAMES)
    times = _in_blender("compose", folder)
    return [
        Row("compose", times["compose"], "s", aim=0.1, remark="the operator, on a 1920×1080 scene"),
        Row(
            "composited_frame",
            median(times["frames"]),
            "s",
            aim=0.1,
            remark=(
                f"1920×1080 without a 3D render, CPU compositor, median of {len(times['frames'])}; "
                "reading the stylized PNG included, writing not"
            ),
        ),
    ]


def _in_blender(what: str, folder: Path) -> dict[str, Any]:
    results: dict[str, Any] = measure_in("benchmarks.speed.in_blender", what, folder)
    return results
