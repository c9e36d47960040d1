# SPDX-License-Identifier: GPL-3.0-or-later
"""The five steps through the operators of the installed extension, with the real engine."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import engine_runs, read_codes, write_png

pytestmark = pytest.mark.skipif(
    not engine_runs(), reason="the engine's Python lacks the engine's packages"
)


@pytest.fixture
def captured(scene: Any, part: Callable[[str], Any]) -> Any:
    """The scene's three frames, captured."""
    assert bpy.ops.paintover.capture() == {"FINISHED"}
    return part("steps").open_shot(scene)


def paint(shot: Any, frame: int) -> None:
    """A painting of a frame: other colours, and a coarse grain."""
    codes = read_codes(shot.image_path(frame)).astype(np.float32)
    painted = codes.copy()
    painted[..., :3] = 255 - codes[..., [2, 0, 1]]
    painted[::4, :, :3] *= 0.7
    write_png(shot.key_path(frame), painted / 255)


@pytest.fixture
def painted(captured: Any) -> Any:
    bpy.ops.paintover.keyframe_add(frame=1)
    paint(captured, 1)
    return captured


def states(part: Callable[[str], Any], scene: Any) -> dict[str, str]:
    looked = part("states").look(scene)
    return {name: state.step.value for name, state in looked.steps.items()}


def test_five_steps_and_then_nothing_is_left_to_do(
    scene: Any, part: Callable[[str], Any], tmp_path: Path
) -> None:
    nothing, done, old = "nothing", "up to date", "out of date"
    assert set(states(part, scene).values()) == {nothing}
    bpy.ops.paintover.capture()
    shot = part("steps").open_shot(scene)
    assert shot.frames == [1, 2, 3]
    bpy.ops.paintover.keyframe_add(frame=1)
    with pytest.raises(RuntimeError, match=r"0001\.png still equals the rendered frame; paint"):
        bpy.ops.paintover.train()
    paint(shot, 1)
    assert bpy.ops.paintover.train(seconds=2) == {"FINISHED"}
    assert bpy.ops.paintover.stylize() == {"FINISHED"}
    assert bpy.ops.paintover.compose() == {"FINISHED"}
    assert set(states(part, scene).values()) == {done}

    image = scene.render.image_settings
    if bpy.app.version >= (5, 0, 0):
        image.media_type = "IMAGE"
    image.file_format, image.color_mode = "PNG", "RGBA"
    scene.render.filepath = str(tmp_path / "out.png")
    scene.frame_set(3)
    bpy.ops.render.render(write_still=True)
    written = read_codes(shot.out_path("style", 3))
    assert np.array_equal(read_codes(tmp_path / "out.png"), written)
    assert np.abs(written - read_codes(shot.image_path(3))).mean() > 5

    times = {path: path.stat().st_mtime_ns for path in shot.folder.rglob("*") if path.is_file()}
    assert bpy.ops.paintover.run() == {"FINISHED"}
    assert {path: path.stat().st_mtime_ns for path in shot.folder.rglob("*.png")} == {
        path: time for path, time in times.items() if path.suffix == ".png"
    }

    paint(shot, 1)
    codes = read_codes(shot.key_path(1)) / 255
    codes[20:40, 20:60, :3] = 0
    write_png(shot.key_path(1), codes)
    looked = states(part, scene)
    assert (looked["capture"], looked["train"], looked["stylize"]) == (done, old, old)
    scene.paintover.seconds = 2
    assert bpy.ops.paintover.run() == {"FINISHED"}
    assert set(states(part, scene).values()) == {done}


def test_run_asks_for_a_keyframe(scene: Any) -> None:
    with pytest.raises(RuntimeError, match="has no keyframe yet; add one and paint on it"):
        bpy.ops.paintover.run()


def test_unsaved_paint_is_trained(scene: Any, captured: Any, part: Callable[[str], Any]) -> None:
    bpy.ops.paintover.keyframe_add(frame=2)
    image = part("keyframes.images").load(captured, 2)
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    pixels[0::4] = 1.0
    image.pixels.foreach_set(pixels)
    image.update()
    bpy.ops.paintover.train(seconds=1)
    assert not image.is_dirty
    header = part("engine.shared.style_header").read_style_header(captured.style_path("style"))
    assert list(header.trained_on) == [2]
    assert header.trained_on[2] == captured.key_digest(2)


def test_steps_are_greyed_out_with_the_reason(captured: Any) -> None:
    operators: Any = bpy.ops.paintover
    for step in (operators.preview, operators.train):
        assert not step.poll()
        with pytest.raises(RuntimeError, match="has no keyframe yet; add one and paint on it"):
            step()
    operators.keyframe_add(frame=1)
    assert not operators.train.poll()
    with pytest.raises(RuntimeError, match="still equals the rendered frame; paint on it first"):
        operators.train()


def test_stylizing_before_training_names_the_remedy(captured: Any) -> None:
    with pytest.raises(RuntimeError, match='Train the style "style" first'):
        bpy.ops.paintover.stylize()


def test_missing_frame_in_the_middle(painted: Any) -> None:
    bpy.ops.paintover.train(seconds=1)
    painted.image_path(2).unlink()
    with pytest.raises(RuntimeError, match=r"0002\.png"):
        bpy.ops.paintover.stylize()


def test_frames_and_force(painted: Any) -> None:
    bpy.ops.paintover.train(seconds=1)
    bpy.ops.paintover.stylize(frames="2-3")
    assert not painted.out_path("style", 1).exists()
    before = painted.out_path("style", 2).stat().st_mtime_ns
    bpy.ops.paintover.stylize(frames="2")
    assert painted.out_path("style", 2).stat().st_mtime_ns == before
    bpy.ops.paintover.stylize(frames="2", force=True)
    assert painted.out_path("style", 2).stat().st_mtime_ns != before
    with pytest.raises(RuntimeError, match='"2-x" is not a frame list'):
        bpy.ops.paintover.stylize(frames="2-x")


def _killed_when(part: Callable[[str], Any], job: Any, when: Callable[[Any], bool]) -> Any:
    """Run a job, and kill the engine as soon as its progress is so."""
    client = part("engine_process.client")

    def watched() -> Any:
        try:
            while True:
                progress = next(job)
                if when(progress) and client.running():
                    os.kill(client.running().pid, signal.SIGKILL)
                yield progress
        except StopIteration as stop:
            return stop.value

    return part("jobs").run_to_end("Step", watched())


def test_engine_killed_while_training(scene: Any, painted: Any, part: Callable[[str], Any]) -> None:
    job = part("steps").train(scene, print, seconds=30)
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="was ended by signal 9"):
        _killed_when(part, job, lambda progress: progress.fraction > 0)
    assert not part("jobs").busy()
    bpy.ops.paintover.train(seconds=1)
    assert painted.style_path("style").is_file()


def test_engine_killed_while_stylizing(
    scene: Any, painted: Any, part: Callable[[str], Any]
) -> None:
    bpy.ops.paintover.train(seconds=1)
    engine = part("engine_process.client").running()
    os.kill(engine.pid, signal.SIGSTOP)  # not done before it is killed
    job = part("steps").stylize(scene, print)
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="was ended by signal 9"):
        _killed_when(part, job, lambda progress: True)
    bpy.ops.paintover.stylize()
    assert part("states").look(scene).steps["stylize"].step.value == "up to date"


def test_engine_killed_while_importing(
    scene: Any, captured: Any, part: Callable[[str], Any], tmp_path: Path
) -> None:
    protocol, jobs = part("engine.shared.protocol"), part("jobs")
    client = part("engine_process.client")
    source = str(tmp_path / "pictures")
    shutil.copytree(captured.folder / "frames", source, ignore=shutil.ignore_patterns("*.exr"))

    def importing(shot: str) -> Any:
        return client.run(protocol.ImportPictures(0, str(tmp_path / shot), source))

    jobs.run_to_end("Import", importing("first"))
    os.kill(client.running().pid, signal.SIGSTOP)  # not done before it is killed
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="was ended by signal 9"):
        _killed_when(part, importing("second"), lambda progress: True)


def _cancel_once_it_trains(part: Callable[[str], Any], scene: Any, seconds: float) -> None:
    """Start a training and cancel it at its first step."""
    jobs, errors = part("jobs"), part("engine.shared.errors")
    job = part("steps").train(scene, print, seconds=seconds)

    def watched() -> Any:
        while True:
            progress = next(job)
            if progress.fraction > 0:
                jobs.request_cancel()
            yield progress

    with pytest.raises(errors.Cancelled):
        jobs.run_to_end("Train", watched())
    job.close()


def test_cancelled_training_keeps_what_it_learnt_and_goes_on(
    scene: Any, painted: Any, part: Callable[[str], Any]
) -> None:
    _cancel_once_it_trains(part, scene, seconds=30)
    pid = part("engine_process.client").running().pid
    bpy.ops.paintover.train(seconds=1)
    assert part("engine_process.client").running().pid == pid


def test_one_step_at_a_time(scene: Any, painted: Any, part: Callable[[str], Any]) -> None:
    jobs = part("jobs")

    def nested() -> Any:
        yield jobs.Progress(0.0)
        with pytest.raises(RuntimeError, match="Train is running; wait for it, or cancel it"):
            bpy.ops.paintover.stylize()
        return "nested"

    assert jobs.run_to_end("Train", nested()) == "nested"


def test_live_picture_is_shown_while_training(
    scene: Any, painted: Any, part: Callable[[str], Any]
) -> None:
    live, shown = part("engine_process.live_picture"), []
    scene.frame_set(3)
    job = part("steps").train(scene, print, seconds=2, live=True)

    def watched() -> Any:
        try:
            while True:
                progress = next(job)
                shown.extend([live.current()] if live.current() else [])
                yield progress
        except StopIteration as stop:
            return stop.value

    part("jobs").run_to_end("Train", watched())
    assert shown and shown[0][0] == 3
    assert live.current() is None
    assert list(part("user_folders").cache_folder("live").iterdir()) == []


def test_opening_another_file_cancels_the_job(scene: Any, part: Callable[[str], Any]) -> None:
    jobs, closed = part("jobs"), []

    def job() -> Any:
        try:
            while True:
                yield jobs.Progress(0.0)
        finally:
            closed.append(True)

    running = job()
    next(running)
    jobs._begin("Train", running)
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    assert closed and not jobs.busy()


def test_light_and_weights_reach_the_engine(
    painted: Any, scene: Any, part: Callable[[str], Any]
) -> None:
    bpy.ops.paintover.train(seconds=1)
    scene.paintover.light = 0.25
    scene.paintover.keyframes["1"].weight = 0.5
    assert bpy.ops.paintover.stylize() == {"FINISHED"}
    assert part("steps").open_shot(scene).manifest.weights == {1: {1: 0.5}}
    assert painted.read_out_record("style", 2).light == 0.25
    assert states(part, scene)["stylize"] == "up to date"
    scene.paintover.keyframes["1"].weight = 1
    assert states(part, scene)["stylize"] == "out of date"


def test_unpainted_parts_show_the_frame_or_nothing(
    captured: Any, scene: Any, part: Callable[[str], Any]
) -> None:
    codes = read_codes(captured.image_path(1)).astype(np.float32) / 255
    lines = np.zeros((*codes.shape[:2], 4), np.float32)
    lines[::6, :, 3] = 1
    bpy.ops.paintover.keyframe_add(frame=1)
    write_png(captured.key_path(1), lines)
    bpy.ops.paintover.train(seconds=1)
    bpy.ops.paintover.stylize()
    kept = read_codes(captured.out_path("style", 1)).astype(np.float32) / 255
    assert np.abs(kept - codes)[3::6, :, :3].max() < 0.005
    assert kept[::6, :, :3].max() < 0.005
    assert states(part, scene)["stylize"] == "up to date"
    scene.paintover.unpainted = "nothing"
    assert states(part, scene)["stylize"] == "out of date"
    bpy.ops.paintover.stylize()
    alone = read_codes(captured.out_path("style", 1))[..., 3]
    assert alone[3::6].max() == 0
    assert alone[::6].min() == 255
    assert states(part, scene)["stylize"] == "up to date"


def test_a_training_that_is_stopped_early_is_told(
    scene: Any, painted: Any, part: Callable[[str], Any]
) -> None:
    _cancel_once_it_trains(part, scene, seconds=60)
    with pytest.raises(RuntimeError, match="no frame 99"):
        bpy.ops.paintover.preview(frames="99")
    state = part("states").look(scene).steps["train"]
    assert state.why.startswith("Stopped early after")
    assert state.step.value == "out of date"
