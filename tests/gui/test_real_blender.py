# SPDX-License-Identifier: GPL-3.0-or-later
"""The five steps in a real Blender: by its command line, and by mouse in its window."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from conftest import HERE, Blender

import build_addon

STEPS = ("capture", "keyframe", "train", "stylize", "compose")


def read(path: Path) -> npt.NDArray[np.uint8]:
    """Read the codes of a picture, (height, width, 3)."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    assert picture is not None, path
    return picture.astype(np.uint8)


def render_composited(blender: Blender, blend: Path, frame: int) -> npt.NDArray[np.uint8]:
    target = blend.parent / "rendered-####"
    blender.do("-b", blend, "-o", target, "-F", "PNG", "-f", str(frame))
    return read(blend.parent / f"rendered-{frame:04d}.png")


def test_steps_by_command_line(blender: Blender, blend: Path) -> None:
    command = ("-b", blend, "--command", "paintover")
    shot = blend.parent / "paintover" / blend.stem
    blender.do(*command, "capture")
    painting = blend.parent / "painting.png"
    cv2.imwrite(str(painting), 255 - read(shot / "frames/0002.png"))
    blender.do(*command, "keyframe", "add", "2", "--file", painting)

    blender.do(*command, "run", "--save")

    told = blender.do(*command, "status", "--json")
    states = json.loads(told[told.index("{") : told.rindex("}") + 1])["steps"]
    assert {name: states[name]["state"] for name in STEPS} == dict.fromkeys(STEPS, "up to date")
    for frame in (1, 2, 3):
        stylized = read(shot / f"out/style/{frame:04d}.png")
        assert stylized.shape == (64, 96, 3)
        composited = render_composited(blender, blend, frame)
        np.testing.assert_array_equal(composited, stylized)


def test_a_failure_is_one_sentence_and_an_exit_code(blender: Blender, blend: Path) -> None:
    blender.do("-b", blend, "--command", "paintover", "capture")
    done = blender.run("-b", blend, "--command", "paintover", "run")
    assert done.returncode == 1
    (sentence,) = [line for line in done.stdout.splitlines() if line.startswith("paintover: ")]
    assert "has no keyframe yet" in sentence


def test_a_worker_of_a_farm_loads_the_add_on_from_a_folder(
    blender: Blender, blend: Path, tmp_path: Path
) -> None:
    build_addon.stage(tmp_path / "scripts" / "addons" / "paintover")
    worker = Blender(tmp_path / "home of the worker", blender.engine_python)
    scripts = {"BLENDER_USER_SCRIPTS": str(tmp_path / "scripts")}
    start = ("--background", "--addons", "paintover", blend, "--command", "paintover")
    words = ("capture", "--frames=1-2", "--progress=openjd", "--cache", tmp_path / "cache")
    assert "openjd_progress" in worker.do(*start, *words, **scripts)
    told = worker.do(*start, "status", "--json", **scripts)
    status = json.loads(told[told.index("{") : told.rindex("}") + 1])
    assert status["engine"].startswith(str(blender.engine_python))
    assert status["steps"]["capture"]["why"] == "1 of 3 frames to capture"
    failed = worker.run(*start, "train", "--progress=openjd", **scripts)
    assert failed.returncode == 1 and "openjd_fail: " in failed.stdout


def test_steps_by_mouse_in_the_window(blender: Blender, tmp_path: Path, pictures: Path) -> None:
    blend = tmp_path / "my shot é.blend"
    scene = ("--python", HERE / "make_scene.py", "--", blend, "480", "270", "3")
    blender.do("-b", "--python-exit-code", "9", *scene)
    blender.do(
        *("--python-exit-code", "9", blend, "--python", HERE / "steps_by_mouse.py"),
        limit=520,
        PAINTOVER_PICTURES=str(pictures),
    )
    shot = blend.parent / "paintover" / blend.stem
    painted, plain = read(shot / "keys/0001.png"), read(shot / "frames/0001.png")
    np.testing.assert_array_equal(painted, 255 - plain)
    for frame in (1, 2, 3):
        assert read(shot / f"out/style/{frame:04d}.png").shape == (270, 480, 3)
    shown = ("panel", "no-camera", "played-one", "dialog", "composed", "gone", "another-file")
    for name in shown:
        window = read(pictures / f"{name}.png")
        assert window.shape == (1000, 1600, 3)
        assert window.std() > 10


def test_undo_esc_windows_and_save_as(blender: Blender, blend: Path, pictures: Path) -> None:
    blender.do(
        *("--python-exit-code", "9", blend, "--python", HERE / "trust_by_mouse.py"),
        limit=500,
        PAINTOVER_PICTURES=str(pictures),
    )
    for name in ("stroke", "owner"):
        assert read(pictures / f"{name}.png").std() > 10
