# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender FOX.blend --python``, in a window: goes through the manual's tutorial by mouse.

Pictures of the window are saved on the way, each with the place of the sidebar in its name:
``NAME.X.Y.WIDTH.HEIGHT.png``, in pixels from the upper left corner. The variable
``PAINTOVER_PAINT`` is a command that paints the keyframe's file.
"""

import os
import shlex
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import window

PICTURES = Path(os.environ["PAINTOVER_PICTURES"])
BLEND = Path(bpy.data.filepath)
SHOT = BLEND.parent / "paintover" / BLEND.stem
KEY = 3
WIDTH = 330
"""Of the sidebar, in pixels."""


def picture(name: str) -> None:
    where = window.region("UI")
    height = int(bpy.context.window_manager.windows[0].height)
    place = (where.x, height - where.y - where.height, where.width, where.height)
    window.screenshot(str(PICTURES / ".".join([name, *map(str, place), "png"])))


def idle() -> bool:
    return not bpy.context.window_manager.paintover.title


def step(name: str, limit: float, after: float = 0.0) -> window.Steps:
    """Click a step's button, take a picture after some seconds, and wait until it has ended."""
    yield from window.press_button(f"paintover.{name}")
    if after:
        yield after
        picture(name)
    yield from window.wait_for(idle, limit, name)
    yield from window.settle()
    yield 1.5


def arrange() -> window.Steps:
    """Look through the camera, with a wide sidebar, and make the lower right an Image Editor."""
    view = window.area()
    view.spaces.active.region_3d.view_perspective = "CAMERA"
    view.spaces.active.overlay.show_overlays = False
    view.spaces.active.shading.type = "MATERIAL"
    yield from window.sidebar("Paintover")
    border = window.region("UI")
    place = border.x, border.y + border.height // 2
    yield from window.drag(place, (place[0] - (WIDTH - border.width), place[1]))
    view.spaces.active.region_3d.view_camera_zoom = 8
    yield from window.settle()
    yield 20.0


def show_painted(key: int) -> window.Steps:
    """Take the pictures of a shot that has been through all steps."""
    bpy.context.scene.frame_set(key)
    editor = window.area("PROPERTIES")
    editor.ui_type = "IMAGE_EDITOR"
    yield 2.0
    with bpy.context.temp_override(window=window.window(), area=window.area()):
        bpy.ops.paintover.keyframe_open(frame=key)
    yield 5.0
    picture("keyframe")
    editor.spaces.active.ui_mode = "VIEW"
    editor.spaces.active.image = bpy.data.images.load(str(SHOT / f"out/style/{key + 6:04d}.png"))
    bpy.context.scene.frame_set(key + 6)
    yield from window.settle()
    yield 5.0
    picture("done")


def test() -> window.Steps:
    yield from window.ready()
    yield from arrange()
    if (SHOT / "out/style").is_dir():
        yield from show_painted(int(os.environ["PAINTOVER_KEY"]))
        return
    picture("start")
    yield from step("capture", 900, after=6.0)
    bpy.context.scene.frame_set(KEY)
    yield from step("keyframe_add", 60)
    subprocess.run(shlex.split(os.environ["PAINTOVER_PAINT"]), check=True)
    editor = window.area("PROPERTIES")
    editor.ui_type = "IMAGE_EDITOR"
    yield 2.0
    yield from step("keyframe_open", 60)
    yield 3.0
    picture("keyframe")
    yield from step("train", 600, after=float(os.environ.get("PAINTOVER_TRAINED_FOR", "40")))
    yield from step("stylize", 600)
    yield from window.press_button("paintover.compose")
    yield 1.0
    if bpy.context.scene.compositing_node_group is None:
        picture("dialog")
        yield from window.press("Return")
    yield from window.wait_for(lambda: bpy.context.scene.compositing_node_group, 60, "compose")
    yield 4.0
    assert len(list(SHOT.glob("out/style/*.png"))) == bpy.context.scene.frame_end
    editor.spaces.active.image = bpy.data.images.load(str(SHOT / f"out/style/{KEY:04d}.png"))
    yield from window.settle()
    picture("done")


window.run(test, limit=2400)
