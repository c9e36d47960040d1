# SPDX-License-Identifier: GPL-3.0-or-later
"""The job type for Flamenco, compiled under Node and then run, task by task."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Farm, pictures

from engine.app.arguments import build_parser

SCRIPT = ROOT / "farm" / "flamenco" / "paintover.js"
STUB = Path(__file__).with_name("flamenco_stub.js")
NODE = shutil.which("node") or shutil.which("nodejs")

pytestmark = pytest.mark.skipif(NODE is None, reason="there is no Node (node) on this machine")


def compiled(**settings: Any) -> dict[str, Any]:
    """Compile a job; what Blender would fill in has sensible values."""
    given = {
        "shot_folder": "/shared/shot",
        "frames": "1-8",
        "blendfile": "/shared/scene.blend",
        "scene": "Scene",
        "fps": 24,
        **settings,
    }
    text = json.dumps({"script": str(SCRIPT), "settings": given})
    done = subprocess.run([NODE, STUB], input=text, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_tasks_wait_for_those_before_and_have_their_own_types() -> None:
    made = compiled(frames="1-8, 12", chunk_size=4, painted_chunk_size=6)
    tasks = made["tasks"]
    assert [task["name"] for task in tasks] == [
        *("capture-1-4", "capture-5-8", "capture-12", "train"),
        *("stylize-1-6", "stylize-7,8,12"),
        *("compose-1-4", "compose-5-8", "compose-12", "movie"),
    ]
    types = [task["type"] for task in tasks]
    assert types == ["blender"] * 3 + ["paintover-train"] + ["paintover"] * 2 + [
        *("blender", "blender", "blender", "ffmpeg")
    ]
    assert tasks[3]["dependencies"] == [0, 1, 2]
    assert tasks[4]["dependencies"] == [3]
    assert tasks[9]["dependencies"] == [6, 7, 8]
    assert [task["commands"][0]["totalStepCount"] for task in tasks[4:6]] == [6, 3]
    words = tasks[4]["commands"][0]["parameters"]["args"]
    assert words[:3] == ["{paintover_engine}", "stylize", "/shared/shot"]


def test_settings_are_of_the_kinds_that_flamenco_knows() -> None:
    for setting in compiled()["type"]["settings"]:
        assert setting["type"] in ("string", "int32", "float", "bool")
        assert setting.get("subtype", "dir_path") in ("dir_path", "file_path")
        assert setting.get("visible", "visible") in ("visible", "hidden", "submission", "web")
        for expression in filter(None, [setting.get("eval")]):
            compile(expression, "eval", "eval")


def test_parts_of_the_job() -> None:
    names = [task["name"] for task in compiled(steps="paint", chunk_size=8)["tasks"]]
    assert names == ["train", "stylize-1-8", "compose-1-8", "movie"]
    names = [task["name"] for task in compiled(steps="capture", chunk_size=8)["tasks"]]
    assert names == ["capture-1-8"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"shot_folder": r"\\server\share\shot"}, "network name (UNC); give the share a drive"),
        ({"shot_folder": "//server/share/shot"}, "network name (UNC)"),
        ({"output_folder": r"\\server\share\out"}, "The output folder"),
        ({"output_folder": "//server/share/out"}, "The output folder"),
        ({"blendfile": r"\\server\share\a.blend"}, "The .blend"),
        ({"blendfile": "//server/share/a.blend"}, "network name (UNC)"),
        ({"engine_folder": "//server/share/engine"}, "The engine's folder"),
        ({"engine_python": r"\/server/share/python"}, "The engine's Python"),
        ({"shot_folder": "paintover/shot"}, "not a whole path"),
        ({"frames": "-5-3"}, "no frames below 0"),
        ({"frames": "1, -2"}, "no frames below 0"),
    ],
)
def test_what_flamenco_cannot_do_is_a_sentence(changed: dict[str, str], told: str) -> None:
    assert told in compiled(**changed)["thrown"]


def test_the_movie_is_made_of_what_was_composed() -> None:
    movie = compiled(shot_folder="/shared/shot [v2]")["tasks"][-1]["commands"][0]["parameters"]
    assert movie["inputGlob"] == "/shared/shot [[]v2]/composed/style/*.png"
    assert movie["outputFile"] == "/shared/shot [v2]/composed/style/style.mp4"
    assert movie["argsBefore"] == []
    movie = compiled(image_file_extension=".exr")["tasks"][-1]["commands"][0]["parameters"]
    assert movie["argsBefore"] == ["-apply_trc", "iec61966_2_1"]
    assert movie["inputGlob"].endswith("/*.exr")


def test_options_are_those_of_the_command_line() -> None:
    tasks = compiled(steps="paint", frames="1-8, 12")["tasks"]
    commands = [task["commands"][0] for task in tasks]
    words = [each["parameters"]["args"][1:] for each in commands if each["name"] == "exec"]
    assert [build_parser().parse_args(each).verb for each in words] == ["train", "stylize"]


def test_the_job_is_run_and_a_task_that_failed_is_run_again(farm: Farm, tmp_path: Path) -> None:
    shot = tmp_path / "shot [v2]"
    shutil.copytree(farm.shot, shot)
    encoder = Path(__file__).with_name("stand_in_for_ffmpeg.py")
    variables = {"{blender}": str(farm.blender), "{blenderArgs}": "-b -y"}
    made = compiled(
        shot_folder=str(shot),
        blendfile=str(farm.blend),
        frames="1-4",
        chunk_size=2,
        painted_chunk_size=2,
        seconds=1,
        engine_python=sys.executable,
        engine_folder=str(ROOT / "engine"),
    )
    failed = []
    waiting = list(enumerate(made["tasks"]))
    done: set[int] = set()
    while waiting:
        number, task = next((n, t) for n, t in waiting if done.issuperset(t["dependencies"]))
        (command,) = task["commands"]
        words = _words(command, variables, [sys.executable, str(encoder)])
        kills = task["name"] == "stylize-3,4" and not failed
        code, said = _run(farm, words, kills)
        if kills:
            assert code == -signal.SIGKILL
            failed.append(task["name"])
            continue
        assert code == 0, said
        done.add(number)
        waiting.remove((number, task))
    assert failed == ["stylize-3,4"]
    names = [f"{frame:04d}.png" for frame in (1, 2, 3, 4)]
    assert list(pictures(shot / "out" / "style")) == names
    assert list(pictures(shot / "composed" / "style")) == names
    assert (shot / "composed" / "style" / "style.mp4").stat().st_size > 0


def _run(farm: Farm, words: list[str], kills: bool) -> tuple[int, str]:
    with subprocess.Popen(
        words,
        env={**os.environ, **farm.variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        if kills:
            time.sleep(0.5)
            process.kill()
        said, _ = process.communicate(timeout=300)
    return process.returncode, said


def _words(command: dict[str, Any], variables: dict[str, str], encoder: list[str]) -> list[str]:
    """What Flamenco's worker runs for a command, by its documentation."""
    given = command["parameters"]
    expand = lambda text: variables.get(text, text)  # noqa: E731
    if command["name"] == "exec":
        return [given["exe"], *given["args"]]
    if command["name"] == "blender-render":
        start = [expand(given["exe"]), *shlex.split(expand(given["exeArgs"]))]
        return [*start, *given["argsBefore"], given["blendfile"], *given["args"]]
    assert command["name"] == "frames-to-video"
    glob = ["-pattern_type", "glob", "-i", given["inputGlob"]]
    glob = [*given["argsBefore"], *glob]
    return [*encoder, *glob, *given["args"], "-r", str(given["fps"]), given["outputFile"]]
