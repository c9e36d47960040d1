# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender FILE.blend --python``: undo after a stroke, Esc, closing a window, Save As."""

import json
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
STYLE = SHOT / "styles/style.safetensors"


def session():
    return bpy.context.window_manager.paintover


def running() -> bool:
    return bool(session().title)


def values(image) -> np.ndarray:
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return pixels


def invoke(operator, where=None, **options) -> None:
    """Start an operator as a button in a window does."""
    with bpy.context.temp_override(window=where or window.window(), area=None, region=None):
        operator("INVOKE_DEFAULT", **options)


def add_keyframes() -> window.Steps:
    """Add two keyframes; the new one is chosen at once, also if it isn't the last one."""
    for frame in (3, 1):
        bpy.context.scene.frame_set(frame)
        path = SHOT / f"keys/{frame:04d}.png"
        invoke(bpy.ops.paintover.keyframe_add)
        yield from window.wait_for(path.is_file, 10, path.name)
        for _ in range(2):
            chosen = session().keyframes[session().keyframe_index].frame
            assert chosen == frame, (chosen, frame)
            yield 3.0


def undo_after_a_stroke() -> window.Steps:
    editor = window.area("PROPERTIES")
    editor.ui_type = "IMAGE_EDITOR"
    yield from window.settle()
    # An operator called by Python makes no undo step.
    yield from window.press_button("paintover.keyframe_open")
    yield from window.settle()
    space = editor.spaces.active
    image = space.image
    assert image.name == "Keyframe 1" and space.ui_mode == "PAINT", (image, space.ui_mode)
    # The editor is narrow; else its sidebar would cover the canvas.
    space.show_region_ui = space.show_region_toolbar = False
    yield from window.settle()
    with bpy.context.temp_override(
        window=window.window(), area=editor, region=window.region("WINDOW", editor)
    ):
        bpy.ops.image.view_all(fit_view=True)
    yield from window.settle()
    before = values(image)
    canvas = window.region("WINDOW", editor)
    x, y = canvas.x + canvas.width // 2, canvas.y + canvas.height // 2
    for _ in range(3):
        if not image.is_dirty:
            yield from window.drag((x - 40, y), (x + 40, y + 20))
            yield 0.5
    window.screenshot(str(PICTURES / "stroke.png"))
    assert image.is_dirty
    painted = values(image)
    assert np.abs(painted - before).max() > 0.05
    yield from window.press("ctrl+z")
    yield 1.0
    image = space.image
    assert image is not None and image.name == "Keyframe 1", "undo keeps the painting open"
    np.testing.assert_allclose(values(image), before, atol=1e-3)
    yield from window.press("ctrl+shift+z")
    yield 1.0
    assert space.image is not None and space.image.name == "Keyframe 1"
    np.testing.assert_allclose(values(space.image), painted, atol=1e-3)
    assert space.image.is_dirty
    invoke(bpy.ops.paintover.keyframe_open, frame=1)
    yield from window.settle()
    np.testing.assert_allclose(values(space.image), painted, atol=1e-3)
    assert space.image.is_dirty, "Paint Keyframe keeps what is not saved"
    for key in ("ctrl+z", "ctrl+shift+z"):
        for _ in range(3):
            yield from window.press(key)
            yield 0.4
            assert space.image is not None and space.image.name == "Keyframe 1", key
        # Undo went back to before the painting was opened: it shows as its file has it.
        wanted = before if key == "ctrl+z" else painted
        np.testing.assert_allclose(values(space.image), wanted, atol=1e-3)
    assert space.image.is_dirty


def esc() -> window.Steps:
    """Pressed once it cancels nothing, twice it does."""
    invoke(bpy.ops.paintover.train, seconds=60)
    yield from window.wait_for(lambda: session().fraction > 0, 120, "training")
    for _ in range(2):
        yield from window.press("Escape")
        yield 1.5
        assert running(), "Esc pressed once goes to something else"
    window._xdotool("key", "Escape", "Escape")
    yield from window.wait_for(lambda: not running(), 20, "the cancel")


def close_the_window() -> window.Steps:
    """The training goes on, and says at its end that it is done."""
    STYLE.unlink(missing_ok=True)
    with bpy.context.temp_override(window=window.window()):
        bpy.ops.wm.window_new()
    yield 1.0
    second = bpy.context.window_manager.windows[-1]
    assert second != window.window()
    invoke(bpy.ops.paintover.train, second, seconds=6)
    yield from window.wait_for(lambda: session().fraction > 0, 60, "training")
    with bpy.context.temp_override(window=second):
        bpy.ops.wm.window_close()
    yield 1.0
    assert len(bpy.context.window_manager.windows) == 1
    assert running(), "the training goes on in the other window"
    yield from window.wait_for(lambda: not running(), 90, "training")
    assert STYLE.is_file()


def save_as() -> window.Steps:
    """The panel says whose shot it is; steps wait for the choice, then work."""
    bpy.ops.wm.save_as_mainfile(filepath=str(BLEND.with_name("shot_v002.blend")))
    watcher = sys.modules["bl_ext.user_default.paintover.ui.watcher"]
    yield from window.wait_for(lambda: watcher.current()[0].owner, 20, "the owner")
    yield 2.0
    window.screenshot(str(PICTURES / "owner.png"))
    try:
        invoke(bpy.ops.paintover.stylize)
        raise AssertionError("the step did not wait for a choice")
    except RuntimeError as error:
        assert f"This shot belongs to {BLEND.name}" in str(error), error
    yield from window.press_button("paintover.shot_choose")
    yield 1.0
    owner = json.loads((SHOT / "shot.json").read_text())["owner"]
    assert owner == {"blend": "../../shot_v002.blend", "scene": "Scene"}, owner
    invoke(bpy.ops.paintover.stylize)
    yield from window.wait_for(lambda: not running(), 90, "stylize")
    assert len(list(SHOT.glob("out/style/*.png"))) == 3


def test() -> window.Steps:
    yield from window.ready()
    yield from window.sidebar("Paintover")
    yield 1.0
    invoke(bpy.ops.paintover.capture)
    yield 1.0
    yield from window.wait_for(lambda: not running(), 90, "capture")
    yield from add_keyframes()
    yield from undo_after_a_stroke()
    yield from esc()
    yield from close_the_window()
    yield from save_as()


window.run(test, limit=480)
