# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps inside Blender that are killed, each in its own process.

    python -m benchmarks.faults.in_blender STEP FOLDER [FIRST LAST]

``FOLDER`` holds the installed add-on, the .blend and the shot. ``ready`` is printed when the step
begins.
"""

from __future__ import annotations

import importlib
import os
import sys
import time
from pathlib import Path
from typing import Any

STEP, FOLDER = sys.argv[1], Path(sys.argv[2])
os.environ["BLENDER_USER_RESOURCES"] = str(FOLDER.parent / "user")

import bpy  # noqa: E402

import addon_utils  # noqa: E402  # isort: skip - bpy makes it importable

MODULE = "bl_ext.user_default.paintover"
WIDTH, HEIGHT, FRAMES = 64, 48, 4


def install() -> None:
    """Install the zip, and make the .blend."""
    (archive,) = FOLDER.parent.glob("*.zip")
    bpy.ops.extensions.package_install_files(
        filepath=str(archive), repo="user_default", enable_on_install=True
    )
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene: Any = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, FRAMES
    scene.render.engine = "CYCLES"
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.cycles.samples, scene.cycles.use_denoising = 1, False
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.light_add(type="SUN", rotation=(0.6, 0.3, 0))
    bpy.ops.object.camera_add(location=(4, -4, 3), rotation=(1.1, 0, 0.785))
    scene.camera = bpy.context.object
    scene.paintover.folder = "//shot/"
    bpy.ops.wm.save_as_mainfile(filepath=str(FOLDER / "scene.blend"))


def prepare() -> None:
    """Capture the shot that later steps go on with, and save the .blend."""
    bpy.ops.paintover.capture()
    bpy.ops.wm.save_mainfile()


def capture() -> None:
    """Capture the frames of the range."""
    scene: Any = bpy.context.scene
    if len(sys.argv) > 4:
        scene.frame_start, scene.frame_end = int(sys.argv[3]), int(sys.argv[4])
    bpy.ops.paintover.capture()


def recapture() -> None:
    """Capture with other settings, so that new frames wait until all are rendered."""
    scene: Any = bpy.context.scene
    scene.cycles.samples = 2
    bpy.ops.paintover.capture()


def compose() -> None:
    """Send the stylized frames to the compositor, and save the .blend."""
    bpy.ops.paintover.compose()
    bpy.ops.wm.save_mainfile()


def set_up() -> None:
    """Install an engine of small packages from an index on this machine; see ``set_ups``."""
    os.environ.pop("PAINTOVER_ENGINE_PYTHON", None)
    setup: Any = importlib.import_module(f"{MODULE}.engine_setup")
    environment: Any = importlib.import_module(f"{MODULE}.engine_process.environment")
    environment._blender_has_packages = lambda: False
    setup.builds.LOCKS = FOLDER.parent / "index"
    setup.engine_check.check = _check_packages
    address = sys.argv[3]
    preferences = environment.preferences()
    preferences.package_index = f"{address}/simple"
    preferences.torch_index = f"{address}/whl"
    system: Any = bpy.context.preferences.system
    system.use_online_access = True
    build = f"{setup.builds.this_platform()}-cpu"
    bpy.ops.paintover.engine_install(build=build, python=sys.executable)


def _check_packages(python: Any, log: Any, start: float = 0.0) -> Any:
    """Import a package, in the place of a training."""
    setup: Any = importlib.import_module(f"{MODULE}.engine_setup")
    progress = importlib.import_module(f"{MODULE}.jobs").Progress(start)
    command = [str(python.path), "-I", "-B", "-c", "import small"]
    yield from setup.commands.run(command, setup.places.folder(), log, progress)
    return setup.record.Check("CPU", 1.0, time=time.time())


def main() -> None:
    """Run the step."""
    if STEP != "install":
        addon_utils.enable(MODULE, default_set=True)
        bpy.ops.wm.open_mainfile(filepath=str(FOLDER / "scene.blend"))
    print("\nready", flush=True)
    globals()[STEP]()
    os._exit(0)


if __name__ == "__main__":
    main()
