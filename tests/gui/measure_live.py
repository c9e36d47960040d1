# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender FILE.blend --python``, in a window: measures a live session by real strokes.

The .blend has a captured shot with a keyframe at its first frame. Arguments after ``--``: the JSON
file of rows to write, and how often each thing is measured.
"""

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import live_steps as steps
import numpy as np
import window

TARGET, TIMES = Path(sys.argv[-2]), int(sys.argv[-1])
CALLBACKS = {
    *("tick", "after update", "after undo", "after frame change"),
    *("draw viewport overlay", "draw image editor", "draw timeline", "draw header"),
}
"""What Blender calls on its main thread; all else that is measured is a part of these."""
FAR = 8
"""Frames from one change of the frame to the next: more than are made ready on each side."""
VIEW_SECONDS = 8.0
MOVE_SECONDS = 0.03
"""From one movement of the mouse that orbits to the next."""
SHOWS = ("carried", "network", "final")

rows: list[dict[str, object]] = []


def add(name: str, value: float, unit: str, aim: float | None, *, less: bool = True) -> None:
    met = None if aim is None else bool(value <= aim if less else value >= aim)
    row = {"name": name, "value": round(value, 4), "unit": unit, "aim": aim}
    rows.append({**row, "more_is_better": not less, "met": met})
    print("row", row, flush=True)


def add_times(name: str, seconds: Sequence[float], aim: float) -> None:
    add(name, float(np.median(seconds)), "s", aim)
    add(f"{name}_p95", float(np.quantile(seconds, 0.95)), "s", 2 * aim)


def drawn(frame: int, change: int, kinds: Sequence[str]) -> bool:
    """Return whether a picture that shows a change is on the screen."""
    picture = steps.session().pictures.drawn(frame)
    return bool(picture and picture.shown.change >= change and picture.shown.shows in kinds)


def seconds_until(condition: Callable[[], bool], what: str, into: list[float]) -> window.Steps:
    began = time.monotonic()
    while not condition():
        if time.monotonic() > began + steps.WAIT:
            raise TimeoutError(f"waited {steps.WAIT:.0f} s for {what}")
        yield
    into.append(time.monotonic() - began)


def memory() -> float:
    """Return the MiB of memory that Blender holds for itself."""
    text = Path("/proc/self/status").read_text("utf-8")
    line = next(line for line in text.splitlines() if line.startswith("RssAnon"))
    return int(line.split()[1]) / 1024


def strokes() -> window.Steps:
    carried: list[float] = []
    network: list[float] = []
    random = np.random.default_rng(0)
    start = 0.0
    for number in range(TIMES + 1):
        start = memory() if number == TIMES // 4 else start
        change = steps.last_change(1)
        dx, dy = random.integers(-60, 60, 2)
        # The same colour would change nothing where it is painted already.
        steps.set_colour(tuple(float(part) for part in random.random(3)))
        yield from steps.stroke(int(dx), int(dy))
        began = time.monotonic()
        yield from seconds_until(lambda c=change: drawn(1, c + 1, SHOWS), "the stroke", carried)
        yield from window.wait_for(
            lambda c=change: drawn(1, c + 1, SHOWS[1:]), steps.WAIT, "the network"
        )
        network.append(time.monotonic() - began)
        yield 0.5
    add("window_memory_growth", max(0.0, memory() - start), "MiB", 50.0)
    # The first stroke begins the network anew.
    add_times("window_stroke_to_carried", carried[1:], 0.5)
    add_times("window_stroke_to_network", network[1:], 2.0)


def is_on_screen(frame: int) -> bool:
    """Return whether the Image Editor was last drawn with the picture of a frame."""
    last = steps.session().pictures.last
    return last is not None and last.shown.frame == frame


def change_frame(frame: int, seconds: list[float]) -> window.Steps:
    assert not is_on_screen(frame)
    bpy.context.scene.frame_set(frame)
    yield from seconds_until(lambda: is_on_screen(frame), "a frame", seconds)
    yield 0.3


def frame_changes() -> window.Steps:
    """To frames that are not ready, far from each other, then to frames that are."""
    scene = bpy.context.scene
    far = [*range(scene.frame_start + FAR, scene.frame_end + 1, FAR)]
    first: list[float] = []
    again: list[float] = []
    for frame in far:
        assert steps.session().pictures.told(frame) is None, f"frame {frame} is ready"
        yield from change_frame(frame, first)
    while len(again) < TIMES:
        for frame in far:
            yield from change_frame(frame, again)
    add_times("window_frame_change", first, 0.3)
    add_times("window_frame_change_cached", again, 0.1)
    scene.frame_set(scene.frame_start)


def blender_alone() -> window.Steps:
    """How long Blender draws a change of the frame by itself, before Live is turned on."""
    scene = bpy.context.scene
    seconds: list[float] = []
    for frame in range(scene.frame_start + 1, scene.frame_start + 1 + TIMES):
        began = time.monotonic()
        scene.frame_set(frame)
        yield
        seconds.append(time.monotonic() - began)
        yield 0.3
    add("window_blender_alone", float(np.median(seconds)), "s", None)
    scene.frame_set(scene.frame_start)


def viewport() -> window.Steps:
    own = bpy.context.window_manager.paintover_live
    own.viewport = True
    view = steps.session().view
    yield from window.wait_for(lambda: view.texture, steps.WAIT, "the viewport")
    area = window.area("VIEW_3D")
    area.spaces.active.region_3d.view_perspective = "PERSP"
    yield from window.settle()
    x, y = steps.middle(area)
    places = [
        (x + (step % 100 if step // 100 % 2 == 0 else 100 - step % 100), y)
        for step in range(round(VIEW_SECONDS / MOVE_SECONDS))
    ]
    orbit = window.start_drag(places, MOVE_SECONDS, button=2)
    shown, last = 0, view.texture
    began = time.monotonic()
    while time.monotonic() - began < VIEW_SECONDS:
        if view.texture is not last:
            shown, last = shown + 1, view.texture
        yield
    orbit.kill()
    window.let_go(2)
    add("window_viewport_rate", shown / VIEW_SECONDS, "pictures/s", 5.0, less=False)
    drawing = steps.part("live.timings").seconds()["draw viewport"]
    add("window_viewport_draw", 1000 * float(np.median(drawing)), "ms", 20.0)
    own.viewport = False


def off() -> window.Steps:
    pid = steps.session().engine_pid
    steps.invoke(bpy.ops.paintover.live)
    seconds: list[float] = []
    yield from seconds_until(lambda: not Path(f"/proc/{pid}").exists(), "the end", seconds)
    add("window_cpu_after_off", seconds[0], "s until 0 %", 1.0)


def on_the_main_thread() -> None:
    """Add how long our callbacks held up Blender, and print how long each took."""
    noted = steps.part("live.timings").seconds()
    blocks = sorted(1000 * each for name in CALLBACKS for each in noted.get(name, []))
    add("main_thread_p99", float(np.quantile(blocks, 0.99)), "ms", 20.0)
    for name in sorted(noted):
        values = 1000 * np.array(noted[name])
        print(
            f"{name:24} {len(values):6} times, median {np.median(values):.2f} ms, 99 % "
            f"{np.quantile(values, 0.99):.2f} ms, longest {values.max():.2f} ms",
            flush=True,
        )


def measure() -> window.Steps:
    """Measure all; what fails leaves its rows out, and the others are written."""
    try:
        yield from window.ready()
        yield from steps.arrange()
        yield from blender_alone()
        yield from steps.turn_on()
        yield from steps.fit()
        steps.part("live.timings").clear()
        yield from strokes()
        yield from frame_changes()
        on_the_main_thread()
        yield from viewport()
        yield from off()
    except Exception:
        traceback.print_exc()
    TARGET.write_text(json.dumps({"rows": rows, "load": os.getloadavg()}, indent=1) + "\n")


window.run(measure, limit=900)
