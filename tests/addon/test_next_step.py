# SPDX-License-Identifier: GPL-3.0-or-later
"""One next button at every moment, and disabled buttons that say why."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from conftest import engine_runs, picture, write_png

Part = Callable[[str], Any]
STEPS = ("capture", "keyframe", "train", "stylize", "compose")


@pytest.fixture
def following(part: Part) -> Callable[..., Any]:
    """Return the next step where the first steps are done, and the next one is in a state."""
    module, freshness = part("next_step"), part("engine.shared.freshness")

    def find(done: int = 0, now: Any = None, **known: Any) -> Any:
        ready = freshness.StepState(freshness.Step.UP_TO_DATE)
        steps = dict.fromkeys(STEPS, freshness.StepState(freshness.Step.NOTHING))
        steps |= dict.fromkeys(STEPS[:done], ready)
        if now:
            steps[STEPS[done]] = freshness.StepState(freshness.Step.OUT_OF_DATE, now)
        return module.next_step(module.Facts(steps, **known))

    return find


@pytest.fixture
def said(part: Part) -> Callable[[Any], str]:
    """Return what the panel says and what stands on its button."""
    button = part("ui.next_button")
    return lambda step: (
        f"{button.sentence(step)} {button.button_text(step).get('text', '')}".strip()
    )


def test_each_moment_has_one_button(following: Any, said: Any) -> None:
    unsaved = following(obstacle="Save the .blend first.", is_saved=False)
    assert unsaved.operator == "wm.save_mainfile"
    assert "no camera" in following(has_camera=False).sentence
    assert following().operator == "paintover.capture"
    first = following(1, frames=(1, 2, 3), frame=250)
    assert (first.operator, first.options) == ("paintover.keyframe_add", {"frame": 3})
    assert said(first).endswith(", and make it a keyframe. Add Frame 3")
    paint = following(1, keyframes={2: "Not painted yet", 30: "Not painted yet"}, frame=29)
    assert (paint.operator, paint.options) == ("paintover.keyframe_open", {"frame": 30})
    assert said(paint) == "Paint on frame 30, here or in your paint program. Paint Frame 30"
    bad = following(1, keyframes={2: "Cannot be read"})
    assert said(bad).startswith("The painting of frame 2: cannot be read. Save it again in")
    assert following(2).operator == "paintover.train"
    assert following(3).operator == "paintover.stylize"
    assert following(4).operator == "paintover.compose"
    for done in (4, 5):  # whether it is in the compositor or not
        assert following(done, has_new_result=True).operator == "paintover.result_play"
    assert following(3, has_new_result=True).operator == "paintover.stylize"
    assert following(5).operator == "render.render"
    assert following(2, is_live=True).operator == "paintover.live_finish"


def test_what_is_out_of_date_comes_first_with_its_reason(following: Any, said: Any) -> None:
    step = following(0, "The render settings have changed")
    assert said(step) == "The render settings have changed. Capture it again."
    step = following(0, "23 of 24 frames to capture")
    assert said(step) == "23 of 24 frames to capture: each frame is rendered once."
    step = following(2, "Other keyframes than it was trained on", can_continue=True)
    assert (step.operator, step.sentence) == ("paintover.train", "Train again")
    step = following(2, "Stopped early after 20 steps", can_continue=True)
    assert step.operator == "paintover.train_continue"


def test_an_obstacle_of_a_saved_file_is_a_sentence(following: Any, said: Any) -> None:
    obstacle = "The frame range 9 to 1 of {shot} ends before it starts; change it."
    step = following(obstacle=obstacle)
    assert (step.operator, said(step)) == ("", obstacle)


def test_next_steps_of_a_real_shot(scene: Any, shot: Any, part: Part) -> None:
    module, states = part("next_step"), part("states")

    def now() -> Any:
        return module.next_step(module.facts(scene, states.look(scene), ""))

    shot.manifest.source = {"kind": "pictures"}
    shot.save()
    scene.camera = None  # pictures need none
    assert now().operator == "paintover.keyframe_add"
    bpy.ops.paintover.keyframe_add(frame=now().options["frame"])
    assert now().options == {"frame": 1} and now().operator == "paintover.keyframe_open"
    write_png(shot.key_path(1), picture(1, seed=5))
    assert now().operator == "paintover.train"


def test_every_button_and_its_options_exist(following: Any, part: Part) -> None:
    camera = part("next_step").CAMERA
    kinds = [following(done, keyframes=keys) for done in range(6) for keys in ({}, {1: "Painted"})]
    kinds += [following(is_live=True), following(obstacle="No file.", is_saved=False)]
    for step in kinds:
        assert step.operator and step.operator != camera and not step.sentence.endswith(".")
        group, _, name = step.operator.partition(".")
        properties = getattr(getattr(bpy.ops, group), name).get_rna_type().properties
        assert set(step.options) <= set(properties.keys()), step


def remedies(part: Part) -> dict[str, str]:
    """Return why the buttons are disabled."""
    found = {}
    for cls in part("operators").classes:
        if hasattr(cls, "remedy"):
            found[cls.bl_idname.removeprefix("paintover.")] = cls.remedy(bpy.context)
    return found


def test_a_file_that_was_never_saved_disables_the_steps_with_the_way_out(part: Part) -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True)
    why = remedies(part)
    for step in ("capture", "capture_pictures", "keyframe_add", "train", "stylize", "compose"):
        assert why[step].startswith("Save the .blend first"), step
    with pytest.raises(RuntimeError, match=r"Save the \.blend first"):
        bpy.ops.paintover.capture()


def test_each_step_waits_for_the_one_before(scene: Any, part: Part) -> None:
    why = remedies(part)
    assert why["capture"] == "" and why["run"] == ""
    for step in ("keyframe_add", "preview", "train", "train_continue", "stylize", "compose"):
        assert why[step] == "Capture the shot first", step


def test_compose_waits_for_frames_but_not_to_take_out(scene: Any, shot: Any, part: Part) -> None:
    assert remedies(part)["compose"].endswith("style; stylize first")
    scene.paintover.before_compose = "{}"  # of a node that the user deleted
    assert remedies(part)["compose"] == ""
    scene.paintover.before_compose = ""
    write_png(shot.out_path("style", 2), picture(2))
    assert remedies(part)["compose"] == ""


def test_without_an_engine_its_steps_say_so(
    scene: Any, shot: Any, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_png(shot.key_path(1), picture(1, seed=5))
    why = remedies(part)
    assert why["train"] == why["preview"] == ""
    assert why["train_continue"] == "There is no training to go on with"
    monkeypatch.delenv("PAINTOVER_ENGINE_PYTHON")
    monkeypatch.setattr(part("engine_process.environment"), "_blender_has_packages", lambda: False)
    why = remedies(part)
    for step in ("capture_pictures", "preview", "train", "sweep"):
        assert "press Install Engine" in why[step], step
    assert why["capture"] == ""


@pytest.mark.skipif(not engine_runs(), reason="the engine's packages are not installed")
def test_a_training_is_continued(scene: Any, shot: Any, part: Part) -> None:
    header = part("engine.shared.style_header").read_style_header
    write_png(shot.key_path(1), picture(1, seed=5))
    bpy.ops.paintover.train(seconds=1)
    before = header(shot.style_path("style")).steps
    scene.paintover.seconds = 1
    assert bpy.ops.paintover.train_continue() == {"FINISHED"}
    assert header(shot.style_path("style")).steps > before


def test_sentences_name_files_of_the_shot_shortly(part: Part, tmp_path: Path) -> None:
    shortened, folder = part("messages").shortened, tmp_path / "my shot é"
    folder.mkdir()
    path = folder / "keys" / "0001.png"
    assert shortened(f"{path} still equals", folder) == f"keys{os.sep}0001.png still equals"
    assert shortened(f"The shot {folder} has none.", folder) == "The shot has none."
    elsewhere = f"There is no {tmp_path / 'x.png'}; choose another."
    assert shortened(elsewhere, folder) == elsewhere
    assert shortened(f"The shot folder {folder} is gone", folder).count(str(folder)) == 1
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert shortened(f"{path} still equals", link) == f"keys{os.sep}0001.png still equals"
