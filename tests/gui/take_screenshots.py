# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender --python``, in a window: goes through the manual's tutorial by mouse.

Pictures of the window are saved on the way, each with the place of the sidebar in its name:
``NAME.X.Y.WIDTH.HEIGHT.png``, in pixels from the upper left corner.
"""

import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import window

PICTURES = Path(os.environ["PAINTOVER_PICTURES"])
KEY, LATER = 11, 20
"""The painted frame of the example, and another one to look at."""
WIDTH = 330
"""Of the sidebar, in pixels."""
LIMIT = 3000


def picture(name: str) -> None:
    where = window.region("UI")
    height = int(bpy.context.window_manager.windows[0].height)
    place = (where.x, height - where.y - where.height, where.width, where.height)
    window.screenshot(str(PICTURES / ".".join([name, *map(str, place), "png"])))


def idle() -> bool:
    return not bpy.context.window_manager.paintover.title


def done(name: str) -> bool:
    """Return whether a step of the panel has its check mark."""
    watcher = sys.modules["bl_ext.user_default.paintover.ui.watcher"]
    return watcher.current()[0].steps[name].step.value == "up to date"


def step(name: str, after: float) -> window.Steps:
    """Click a step's button, take a picture after some seconds, and wait until it is done."""
    began = time.monotonic()
    yield from window.press_button(f"paintover.{name}")
    yield from window.wait_for(lambda: not idle(), 60, f"{name} to begin")
    until = time.monotonic() + after
    yield from window.wait_for(lambda: idle() or time.monotonic() > until, LIMIT, name)
    picture(name)
    yield from window.wait_for(idle, LIMIT, name)
    yield from window.wait_for(lambda: done(name), 60, f"the check mark of {name}")
    yield from window.settle()
    print(f"{name}: {time.monotonic() - began:.0f} s", flush=True)


def arrange() -> window.Steps:
    """Show the example as it is rendered, with a wide sidebar, and an Image Editor beside it."""
    view = window.area().spaces.active
    view.overlay.show_overlays = False
    view.shading.type = "MATERIAL"
    border = window.region("UI")
    place = border.x, border.y + border.height // 2
    yield from window.drag(place, (place[0] - (WIDTH - border.width), place[1]))
    view.region_3d.view_camera_zoom = 8
    window.area("PROPERTIES").ui_type = "IMAGE_EDITOR"
    yield from window.settle()
    yield 25.0


def fit(editor) -> window.Steps:
    """Let an Image Editor show all of its picture."""
    editor.spaces.active.show_region_ui = editor.spaces.active.show_region_toolbar = False
    yield from window.settle()
    with bpy.context.temp_override(
        window=window.window(), area=editor, region=window.region("WINDOW", editor)
    ):
        bpy.ops.image.view_all(fit_view=True)
    yield from window.settle()
    yield 2.0


def test() -> window.Steps:
    yield from window.ready()
    yield from window.sidebar("Paintover")
    yield from window.press_button("paintover.example_open")
    yield from window.wait_for(lambda: bpy.data.filepath.endswith("fox.blend"), 120, "the example")
    yield from arrange()
    picture("start")
    yield from step("capture", after=8.0)
    editor = window.area("IMAGE_EDITOR")
    yield from window.press_button("paintover.keyframe_open")
    yield from fit(editor)
    picture("keyframe")
    yield from step("train", after=float(os.environ.get("PAINTOVER_TRAINED_FOR", "40")))
    yield from step("stylize", after=4.0)
    bpy.context.scene.frame_set(LATER)
    yield from window.press_button("paintover.result_play")
    playing = bpy.context.screen
    yield from window.wait_for(lambda: playing.is_animation_playing, 60, "playing")
    yield 1.0
    bpy.ops.screen.animation_cancel(restore_frame=True)
    yield from window.press_button("paintover.compose")
    yield from window.wait_for(lambda: done("compose"), 120, "the check mark of compose")
    bpy.context.scene.frame_set(LATER)
    yield from fit(editor)
    yield 5.0
    picture("done")


window.run(test, limit=3 * LIMIT)
