# SPDX-License-Identifier: GPL-3.0-or-later
"""The keyframe assistant: what paintings show of a captured shot, and the frame to paint next."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest
import test_panels
from conftest import engine_runs

Part = Callable[[str], Any]

needs_engine = pytest.mark.skipif(
    not engine_runs(), reason="the engine's Python lacks the engine's packages"
)
TURNS = {1: 0.0, 2: 0.3, 3: 3.14}
"""Frame → how far the cube is turned: frame 3 shows what frame 1 does not."""


@pytest.fixture
def turning(scene: Any, part: Part) -> Any:
    """A captured shot, 480×270, of a cube that shows its back in frame 3; frame 1 is painted."""
    render = scene.render
    render.resolution_x, render.resolution_y = 480, 270
    cube = next(thing for thing in scene.objects if thing.type == "MESH")
    for frame, turn in TURNS.items():
        cube.rotation_euler.z = 0.6 + turn
        cube.keyframe_insert("rotation_euler", frame=frame)
    assert bpy.ops.paintover.capture() == {"FINISHED"}
    bpy.ops.paintover.keyframe_add(frame=1)
    paint(part, scene, 1)
    return scene


def paint(part: Part, scene: Any, frame: int) -> None:
    """Paint a keyframe in Blender and save it."""
    shot = part("steps").open_shot(scene)
    image = part("keyframes.images").load(shot, frame)
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    pixels.reshape(-1, 4)[:, :3] = 1 - pixels.reshape(-1, 4)[:, :3]
    image.pixels.foreach_set(pixels)
    image.update()
    part("keyframes.images").save_unsaved(shot)


def drawn(part: Part, scene: Any) -> list[tuple[str, Any]]:
    layout = test_panels.Layout()
    part("ui.assistant_part").draw(layout, test_panels.context(scene))
    return list(layout.drawn)


@needs_engine
def test_the_suggested_frame_is_added_and_adds_what_was_promised(
    turning: Any,
    part: Part,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    watcher = part("ui.watcher")
    found: dict[str, Any] = {"now": part("states").look(turning)}
    monkeypatch.setattr(watcher, "current", lambda: (found["now"], ""))
    background = part("assistant.background")
    assert ("operator", "paintover.suggest") in drawn(part, turning)
    # The engine looks by itself, in a process of its own, once the shot has stayed the same.
    looking = background._Background()
    looking.tick()
    assert not looking.running()
    until = time.monotonic() + 240
    while not found["now"].coverage_is_fresh:
        assert time.monotonic() < until
        looking.tick()
        time.sleep(0.2)
        if not looking.running():
            found["now"] = part("states").look(turning)
    before = found["now"].coverage
    assert before.way == "surface"
    assert before.next.frame == 3
    assert before.next.gain > 0.1
    texts = [value for kind, value in drawn(part, turning) if kind == "label"]
    told = " ".join(texts)
    assert f"Your paintings show {round(100 * before.covered)} %" in told
    assert ("operator", "paintover.suggestion_take") in drawn(part, turning)

    turning.frame_set(1)
    assert bpy.ops.paintover.suggestion_take(frame=before.next.frame) == {"FINISHED"}
    assert turning.frame_current == 3
    found["now"] = part("states").look(turning)
    assert 3 in found["now"].keyframes
    assert not found["now"].coverage_is_fresh
    assert bpy.ops.paintover.suggest() == {"FINISHED"}
    found["now"] = part("states").look(turning)
    waiting = found["now"].coverage
    assert found["now"].coverage_is_fresh
    assert (waiting.next.frame, waiting.next.is_keyframe) == (3, True)
    assert ("operator", "paintover.keyframe_open") in drawn(part, turning)
    paint(part, turning, 3)
    assert bpy.ops.paintover.suggest() == {"FINISHED"}
    after = part("states").look(turning).coverage
    assert after.keys == [1, 3]
    assert after.covered == pytest.approx(before.covered + before.next.gain, abs=1e-3)
    assert bpy.ops.paintover.suggestion_show(frame=2) == {"FINISHED"}
    assert turning.frame_current == 2
    # The same from a terminal, for people and for programs.
    capsys.readouterr()
    assert part("command").main(["suggest"]) == 0
    assert after.sentence() in capsys.readouterr().out
    assert part("command").main(["suggest", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["keys"], told["sentence"]) == ([1, 3], after.sentence())


@needs_engine
def test_a_step_that_begins_ends_the_look(
    scene: Any, shot: Any, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot = part("states").look(scene)
    monkeypatch.setattr(part("ui.watcher"), "current", lambda: (snapshot, ""))
    looking = part("assistant.background")._Background()
    for _ in range(3):
        looking.tick()
    assert looking.running()
    monkeypatch.setattr(part("jobs"), "busy", lambda: "Train")
    looking.tick()
    assert not looking.running()
    looking.tick()
    assert not looking.running()


def test_without_an_engine_nothing_is_looked_at(
    scene: Any, shot: Any, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = part("engine.shared.errors").PaintoverError

    def missing() -> Any:
        raise error("The engine is not set up yet.")

    snapshot = part("states").look(scene)
    monkeypatch.setattr(part("ui.watcher"), "current", lambda: (snapshot, ""))
    monkeypatch.setattr(part("engine_process.environment"), "find", missing)
    looking = part("assistant.background")._Background()
    for _ in range(4):
        looking.tick()
        assert not looking.running()


def test_without_a_shot_the_panel_has_no_assistant(scene: Any, part: Part) -> None:
    part("ui.watcher")._watcher.snapshot = part("states").EMPTY
    told = test_panels.context(scene)
    assert not any(
        cls.poll(told) for cls in part("ui.keyframes_panel").classes if "next" in cls.bl_idname
    )
    with pytest.raises(RuntimeError, match="poll"):
        bpy.ops.paintover.suggest()


def test_the_strip_shows_shares_keyframes_and_cuts(part: Part) -> None:
    module = part("assistant.strip")
    shares = tuple((frame, 1.0 if frame < 6 else 0.5) for frame in range(1, 11))
    shown = module.Strip(1, 10, shares, keys=(2,), waiting=(8,), cuts=(6,), unsteady=(9,))
    rows = np.array(shown.pixels(160, 32))
    assert rows.shape == (32, 160, 4)

    def column(frame: int) -> np.ndarray:
        return rows[:, shown.column(frame, 160)]

    assert (column(1) == module.SEEN).all()
    assert (column(10)[:16] == module.WEAK).all() and (column(10)[16:] == module.UNSEEN).all()
    for frame, colour in ((2, module.KEY), (8, module.WAITING), (6, module.CUT)):
        assert (column(frame)[:20] == colour).all()
    assert (column(9)[22:] == module.FLICKERS).all()
    assert (column(9)[16:22] == module.UNSEEN).all()
    assert len(module.icons(shown, 5)) == 5  # their numbers are 0 without a window


def test_between_frames_that_were_looked_at_the_nearer_one_counts(part: Part) -> None:
    shown = part("assistant.strip").Strip(1, 9, ((1, 0.2), (5, 0.6), (9, 1.0)))
    assert [shown.share(frame) for frame in (1, 2, 4, 6, 8, 9)] == [0.2, 0.2, 0.6, 0.6, 1.0, 1.0]
