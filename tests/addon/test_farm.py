# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs for farms, as the add-on writes them; ``tests/farm`` runs them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from conftest import picture, write_png


@pytest.fixture
def painted(shot: Any) -> Any:
    """The shot of the scene with a painting of frame 2."""
    write_png(shot.key_path(2), picture(2, seed=2))
    return shot


def values(folder: Path) -> dict[str, Any]:
    """The parameters of a bundle; they are written so that each is a line of JSON."""
    text = (folder / "parameter_values.yaml").read_text("utf-8")
    found = re.findall(r"- name: (\w+)\n    value: (.*)", text)
    return {name: json.loads(value) for name, value in found}


def steps(folder: Path) -> list[str]:
    text = (folder / "template.yaml").read_text("utf-8")
    return re.findall(r"^  - name: (\w+)$", text.partition("\nsteps:\n")[2], re.MULTILINE)


def test_a_bundle_has_the_settings_of_the_scene(painted: Any, scene: Any, tmp_path: Path) -> None:
    scene.paintover.light, scene.paintover.depth = 0.25, "16"
    folder = tmp_path / "job"
    assert bpy.ops.paintover.farm_export(directory=str(folder), gpu=True) == {"FINISHED"}
    found = values(folder)
    assert found["BlendFile"] == bpy.data.filepath
    assert found["ShotFolder"] == str(painted.folder)
    assert (found["Frames"], found["Light"], found["Depth"]) == ("1-3", 0.25, 16)
    assert Path(found["EngineFolder"], "__main__.py").is_file()
    assert found["Addon"] == "bl_ext.user_default.paintover"
    assert steps(folder) == ["Capture", "Train", "Stylize", "Compose", "Encode"]
    template = (folder / "template.yaml").read_text("utf-8")
    train = template[template.index("- name: Train") : template.index("- name: Stylize")]
    assert "amount.worker.gpu" in train and template.count("amount.worker.gpu") == 1
    assert bpy.ops.paintover.farm_export(directory=str(folder)) == {"FINISHED"}
    assert "amount.worker.gpu" not in (folder / "template.yaml").read_text("utf-8")


def test_pictures_from_elsewhere_are_not_captured(painted: Any, scene: Any, tmp_path: Path) -> None:
    painted.manifest.source = {"kind": "pictures", "input": "elsewhere"}
    painted.save()
    scene.frame_end = 90
    assert bpy.ops.paintover.farm_export(directory=str(tmp_path / "job")) == {"FINISHED"}
    assert steps(tmp_path / "job") == ["Train", "Stylize", "Compose", "Encode"]
    assert "dependsOn: Capture" not in (tmp_path / "job" / "template.yaml").read_text("utf-8")
    assert values(tmp_path / "job")["Frames"] == "1-3"


def test_a_job_of_another_program_is_not_overwritten(
    painted: Any, part: Callable[[str], Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "template.yaml"
    other.write_text("steps: []\n")
    words = ["farm", "--openjd", str(tmp_path), "--progress", "openjd"]
    assert part("command").main(words) == 1
    assert f"openjd_fail: {other} is not of Paintover" in capsys.readouterr().out
    assert other.read_text() == "steps: []\n"


def test_what_is_missing_is_said(shot: Any, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="no keyframe yet"):
        bpy.ops.paintover.farm_export(directory=str(tmp_path / "job"))
    assert not (tmp_path / "job").exists()


def test_composed_frames_are_rendered_once(
    painted: Any, scene: Any, part: Callable[[str], Any], tmp_path: Path
) -> None:
    for frame in (1, 2, 3):
        write_png(painted.out_path("style", frame), picture(frame, seed=3))
    part("steps").compose(scene)
    bpy.ops.wm.save_mainfile()
    folder, run = tmp_path / "composed", part("jobs").run_to_end
    render = part("composed_frames").render
    scene.render.image_settings.file_format = "PNG"
    job = lambda: run("Compose", render(scene, painted, "style", folder, [1, 2]))  # noqa: E731
    assert job() == f"Rendered 2 frames to {folder}"
    assert sorted(path.name for path in folder.iterdir()) == ["0001.png", "0002.png", "made"]
    assert job() == f"Rendered 0 frames to {folder}; 2 up to date"
    write_png(painted.out_path("style", 2), picture(2, seed=4))
    assert job() == f"Rendered 1 frame to {folder}; 1 up to date"
