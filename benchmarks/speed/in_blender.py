# SPDX-License-Identifier: GPL-3.0-or-later
"""The measurements inside Blender, each in its own process.

    python -m benchmarks.speed.in_blender NAME FOLDER [WORD …]

``NAME`` is a function of this module, which takes the words. All share ``FOLDER``, which holds the
installed add-on and the shots. The last line of the output is the results in JSON.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.peak import peak_memory

FOLDER = Path(sys.argv[2]) if len(sys.argv) > 2 else Path()
os.environ["BLENDER_USER_RESOURCES"] = str(FOLDER / "user")

import bpy  # noqa: E402

import addon_utils  # noqa: E402  # isort: skip - bpy makes it importable

from scenes import versions  # noqa: E402

MODULE = "bl_ext.user_default.paintover"
WIDTH, HEIGHT = 960, 540
FRAMES = 2
REPETITIONS = 5
SAMPLES = 1


def install() -> dict[str, Any]:
    """Install the zip in ``FOLDER``."""
    (archive,) = FOLDER.glob("*.zip")
    bpy.ops.extensions.package_install_files(
        filepath=str(archive), repo="user_default", enable_on_install=True
    )
    return {}


def enable() -> dict[str, Any]:
    """Enable the add-on in a Blender that has just started."""
    before = set(sys.modules)
    seconds = _seconds(_enable)
    new = {name.partition(".")[0] for name in set(sys.modules) - before}
    return {"seconds": seconds, "torch": "torch" in sys.modules, "packages": sorted(new)}


def plain() -> dict[str, Any]:
    """Render frames without capture, to measure the memory."""
    scene = _scene()
    _render(scene)
    return {"peak": peak_memory()}


def capture() -> dict[str, Any]:
    """Render without and with capture in turns, and keep the shot."""
    _enable()
    scene = _scene()
    frames = FOLDER / "shot/frames"
    plain_times, capture_times = [], []
    _render(scene)
    for _ in range(REPETITIONS):
        plain_times.append(_seconds(lambda: _render(scene)) / FRAMES)
        shutil.rmtree(frames, ignore_errors=True)
        capture_times.append(_seconds(bpy.ops.paintover.capture) / FRAMES)
        assert len(list(frames.glob("*.png"))) == FRAMES
    return {"plain": plain_times, "capture": capture_times}


def capture_once() -> dict[str, Any]:
    """Capture once, to measure the memory."""
    _enable()
    _scene()
    shutil.rmtree(FOLDER / "shot/frames", ignore_errors=True)
    bpy.ops.paintover.capture()
    return {"peak": peak_memory()}


def compose() -> dict[str, Any]:
    """Send the frames of ``FOLDER/large`` to the compositor and render it without the 3D scene."""
    _enable()
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene: Any = bpy.context.scene
    scene.render.resolution_x, scene.render.resolution_y = 1920, 1080
    scene.render.compositor_device = "CPU"
    scene.frame_start, scene.frame_end = 1, FRAMES
    scene.paintover.folder = str(FOLDER / "large")
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "large.blend"))
    compose_time = _seconds(bpy.ops.paintover.compose)
    tree = versions.compositor_tree(scene)
    assert tree
    for node in tree.nodes:
        node.mute = node.bl_idname == "CompositorNodeRLayers"
    times = []
    for _ in range(REPETITIONS):
        for frame in range(1, FRAMES + 1):
            scene.frame_set(frame)
            times.append(_seconds(bpy.ops.render.render))
    return {"compose": compose_time, "frames": times, "peak": peak_memory()}


def _enable() -> None:
    addon_utils.enable(MODULE, default_set=True)


def capture_size(width: str, height: str) -> dict[str, Any]:
    """Render frames of a size without and with capture, in seconds of the processor a frame."""
    _enable()
    scene = _scene(int(width), int(height))
    scene.paintover.folder = str(FOLDER / f"shot-{width}")
    frames, times = FOLDER / f"shot-{width}/frames", []
    for step in (lambda: _render(scene), bpy.ops.paintover.capture):
        step()  # compiles what is not yet
        shutil.rmtree(frames, ignore_errors=True)
        before = time.process_time()
        step()
        times.append((time.process_time() - before) / FRAMES)
    assert len(list(frames.glob("*.png"))) == FRAMES
    return {"plain": times[0], "capture": times[1]}


def panel(shot: str) -> dict[str, Any]:
    """Look at a shot as the panel does, twice, in seconds of the processor."""
    _enable()
    scene = _scene()
    scene.paintover.folder = shot
    states = sys.modules[f"{MODULE}.states"]
    times, known = [], None
    for _ in range(2):
        query = states.Query.of(scene, known)
        before = time.process_time()
        snapshot = states.look_at_files(query)
        times.append(time.process_time() - before)
        known = snapshot.shot
    return {"first": times[0], "again": times[1]}


def _scene(width: int = WIDTH, height: int = HEIGHT) -> Any:
    from demo.scene import build_scene  # noqa: PLC0415 - "enable" measures without it

    scene = build_scene(width, height, FRAMES)
    scene.render.resolution_percentage = 100
    scene.cycles.samples = SAMPLES
    scene.render.filepath = str(FOLDER / "plain/####")
    if hasattr(scene, "paintover"):
        scene.paintover.folder = str(FOLDER / "shot")
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "scene.blend"))
    return scene


def _render(scene: Any) -> None:
    bpy.ops.render.render(animation=True, scene=scene.name)


def _seconds(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


if __name__ == "__main__":
    print("\n" + json.dumps(globals()[sys.argv[1]](*sys.argv[3:])), flush=True)
