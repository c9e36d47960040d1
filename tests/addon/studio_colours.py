# SPDX-License-Identifier: GPL-3.0-or-later
"""A program: capture, keyframe and compositor in the OpenColorIO configuration of ``OCIO``.

Blender reads that variable when it starts, so the test runs this in a process of its own, with the
zip of the add-on and an empty folder as arguments, and ``BLENDER_USER_RESOURCES`` set.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import Any

import bpy
import numpy as np


def read_codes(path: Path) -> Any:
    image: Any = bpy.data.images.load(str(path), check_existing=False)
    values = np.empty(image.size[0] * image.size[1] * 4, np.float32)
    image.pixels.foreach_get(values)
    return np.rint(values * 255).astype(int).reshape(-1, 4)


def render(scene: Any, path: Path) -> Any:
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return read_codes(path)


def main(archive: str, folder: Path) -> None:
    bpy.ops.extensions.package_install_files(
        filepath=archive, repo="user_default", enable_on_install=True
    )
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene: Any = bpy.context.scene
    render_settings = scene.render
    render_settings.engine, scene.cycles.samples = "CYCLES", 1
    render_settings.resolution_x, render_settings.resolution_y = 480, 270
    render_settings.resolution_percentage, render_settings.dither_intensity = 100, 0
    render_settings.compositor_device = "CPU"
    render_settings.image_settings.file_format = "PNG"
    scene.frame_end = 1
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.light_add(type="SUN", rotation=(0.6, 0.3, 0))
    bpy.ops.object.camera_add(location=(4, -4, 3), rotation=(1.1, 0, 0.785))
    scene.camera = bpy.context.object
    bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))
    own = render(scene, folder / "own.png")
    steps: Any = bpy.ops.paintover
    steps.capture()
    part = importlib.import_module("bl_ext.user_default.paintover.steps")
    shot = part.open_shot(scene)
    assert np.array_equal(read_codes(shot.image_path(1))[:, :3], own[:, :3])
    steps.keyframe_add(frame=1)
    steps.keyframe_open(frame=1)
    print("keyframe in", bpy.data.images["Keyframe 1"].colorspace_settings.name)
    painting: Any = bpy.data.images.new("painting", 480, 270)
    codes = np.random.default_rng(1).integers(0, 256, (480 * 270, 4))
    codes[:, 3] = 255
    painting.pixels.foreach_set((codes / 255).astype(np.float32).ravel())
    path = shot.out_path("style", 1, ".png")
    path.parent.mkdir(parents=True)
    painting.filepath_raw, painting.file_format = str(path), "PNG"
    painting.save()
    steps.compose()
    assert np.array_equal(render(scene, folder / "composed.png")[:, :3], codes[:, :3])
    steps.compose(remove=True)
    assert np.array_equal(render(scene, folder / "removed.png"), own)
    print("display", shot.manifest.colour.display, "view", shot.manifest.colour.view)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
    sys.stdout.flush()
    os._exit(0)
