# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender FILE.blend --python``: the assistant's frame is added by clicks, and a training is
watched, kept, and taken back.

The .blend has a captured shot of 480×270 with a painting of its first frame; what it shows turns.
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


def assistant() -> window.Steps:
    """By itself it finds the frame to paint next; one click shows it, another adds it."""
    scene, keys = bpy.context.scene, SHOT / "keys"

    def best():
        snapshot = part("ui.watcher").current()[0]
        return snapshot.coverage.next if snapshot.coverage_is_fresh else None

    yield from window.wait_for(best, LIMIT, "a suggestion")
    frame, path = best().frame, keys / f"{best().frame:04d}.png"
    assert frame != 1 and not best().is_keyframe and not path.exists()
    yield 1.0
    yield from window.settle()
    picture("assistant")
    yield from window.press_button_at("paintover.suggestion_show", 0.83)
    yield from window.wait_for(lambda: scene.frame_current == frame, 20, "the frame")
    assert not path.exists()
    scene.frame_set(1)
    yield from window.press_button("paintover.suggestion_take")
    yield from window.wait_for(path.is_file, 20, "the keyframe")
    rows = bpy.context.window_manager.paintover.keyframes
    yield from window.wait_for(lambda: [row.frame for row in rows] == [1, frame], 20, "its row")
    assert scene.frame_current == frame
    before = path.read_bytes()
    viewport = window.region("WINDOW")
    yield from window.move_to(viewport.x + 200, viewport.y + 200)
    for chord in ("ctrl+z", "ctrl+shift+z"):
        yield from window.press(chord)
        yield 0.6
        assert path.read_bytes() == before
    yield from window.wait_for(lambda: best() and best().is_keyframe, LIMIT, "the next look")
    yield from window.press_button_at("paintover.keyframe_remove", 0.83)
    yield from window.wait_for(lambda: [row.frame for row in rows] == [1], 20, "the removal")
    assert path.read_bytes() == before


def test() -> window.Steps:
    view, editors = part("training_view.view"), part("picture_editors")
    yield from window.ready()
    yield from window.sidebar("Paintover")
    yield 1.0
    if os.environ.get("PAINTOVER_LONG"):
        yield from assistant()
    scene = bpy.context.scene  # undo makes another one
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
    yield from window.settle()
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
