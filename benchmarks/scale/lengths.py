# SPDX-License-Identifier: GPL-3.0-or-later
"""Long shots: whether the cost of a frame grows with their number."""

from __future__ import annotations

import dataclasses
import json
import shutil
import statistics
import time
from pathlib import Path

from benchmarks.own_process import measure_in
from benchmarks.rows import Row
from benchmarks.speed.processes import make_pictures, paint
from engine.shared.manifest import FrameRecord
from engine.shared.shot import Shot

from .engine_costs import cost_of, finish, start
from .extents import Extent

SMALL = (64, 36)
"""Frames so small that what is not their pixels shows."""
STATUS = "status"
MOST_STATUS = 0.5
MOST_NOTE = 10.0
MOST_GROWTH = 1.15
"""Cost of a frame of a long shot over that of a short one."""
STYLE = ("--style", "scale", "--device", "cpu")


def length_rows(folder: Path, extent: Extent, blender: Path) -> list[Row]:
    """Measure the rows on long shots, given a folder for Blender with the add-on."""
    return [
        *_long_rows(folder, extent, blender),
        _import_row(folder, extent.imported),
        _stylize_row(folder, extent.stylized),
    ]


def _shot(folder: Path, frames: int) -> Path:
    """Import a shot of small frames."""
    if not (folder / f"pictures-{frames}").is_dir():
        make_pictures(folder / f"pictures-{frames}", *SMALL, frames)
    cost_of("import", folder / f"shot-{frames}", "--input", folder / f"pictures-{frames}")
    return folder / f"shot-{frames}"


def _long_rows(folder: Path, extent: Extent, blender: Path) -> list[Row]:
    """Status, the panel's look and noting of captured frames in a long shot that is stylized."""
    path = _shot(folder, extent.long)
    paint(path, 1)
    words = ("--steps", 2, "--network", "small", "--guides", "colour")
    cost_of("train", path, *STYLE, *words)
    cost_of("stylize", path, *STYLE, threads=2)
    seconds = []
    for _ in range(3):
        began = time.perf_counter()
        data = json.loads(finish(start(STATUS, path, "--json")))
        seconds.append(time.perf_counter() - began)
    assert not data["styles"]["scale"]["missing"]
    looks = measure_in("benchmarks.speed.in_blender", "panel", blender, path)
    shot = Shot.open(path)
    last = max(shot.frames)
    each = _seconds_to_note(shot, [*range(last + 1, last + 1 + extent.noted)])
    few = Shot(folder / "few", dataclasses.replace(shot.manifest, frames={}))
    few.manifest.frames[1] = FrameRecord("0" * 32)
    few.save()
    first = _seconds_to_note(Shot.open(few.folder), [*range(2, 2 + extent.noted)])
    shutil.rmtree(path)
    return [
        Row(
            f"status_{extent.long}",
            statistics.median(seconds),
            "s",
            aim=MOST_STATUS,
            remark=f"`{STATUS} --json` of a stylized shot of {extent.long} frames, with the start "
            "of the process",
        ),
        Row(
            f"panel_{extent.long}",
            looks["again"],
            "s",
            remark="what the panel takes beside Blender every 3 s to look at this shot; the first "
            f"time {looks['first']:.2f} s",
        ),
        Row(
            f"capture_row_{extent.long}",
            1000 * each,
            "ms",
            aim=MOST_NOTE,
            remark=f"noting a captured frame at frame {extent.long}; at frame 2 {1000 * first:.2f}",
        ),
    ]


def _seconds_to_note(shot: Shot, frames: list[int]) -> float:
    """Return the median seconds of what a capture writes down for a frame."""
    seconds = []
    for frame in frames:
        shot.manifest.frames[frame] = FrameRecord(f"{frame:032x}")
        began = time.perf_counter()
        shot.note_frame(frame)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def _import_row(folder: Path, lengths: tuple[int, int]) -> Row:
    costs = []
    for frames in lengths:
        make_pictures(folder / f"in-{frames}", *SMALL, frames)
        costs.append(
            cost_of("import", folder / f"out-{frames}", "--input", folder / f"in-{frames}")
        )
        shutil.rmtree(folder / f"out-{frames}")
    short, long = costs
    start_up = cost_of("info", "--help").cpu
    times = lengths[1] / lengths[0]
    return Row(
        f"import_{lengths[1]}_over_{lengths[0]}",
        (long.cpu - start_up) / (short.cpu - start_up),
        "",
        aim=MOST_GROWTH * times,
        remark=f"processor time without the process's start; {times:g} is linear",
    )


def _stylize_row(folder: Path, lengths: tuple[int, int]) -> Row:
    """Plain pictures with projected paint, which is followed from frame to frame."""
    costs = []
    for frames in lengths:
        shot = _shot(folder, frames)
        paint(shot, 1)
        cost_of("train", shot, *STYLE, "--steps", 2, "--network", "small")
        cost_of("stylize", shot, *STYLE, "--frames", "1-2")  # compiles what is not yet
        one = cost_of("stylize", shot, *STYLE, "--frames", "1", "--force")
        costs.append((cost_of("stylize", shot, *STYLE).cpu - one.cpu) / (frames - 2))
        shutil.rmtree(shot)
    return Row(
        f"stylize_growth_{lengths[1]}",
        costs[1] / costs[0],
        "",
        aim=MOST_GROWTH,
        remark=f"processor time of a frame of {lengths[1]} over one of {lengths[0]}: plain "
        f"pictures, paint along the motion; {1000 * costs[1]:.0f} ms a frame",
    )
