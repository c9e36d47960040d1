# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender FILE.blend --python``: a training is watched and kept by clicks, and taken back.

The .blend has a captured shot of 480×270 with a painting of its first frame.
"""

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import window
from live_steps import invoke, part

PICTURES = Path(os.environ["PAINTOVER_PICTURES"])
SHOT = Path(bpy.data.filepath).parent / "paintover" / Path(bpy.data.filepath).stem
LIMIT = float(os.environ.get("PAINTOVER_LIMIT", "280"))
STYLE = SHOT / "styles/style.safetensors"


def picture(name: str) -> None:
    window.screenshot(str(PICTURES / f"training-{name}.png"))


def idle() -> bool:
    return not bpy.context.window_manager.paintover.title


def shown_frames() -> list[int]:
    """Frames of render, painting and result as they are on the screen; 0: none yet."""
    found = part("training_view.view").current()._textures
    slots = part("training_view.view").current()._slots
    return [slots.header(slot).frame if slot in found else 0 for slot in (1, 2, 0)]


def kept() -> tuple:
    return part("ui.watcher").current()[0].trainings.kept


def test() -> window.Steps:
    view, editors = part("training_view.view"), part("picture_editors")
    scene = bpy.context.scene
    yield from window.ready()
    yield from window.sidebar("Paintover")
    yield 1.0
    scene.paintover.seconds = 900
    scene.frame_set(4)
    yield from window.press_button("paintover.train")
    yield from window.wait_for(view.is_training, LIMIT, "the training")
    yield from window.wait_for(lambda: part("engine_process.live_picture").current(), LIMIT, "it")
    yield from window.press_button("paintover.train_watch")
    yield from window.wait_for(editors.TRAINING.is_shown, LIMIT, "the large picture")
    yield from window.wait_for(lambda: shown_frames() == [4, 1, 4], LIMIT, "its pictures")
    yield from window.wait_for(lambda: part("training_view.chart").icon(), LIMIT, "the chart")
    yield 2.0
    picture("watched")
    view.settings().frame = 1  # the painted one
    yield from window.wait_for(lambda: shown_frames() == [1, 1, 1], LIMIT, "frame 1")
    yield 1.0
    picture("painted-frame")
    assert not STYLE.exists()
    yield from window.press_button("paintover.train_keep")
    yield from window.wait_for(idle, LIMIT, "the end of the training")
    assert STYLE.exists()
    before = STYLE.read_bytes()
    yield from window.wait_for(lambda: len(kept()) == 1, LIMIT, "the training that is kept")
    yield 2.0
    picture("kept")
    assert editors.TRAINING.is_shown(), "the last picture stays to be looked at"
    view.close()
    assert not any(image.get(editors.TRAINING.mark) for image in bpy.data.images)

    yield from window.press_button("paintover.train")
    yield from window.wait_for(lambda: part("engine_process.live_picture").current(), LIMIT, "it")
    yield from window.press_button("paintover.train_keep")
    yield from window.wait_for(idle, LIMIT, "the second training")
    assert STYLE.read_bytes() != before
    yield from window.wait_for(lambda: len(kept()) == 2, LIMIT, "two trainings")
    yield 2.0
    picture("two")
    # Its button lies below the window's edge.
    invoke(bpy.ops.paintover.training_take, window.area())
    yield from window.wait_for(lambda: STYLE.read_bytes() == before, LIMIT, "the first one again")
    yield from window.wait_for(lambda: kept()[1].is_in_use, LIMIT, "what is in use")
    yield 1.0
    picture("taken-back")


window.run(test, limit=LIMIT)
