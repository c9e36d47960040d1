# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender FILE.blend --python``: preview and the five steps, by clicks on the buttons."""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import numpy as np
import window

PICTURES = Path(os.environ["PAINTOVER_PICTURES"])
BLEND = Path(bpy.data.filepath)
SHOT = BLEND.parent / "paintover" / BLEND.stem
BUTTONS = ("capture", "keyframe_add", "preview", "train", "stylize", "compose")


def picture(name: str) -> None:
    window.screenshot(str(PICTURES / f"{name}.png"))


def idle() -> bool:
    return not bpy.context.window_manager.paintover.title


def step(name: str, limit: float) -> window.Steps:
    """Click a step's button and wait until the step has ended."""
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

    yield from step("capture", 90)
    assert sorted(path.name for path in SHOT.glob("frames/*.png")) == [
        *("0001.png", "0002.png", "0003.png")
    ]

    bpy.context.scene.frame_set(1)
    yield from step("keyframe_add", 20)
    assert (SHOT / "keys/0001.png").is_file()
    paint()

    editor = window.area("PROPERTIES")
    editor.ui_type = "IMAGE_EDITOR"
    yield from window.settle()
    yield from step("preview", 60)
    assert len(list(SHOT.glob("out/preview/*.png"))) == 3
    shown = editor.spaces.active.image
    assert Path(bpy.path.abspath(shown.filepath)) == SHOT / "out/preview/0001.png"
    assert (shown.source, tuple(shown.size)) == ("SEQUENCE", (96, 64))

    yield from step("train", 120)
    assert (SHOT / "styles/style.safetensors").is_file()

    yield from step("stylize", 90)
    assert len(list(SHOT.glob("out/style/*.png"))) == 3

    # Blender asks before the output's colour management is changed.
    yield from window.press_button("paintover.compose")
    yield 0.5
    picture("dialog")
    assert bpy.context.scene.compositing_node_group is None
    yield from window.press("Return")
    yield from window.wait_for(lambda: bpy.context.scene.compositing_node_group, 20, "compose")
    nodes = bpy.context.scene.compositing_node_group.nodes
    assert "Paintover" in [node.name for node in nodes]
    yield 4.0
    picture("composed")


window.run(test, limit=380)
