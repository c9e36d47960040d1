# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender FILE.blend --python``: preview and the five steps, by clicks on the buttons.

The large button of the panel leads from step to step. Then some bad luck.
"""

import functools
import importlib
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import addon_utils
import bpy
import numpy as np
import window

PICTURES = Path(os.environ["PAINTOVER_PICTURES"])
BLEND = Path(bpy.data.filepath)
SHOT = BLEND.parent / "paintover" / BLEND.stem
ADDON = "bl_ext.user_default.paintover"
BUTTONS = ("capture", "keyframe_add", "preview", "train", "stylize", "compose")


def picture(name: str) -> None:
    window.screenshot(str(PICTURES / f"{name}.png"))


def idle() -> bool:
    return not bpy.context.window_manager.paintover.title


def part(name: str) -> Any:
    return importlib.import_module(f"{ADDON}.{name}")


def suggested() -> Any:
    """Return what the panel says to do next."""
    module, watcher = part("next_step"), part("ui.watcher")
    return module.next_step(module.facts(bpy.context.scene, *watcher.current()))


def wait_for_button(name: str) -> window.Steps:
    """Wait until the panel's large button is that of an operator."""
    yield from window.wait_for(lambda: suggested().operator == name, 30, f"the button {name}")
    yield from window.settle()


def step(name: str, limit: float) -> window.Steps:
    """Click a step's button and wait until the step has ended."""
    if name != "preview":
        yield from wait_for_button(f"paintover.{name}")
    yield from window.press_button(f"paintover.{name}")
    yield 0.8
    if name in ("capture", "preview", "train"):
        picture(name)
    yield from window.wait_for(idle, limit, name)
    yield from window.settle()


def paint() -> None:
    """Paint on the keyframe in Blender, and leave it unsaved: all colours inverted."""
    image = bpy.data.images.load(str(SHOT / "keys/0001.png"))
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    pixels.reshape(-1, 4)[:, :3] = 1 - pixels.reshape(-1, 4)[:, :3]
    image.pixels.foreach_set(pixels)
    assert image.is_dirty


def test() -> window.Steps:
    yield from window.ready()
    yield from window.sidebar("Paintover")
    yield 1.0
    met = yield from window.buttons()
    for name in BUTTONS:
        window.find(met, f"paintover.{name}")
    picture("panel")
    yield from no_camera()

    yield from step("capture", 90)
    assert sorted(path.name for path in SHOT.glob("frames/*.png")) == [
        *("0001.png", "0002.png", "0003.png")
    ]

    bpy.context.scene.frame_set(1)
    yield from step("keyframe_add", 20)
    assert (SHOT / "keys/0001.png").is_file()
    yield from wait_for_button("paintover.keyframe_open")
    picture("to-paint")
    paint()

    editor = window.area("PROPERTIES")
    editor.ui_type = "IMAGE_EDITOR"
    yield from window.settle()
    yield from step("preview", 60)
    assert len(list(SHOT.glob("out/preview/*.png"))) == 3
    shown = editor.spaces.active.image
    assert Path(bpy.path.abspath(shown.filepath)) == SHOT / "out/preview/0001.png"
    assert (shown.source, tuple(shown.size)) == ("SEQUENCE", (480, 270))

    yield from step("train", 120)
    assert (SHOT / "styles/style.safetensors").is_file()

    yield from step("stylize", 90)
    assert len(list(SHOT.glob("out/style/*.png"))) == 3

    yield from play_and_undo(editor)

    # Blender asks before the output's colour management is changed.
    yield from wait_for_button("paintover.compose")
    yield from window.press_button("paintover.compose")
    yield 0.5
    picture("dialog")
    assert bpy.context.scene.compositing_node_group is None
    yield from window.press("Return")
    yield from window.wait_for(lambda: bpy.context.scene.compositing_node_group, 20, "compose")
    nodes = bpy.context.scene.compositing_node_group.nodes
    assert "Paintover" in [node.name for node in nodes]
    yield 4.0
    yield from wait_for_button("render.render")
    picture("composed")
    yield from other_resolution()
    yield from gone_folder()
    yield from disabled_in_training()
    yield from another_file_in_training()


def counted(name: str) -> bool:
    return bpy.context.scene.get("counted") == name


def play_and_undo(editor: Any) -> window.Steps:
    """Undo to before the frames were shown, and redo: the editor plays the same frames."""
    for name in ("One", "Two"):
        bpy.context.scene["counted"] = name
        bpy.ops.ed.undo_push(message=name)
    yield from wait_for_button("paintover.result_play")
    yield from window.press_button("paintover.result_play")
    yield from window.wait_for(lambda: bpy.context.screen.is_animation_playing, 20, "playing")
    bpy.ops.screen.animation_cancel()
    for key, expected in (("ctrl+z", "One"), ("ctrl+shift+z", "Two")):
        yield from window.press(key)
        yield from window.wait_for(functools.partial(counted, expected), 10, key)
        yield from window.settle()
        shown = editor.spaces.active
        assert shown.image is not None, f"{key} empties the editor"
        assert Path(bpy.path.abspath(shown.image.filepath)) == SHOT / "out/style/0001.png"
        user = shown.image_user
        assert (user.frame_start, user.frame_duration, user.use_auto_refresh) == (1, 3, True)
        picture(f"played-{expected.lower()}")


def no_camera() -> window.Steps:
    scene = bpy.context.scene
    camera, scene.camera = scene.camera, None
    yield from wait_for_button("camera")
    yield from window.buttons(until="camera")
    picture("no-camera")
    scene.camera = camera


def other_resolution() -> window.Steps:
    """Said at once; nothing is lost, and going back is enough."""
    bpy.context.scene.render.resolution_percentage = 50
    yield from wait_for_button("paintover.capture")
    assert suggested().reason == "The render settings have changed", suggested()
    picture("other-resolution")
    bpy.context.scene.render.resolution_percentage = 100
    yield from wait_for_button("render.render")


def gone_folder() -> window.Steps:
    elsewhere = SHOT.with_name("elsewhere")
    SHOT.rename(elsewhere)
    watcher = part("ui.watcher")
    yield from window.wait_for(lambda: watcher.current()[0].gone, 30, "the folder to be missed")
    yield from window.settle()
    met = yield from window.buttons(until="paintover.shot_choose")
    window.find(met, "paintover.shot_find")
    picture("gone")
    elsewhere.rename(SHOT)
    yield from wait_for_button("render.render")


def disabled_in_training() -> window.Steps:
    """The training ends with the add-on, and the style from before is still there, or kept."""
    before = (SHOT / "styles/style.safetensors").read_bytes()
    bpy.context.scene.paintover.seconds = 120  # so that it still runs
    with bpy.context.temp_override(window=window.window()):
        bpy.ops.paintover.train("INVOKE_DEFAULT")
    yield 2.0
    assert not idle()
    addon_utils.disable(ADDON)
    yield 1.0
    assert not hasattr(bpy.context.scene, "paintover")
    addon_utils.enable(ADDON, default_set=True)
    yield 1.0
    yield from window.sidebar("Paintover")
    yield from window.wait_for(lambda: part("ui.watcher").current()[0].shot, 30, "the shot")
    there = [SHOT / "styles/style.safetensors", SHOT / "styles/style/previous.safetensors"]
    assert idle() and before in [path.read_bytes() for path in there if path.is_file()]
    yield from window.settle()
    picture("enabled-again")


def another_file_in_training() -> window.Steps:
    """The training ends, its style stays as it was, and the file opens as any other."""
    before = (SHOT / "styles/style.safetensors").read_bytes()
    bpy.context.scene.paintover.seconds = 120
    other = BLEND.with_name("other.blend")
    bpy.ops.wm.save_as_mainfile(filepath=str(other), copy=True)
    with bpy.context.temp_override(window=window.window()):
        bpy.ops.paintover.train("INVOKE_DEFAULT")
    yield 2.0
    assert not idle()
    bpy.ops.wm.open_mainfile(filepath=str(other))
    yield from window.ready()
    assert idle() and Path(bpy.data.filepath) == other
    claim = SHOT / "styles/.style.claim"
    yield from window.wait_for(lambda: not claim.exists(), 40, "the engine to end")
    there = [SHOT / "styles/style.safetensors", SHOT / "styles/style/previous.safetensors"]
    assert before in [path.read_bytes() for path in there if path.is_file()]
    picture("another-file")


window.run(test, limit=500)
