# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast a session answers strokes, frame changes and pictures of the viewport."""

from __future__ import annotations

import time
from pathlib import Path

import cv2
import numpy as np

from benchmarks.rows import Row
from engine.images.types import BoolArray, FloatArray
from engine.shared import live_protocol as live
from engine.shared.shot import Shot

from .client import JOB, Session, read_rgba, session
from .rows import times

TIMES = 20
STROKE = 24
"""Side of a stroke, in pixels."""
AROUND = 24
"""Pixels around what a stroke moved that may move as well."""
LATER_EVERY, LATER_SECONDS = 4, 3.0
"""After every fourth stroke the rest of the picture is compared again, so much later."""
VIEW = (384, 216)
WARM_UP = 60
"""Steps after which a session counts as warm."""


def measure(shot: Shot, strokes: int, work: Path) -> list[Row]:
    """Return the rows of a session of a shot.

    Args:
        shot: with a painted keyframe.
        strokes: for the growth of memory.
        work: for files of pixels.
    """
    key = shot.painted_keys()[0]
    frames = [frame for frame in shot.frames if frame != key]
    shown = frames[len(frames) // 2]
    size = shot.manifest.width, shot.manifest.height
    with session(shot.folder, size, work) as one:
        one.start(shown, slots=len(frames), view=VIEW, keep=False)
        one.shown(live.NETWORK, frame=shown)
        one.until(lambda event: isinstance(event, live.LiveState) and event.steps >= WARM_UP)
        rows = _strokes(one, shot, key, shown)
        rows += _frames(one, frames)
        rows += _view(one, shot.image_path(shown))
        rows.append(_memory(one, shot, key, strokes))
        rows.append(_off(one))
    return rows


def paint_stroke(pixels: FloatArray, number: int) -> BoolArray:
    """Paint a stroke where the picture shows something, in place; return where (H, W)."""
    generator = np.random.default_rng(number)
    shown = cv2.erode((pixels[..., 3] > 0.9).astype(np.uint8), np.ones((STROKE, STROKE)))
    places = np.argwhere(shown[:-STROKE, :-STROKE])
    top, left = places[generator.integers(len(places))]
    inside = np.zeros(pixels.shape[:2], bool)
    inside[top : top + STROKE, left : left + STROKE] = True
    inside &= pixels[..., 3] > 0
    pixels[inside, :3] = generator.random(3)
    return inside


def _strokes(one: Session, shot: Shot, key: int, shown: int) -> list[Row]:
    pixels = read_rgba(shot.key_path(key))
    carried, network, still, later = [], [], [], []
    for number in range(TIMES):
        before = one.picture(one.show(shown))
        paint_stroke(pixels, number)
        began = time.monotonic()
        change = one.paint(key, pixels)
        first = one.shown(change=change, frame=shown)
        carried.append(one.at - began)
        moved = np.abs(one.picture(first) - before).max(axis=2) > 1 / 255
        if first.shows == live.CARRIED:
            first = one.shown(live.NETWORK, change=change, frame=shown)
        network.append(one.at - began)
        around = np.ones((2 * AROUND + 1,) * 2, np.uint8)
        rest = cv2.dilate(moved.astype(np.uint8), around) == 0
        still.append(float(np.abs(one.picture(first) - before)[rest, :3].mean() * 255))
        if number % LATER_EVERY == 0:
            later_one = one.until(
                lambda event: (
                    isinstance(event, live.LiveShown)
                    and event.shows == live.NETWORK
                    and event.seconds >= LATER_SECONDS
                )
            )
            later.append(float(np.abs(one.picture(later_one) - before)[rest, :3].mean() * 255))
    remark = f"{TIMES} strokes, shown in another frame"
    return [
        *times("stroke_to_carried", carried, remark),
        *times("stroke_to_network", network, remark),
        Row("still_elsewhere", round(max(still), 4), "codes", aim=1.0, remark=remark),
        Row(
            "still_while_learning",
            round(float(np.median(later)), 4),
            "codes",
            aim=2.0,
            remark=f"elsewhere, {LATER_SECONDS:g} s of learning after a stroke",
        ),
    ]


def _frames(one: Session, frames: list[int]) -> list[Row]:
    """Measure frame changes: to frames without a picture, then to frames that are ready."""
    first, again = [], []
    for number in range(TIMES):
        # All pictures have to be made anew, as after a stroke that shows in all frames.
        one.send(live.LiveSettings(JOB, unpainted=("nothing", "frame")[number % 2]))
        one.shown(number=0)
        first.append(_timed_show(one, frames[(3 * number) % len(frames)]))
    one.send(live.LiveRange(JOB, frames))
    one.until(lambda event: isinstance(event, live.LiveCache) and len(event.fresh) == len(frames))
    one.send(live.LiveRange(JOB, []))
    for number in range(TIMES):
        again.append(_timed_show(one, frames[(7 * number) % len(frames)]))
    return [
        *times("frame_change", first, "frames whose picture has to be made"),
        *times("frame_change_cached", again, "frames that were kept ready"),
    ]


def _timed_show(one: Session, frame: int) -> float:
    began = time.monotonic()
    one.show(frame)
    return one.at - began


def _view(one: Session, path: Path) -> list[Row]:
    scaled = cv2.resize(read_rgba(path), VIEW, interpolation=cv2.INTER_AREA)
    pixels = np.asarray(scaled, np.float32)
    while not one.view(pixels).sequence:
        time.sleep(0.1)
    began = time.monotonic()
    for _ in range(TIMES):
        one.view(pixels)
    rate = TIMES / (time.monotonic() - began)
    name = (
        f"{VIEW[0]}×{VIEW[1]}, one after the other; learning rests, but for a step in two seconds"
    )
    return [Row("viewport_rate", round(rate, 2), "frames/s", aim=5.0, remark=name)]


def _memory(one: Session, shot: Shot, key: int, strokes: int) -> Row:
    pixels = read_rgba(shot.key_path(key))
    start = 0.0
    for number in range(strokes):
        paint_stroke(pixels, 1000 + number)
        change = one.paint(key, pixels)
        if one.shown(change=change).shows == live.CARRIED:
            one.shown(live.NETWORK, change=change)
        if number == min(20, strokes // 4):
            start = one.memory()
    grown = max(0.0, one.memory() - start)
    remark = f"the engine's, in {strokes} strokes"
    return Row("memory_growth", round(grown, 1), "MiB", aim=50.0, remark=remark)


def _off(one: Session) -> Row:
    began = time.monotonic()
    one.cancel()
    time.sleep(max(0.0, 1 - (time.monotonic() - began)))
    used, began = one.processor_seconds(), time.monotonic()
    time.sleep(3)
    share = 100 * (one.processor_seconds() - used) / (time.monotonic() - began)
    remark = "of one processor, from 1 s after Live is turned off"
    return Row("cpu_after_off", round(share, 1), "%", aim=0.5, remark=remark)
