# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the example that the add-on brings: the scene of the demo, with one frame painted.

    .venv-bpy-4.5/bin/python -m demo.example --blend
    .venv/bin/python -m demo.example

The first saves the scene with the oldest Blender that is supported, so that every one opens it. The
second captures the painted frame, and paints it; what **Capture** makes again is left out.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "blender_addon/example"
BLEND = OUT / "fox.blend"
SIZE, FRAMES, KEY = (480, 270), 24, 11


def make_blend() -> None:
    """Save the scene, at the frame that is painted."""
    import bpy  # noqa: PLC0415 - the user folder is chosen first

    from .scene import build_scene, save_scene  # noqa: PLC0415

    bpy.context.preferences.filepaths.save_version = 0
    scene = build_scene(*SIZE, FRAMES)
    scene.frame_set(KEY)
    save_scene(BLEND)


def make_shot() -> None:
    """Capture and paint one frame of the scene, in a copy of it."""
    import bpy  # noqa: PLC0415 - as above

    import build_addon  # noqa: PLC0415
    from engine.shared.manifest import FrameRecord, Manifest  # noqa: PLC0415
    from engine.shared.pictures.digests import digest_picture  # noqa: PLC0415
    from engine.shared.shot import Shot  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="paintover-example-") as name:
        folder = Path(name)
        archive = build_addon.build(folder)
        bpy.ops.extensions.package_install_files(
            filepath=str(archive), repo="user_default", enable_on_install=True
        )
        shutil.copy(BLEND, folder)
        bpy.ops.wm.open_mainfile(filepath=str(folder / BLEND.name))
        scene: Any = bpy.context.scene
        scene.frame_start = scene.frame_end = KEY
        operators: Any = bpy.ops.paintover
        operators.capture()
        captured = Shot.open(folder / "paintover" / BLEND.stem)
        shutil.rmtree(OUT / "paintover", ignore_errors=True)
        shot = Shot(OUT / "paintover" / BLEND.stem, Manifest(*SIZE, KEY, KEY))
        for path in (shot.image_path(KEY), shot.key_path(KEY)):
            path.parent.mkdir(parents=True)
        shutil.copyfile(captured.image_path(KEY), shot.image_path(KEY))
        paint = [sys.executable, "-m", "demo.paint", str(captured.folder), "--like", str(KEY)]
        paint += ["--out", str(shot.key_path(KEY).parent), "--frames", str(KEY)]
        subprocess.run(paint, cwd=ROOT, check=True)
        manifest = shot.manifest
        manifest.fps, manifest.colour = captured.manifest.fps, captured.manifest.colour
        manifest.source = {"kind": "blender"}
        manifest.frames[KEY] = FrameRecord(image=digest_picture(shot.image_path(KEY)))
        shot.save()


def main() -> int:
    """Make the scene or the rest."""
    parser = argparse.ArgumentParser(prog="python -m demo.example", description="Make the example.")
    parser.add_argument("--blend", action="store_true", help="save the scene, and nothing else")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="paintover-user-") as user_folder:
        os.environ["BLENDER_USER_RESOURCES"] = user_folder
        if options.blend:
            make_blend()
        else:
            make_shot()
    return 0


if __name__ == "__main__":
    sys.exit(main())
