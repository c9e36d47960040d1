# SPDX-License-Identifier: GPL-3.0-or-later
"""The shot is never lost from sight, and never shared without a word."""

from __future__ import annotations

import contextlib
import json
import shutil
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import read_codes
from two_blends import Part, choose, files, load, owner, save, steps, where


def test_the_first_capture_writes_the_folder_into_the_scene(first: Any, part: Part) -> None:
    settings = first.paintover
    manifest = json.loads((where(part, first) / "shot.json").read_text())
    assert settings.folder == "//paintover/shot_v001/"
    assert settings.shot_id == manifest["id"] != ""
    assert manifest["owner"] == {"blend": "../../shot_v001.blend", "scene": "Scene"}
    assert owner(part, first) == ""


def test_save_as_keeps_the_shot_and_says_whose_it_is(
    first: Any, part: Part, tmp_path: Path
) -> None:
    before = steps(part, first)
    scene = save(tmp_path / "shot_v002.blend")
    assert steps(part, scene) == before
    assert where(part, scene) == (tmp_path / "paintover/shot_v001").resolve()
    assert owner(part, scene) == "This shot belongs to shot_v001.blend"
    scene = load(tmp_path / "shot_v002.blend")
    assert steps(part, scene) == before
    assert owner(part, scene) == "This shot belongs to shot_v001.blend"
    choose("KEEP")
    assert owner(part, scene) == ""
    scene = load(tmp_path / "shot_v001.blend")
    assert steps(part, scene) == before
    assert owner(part, scene) == "This shot belongs to shot_v002.blend"


@pytest.mark.parametrize("copy", [False, True])
def test_saving_into_another_folder_keeps_the_shot(
    first: Any, part: Part, tmp_path: Path, copy: bool
) -> None:
    before, folder = steps(part, first), where(part, first)
    there = tmp_path / "other place" / "deep" / "shot.blend"
    scene = save(there, copy=copy)
    assert (where(part, scene), steps(part, scene)) == (folder, before)
    assert ".." not in str(part("properties").shot_folder(scene))
    expected = "//paintover/shot_v001/" if copy else "//../../paintover/shot_v001/"
    assert scene.paintover.folder == expected
    scene = load(there)
    assert scene.paintover.folder == "//../../paintover/shot_v001/"
    assert (where(part, scene), steps(part, scene)) == (folder, before)
    assert owner(part, scene) == "This shot belongs to shot_v001.blend"


def test_a_blend_copied_moved_or_renamed_by_hand(first: Any, part: Part, tmp_path: Path) -> None:
    before, folder = steps(part, first), where(part, first)
    here = tmp_path / "shot_v001.blend"
    for place in (tmp_path / "copy.blend", tmp_path / "far" / "copy.blend"):
        place.parent.mkdir(exist_ok=True)
        shutil.copy(here, place)
        scene = load(place)
        assert (where(part, scene), steps(part, scene)) == (folder, before)
        assert owner(part, scene) == "This shot belongs to shot_v001.blend"
        place.unlink()
    load(here)
    for place in (tmp_path / "renamed.blend", tmp_path / "moved" / "renamed.blend"):
        place.parent.mkdir(exist_ok=True)
        here.replace(place)
        here = place
        scene = load(place)
        assert (where(part, scene), steps(part, scene)) == (folder, before)
        assert owner(part, scene) == ""
        bpy.ops.wm.save_mainfile()


def test_a_vanished_folder_is_told_and_never_started_anew(
    first: Any, part: Part, tmp_path: Path
) -> None:
    folder = where(part, first)
    elsewhere = tmp_path / "archive"
    folder.replace(elsewhere)
    state = part("states").look(first).steps["capture"]
    assert (state.step.value, state.why) == ("nothing", f"The shot folder {folder} is gone")
    operators: Any = bpy.ops.paintover
    for operator in (operators.capture, operators.run, operators.keyframe_add, operators.train):
        with pytest.raises(RuntimeError, match=r"shot_v001 is gone"):
            operator()
    assert not folder.exists()
    assert part("shot_folders").default_folder(first, new=True) == "//paintover/shot_v001-2/"
    with pytest.raises(RuntimeError, match="holds no shot"):
        operators.shot_find(directory=str(tmp_path))
    assert operators.shot_find(directory=str(elsewhere)) == {"FINISHED"}
    assert where(part, first) == elsewhere.resolve()
    assert steps(part, first)["keyframe"] == "up to date"
    elsewhere.replace(folder)
    assert "is gone" in part("states").look(first).steps["capture"].why
    choose("NEW")
    assert where(part, first) != folder
    assert part("states").look(first).steps["capture"].why == "Not captured yet"


def test_a_scene_appended_or_linked_finds_the_shot(first: Any, part: Part, tmp_path: Path) -> None:
    folder, before = where(part, first), steps(part, first)
    first.name = "Shot 10"
    bpy.ops.wm.save_mainfile()
    for link in (False, True):
        bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
        save(tmp_path / "other" / "edit.blend")
        source = str(tmp_path / "shot_v001.blend")
        with bpy.data.libraries.load(source, link=link) as (_, target):
            target.scenes = ["Shot 10"]
        scene = target.scenes[0]
        assert where(part, scene) == folder
        assert steps(part, scene)["keyframe"] == before["keyframe"] == "up to date"
        assert owner(part, scene) == ("" if link else "This shot belongs to shot_v001.blend")


def test_shots_of_earlier_versions_are_found_and_then_kept(
    first: Any, part: Part, tmp_path: Path
) -> None:
    folder, before = where(part, first), steps(part, first)
    manifest = json.loads((folder / "shot.json").read_text())
    for name in ("id", "owner", "blank_keys"):
        del manifest[name]
    with part("properties").programmatic():
        first.paintover.folder = first.paintover.shot_id = first.paintover.folder_hint = ""
    bpy.ops.wm.save_mainfile()
    (folder / "shot.json").write_text(json.dumps(manifest))
    with part("properties").programmatic():
        first.paintover.folder = first.paintover.shot_id = first.paintover.folder_hint = ""
    part("shot_links").unregister()
    bpy.ops.wm.save_mainfile()
    part("shot_links").register()

    scene = load(tmp_path / "shot_v001.blend")
    assert (where(part, scene), steps(part, scene)) == (folder, before)
    scene = save(tmp_path / "shot_v002.blend")
    assert (where(part, scene), steps(part, scene)) == (folder, before)


def test_undo_to_before_the_first_capture_keeps_the_link(
    scene: Any, part: Part, tmp_path: Path
) -> None:
    save(tmp_path / "shot_v001.blend")
    with contextlib.suppress(RuntimeError):
        bpy.ops.ed.undo_push(message="before")
    bpy.ops.paintover.capture()
    folder = where(part, scene)
    bpy.ops.ed.undo_push(message="move")
    bpy.ops.ed.undo()
    scene = bpy.context.scene
    assert scene.paintover.folder == "//paintover/shot_v001/"
    scene = save(tmp_path / "shot_v002.blend")
    assert where(part, scene) == folder


def test_a_shot_that_another_program_made_is_kept_by_save_as(
    scene: Any, shot: Any, part: Part, tmp_path: Path
) -> None:
    folder = where(part, scene)
    scene = save(tmp_path / "shot_v002.blend")
    assert where(part, scene) == folder
    assert owner(part, scene) == "This shot belongs to my shot é.blend"


def test_the_user_chooses_another_folder(first: Any, part: Part, tmp_path: Path) -> None:
    shot_id = first.paintover.shot_id
    first.paintover.folder = str(tmp_path / "mine")
    assert first.paintover.shot_id == ""
    assert part("states").look(first).steps["capture"].why == "Not captured yet"
    first.paintover.folder = "//paintover/shot_v001/"
    assert first.paintover.shot_id == shot_id


def test_the_command_line_goes_on_with_a_sentence_and_can_choose(
    first: Any, part: Part, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(tmp_path / "shot_v002.blend")
    main = part("command").main
    assert main(["capture"]) == 0
    assert "This shot belongs to shot_v001.blend; going on with it" in capsys.readouterr().err
    assert main(["status", "--json"]) == 0
    out = capsys.readouterr().out
    assert json.loads(out[out.index("{") :])["owner"] == "shot_v001.blend"
    assert main(["shot", "copy"]) == 0
    scene = load(tmp_path / "shot_v002.blend")
    assert where(part, scene).name == "shot_v002"
    assert main(["shot", "new"]) == 0
    assert main(["shot", "keep"]) == 1
    assert "holds no shot yet" in capsys.readouterr().err


def test_a_linked_scene_is_rendered_and_not_the_local_one_of_its_name(
    first: Any, part: Part, tmp_path: Path
) -> None:
    folder = where(part, first)
    before = {frame: read_codes(folder / f"frames/{frame:04d}.png") for frame in (1, 2, 3)}
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    local: Any = save(tmp_path / "edit.blend")
    assert local.name == "Scene"
    local.camera = None
    source = str(tmp_path / "shot_v001.blend")
    with bpy.data.libraries.load(source, link=True) as (_, target):
        target.scenes = ["Scene"]
    linked: Any = target.scenes[0]
    bpy.context.window.scene = linked
    settings = linked.render.use_compositing, linked.render.dither_intensity
    assert bpy.ops.paintover.capture(force=True) == {"FINISHED"}
    assert (linked.render.use_compositing, linked.render.dither_intensity) == settings
    for frame, codes in before.items():
        np.testing.assert_array_equal(read_codes(folder / f"frames/{frame:04d}.png"), codes)
    assert "paintover_before_capture" not in local
    main = part("command").main
    assert main(["status", "--scene", linked.name_full]) == 0
    assert main(["capture", "--scene", "Scene"]) == 1


def test_a_shot_of_pictures_is_captured_whatever_the_scene_and_can_set_the_scene(
    scene: Any, shot: Any, part: Part
) -> None:
    shot.manifest.source = {"kind": "pictures", "input": "/footage"}
    shot.save()
    render = scene.render
    render.resolution_x, render.resolution_y, render.resolution_percentage = 1920, 1080, 50
    scene.frame_start, scene.frame_end = 1, 250
    snapshot = part("states").look(scene)
    assert snapshot.steps["capture"].step.value == "up to date"
    assert snapshot.differs == (
        "The shot is 480×270, frames 1 to 3; the scene is 960×540, frames 1 to 250"
    )
    before = files(shot.folder)
    assert bpy.ops.paintover.capture() == {"FINISHED"}
    assert set(files(shot.folder)) == set(before)
    assert bpy.ops.paintover.shot_match() == {"FINISHED"}
    assert part("properties").render_size(scene) == (480, 270)
    assert (scene.frame_start, scene.frame_end) == (1, 3)
    assert part("states").look(scene).differs == ""


def test_the_panel_tells_after_save_as_without_waiting_for_the_next_look(
    first: Any, part: Part, tmp_path: Path
) -> None:
    watcher = part("ui.watcher")

    def owner_told() -> str:
        watcher._tick()
        watcher._watcher._thread.join()
        watcher._tick()
        return str(watcher.current()[0].owner)

    watcher.refresh()
    assert owner_told() == ""
    save(tmp_path / "shot_v002.blend")
    assert owner_told() == "This shot belongs to shot_v001.blend"


def test_a_folder_that_may_not_be_listed_raises_nothing(
    scene: Any, shot: Any, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    shot.manifest.owner = {"blend": "../../other.blend", "scene": "Scene"}
    shot.save()
    Path(bpy.data.filepath).with_name("other.blend").touch()

    def refused(folder: Path) -> None:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", refused)
    folders = part("shot_folders")
    assert folders.shot_folder(scene) == shot.folder.with_name(f"{shot.folder.name}-2")
