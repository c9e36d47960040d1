# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a shot and captures it as a user does, in its own Blender process.

    python -m benchmarks.quality.in_blender SHOT FOLDER WIDTH HEIGHT FRAMES WHAT ARCHIVE

``FOLDER`` becomes the shot folder; the .blend is saved beside it. ``ARCHIVE`` is the zip of the
extension. ``WHAT`` is ``user`` for the frames of a user, or ``fine`` for the passes that styles
paint from: every sample is at the centre of its pixel, so that no edge mixes two surfaces.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

FINE = "fine"
SAMPLES_OF_FINE = 4


def main(shot: str, folder: Path, size: tuple[int, int], frames: int, what: str, zip_: str) -> None:
    """Capture one shot; see the docstring of the module."""
    import bpy  # noqa: PLC0415 - looks for its user folder when it is imported

    from benchmarks.quality.shots.studio import empty_scene, quick_denoising  # noqa: PLC0415

    bpy.ops.extensions.package_install_files(
        filepath=zip_, repo="user_default", enable_on_install=True
    )
    scene: Any = empty_scene(*size, frames)
    importlib.import_module(f"benchmarks.quality.shots.{shot}").build(scene, frames)
    if what == FINE:
        quick_denoising(scene)
        scene.cycles.samples = SAMPLES_OF_FINE
        scene.cycles.pixel_filter_type, scene.cycles.filter_width = "BOX", 0.01
    scene.frame_set(1)
    scene.paintover.folder = str(folder)
    bpy.ops.wm.save_as_mainfile(filepath=str(folder.with_suffix(".blend")), compress=True)
    operators: Any = bpy.ops.paintover
    operators.capture()


if __name__ == "__main__":
    name, target, width, height, count, kind, archive = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="paintover-quality-") as user_folder:
        os.environ["BLENDER_USER_RESOURCES"] = user_folder
        main(name, Path(target), (int(width), int(height)), int(count), kind, archive)
