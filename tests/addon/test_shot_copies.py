# SPDX-License-Identifier: GPL-3.0-or-later
"""A copied .blend, scene or shot has a shot of its own, and paint goes into the right one."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import HEIGHT, WIDTH, picture, read_codes
from two_blends import Part, choose, files, load, owner, save, steps, where

needs_links = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


def test_a_project_that_was_copied_as_a_whole_uses_its_own_shot(
    first: Any, part: Part, tmp_path: Path
) -> None:
    project = tmp_path.parent / f"{tmp_path.name} copied"
    shutil.copytree(tmp_path, project)
    scene = load(project / "shot_v001.blend")
    assert where(part, scene) == (project / "paintover/shot_v001").resolve()
    assert owner(part, scene) == ""
    shutil.rmtree(project)


def test_a_copy_of_the_scene_is_noticed_and_a_renamed_scene_is_not_a_copy(
    first: Any, part: Part
) -> None:
    before, folder = steps(part, first), where(part, first)
    first.name = "Fox run"
    assert (where(part, first), steps(part, first)) == (folder, before)
    assert owner(part, first) == ""
    bpy.ops.wm.save_mainfile()
    bpy.ops.scene.new(type="FULL_COPY")
    copy = bpy.context.scene
    assert owner(part, first) == ""
    assert where(part, copy) == folder
    assert owner(part, copy) == 'This shot belongs to the scene "Fox run"'
    first.name = "Fox runs"
    assert owner(part, first) == ""
    assert owner(part, copy) == 'This shot belongs to the scene "Fox runs"'
    choose("NEW")
    assert where(part, copy) == folder.with_name("shot_v001-Fox_run_001")
    assert owner(part, copy) == ""
    assert steps(part, copy)["capture"] == "nothing"
    assert (where(part, first), steps(part, first)) == (folder, before)


def test_a_copied_shot_is_one_of_its_own(first: Any, part: Part, tmp_path: Path) -> None:
    bpy.ops.paintover.keyframe_open(frame=1)
    before, folder = steps(part, first), where(part, first)
    old = files(folder)
    scene = save(tmp_path / "shot_v002.blend")
    choose("COPY")
    there = where(part, scene)
    assert there == folder.with_name("shot_v002")
    assert (steps(part, scene), owner(part, scene)) == (before, "")
    assert files(folder) == old
    assert {name: data for name, data in files(there).items() if name != "shot.json"} == {
        name: data for name, data in old.items() if name != "shot.json"
    }
    ids = [json.loads((place / "shot.json").read_text())["id"] for place in (folder, there)]
    assert len(set(ids)) == 2
    image = next(image for image in bpy.data.images if image.name == "Keyframe 1")
    assert Path(bpy.path.abspath(image.filepath)).resolve() == there / "keys/0001.png"
    values = picture(1, seed=5)
    image.scale(WIDTH, HEIGHT)
    image.pixels.foreach_set(np.ascontiguousarray(values).ravel())
    image.update()
    bpy.ops.wm.save_mainfile()
    assert files(folder) == old
    scene = load(tmp_path / "shot_v001.blend")
    assert (where(part, scene), owner(part, scene)) == (folder, "")


def test_paint_that_is_saved_into_the_shot_of_another_blend_keeps_the_old_painting(
    first: Any, part: Part, tmp_path: Path
) -> None:
    bpy.ops.paintover.keyframe_open(frame=1)
    folder = where(part, first)
    old = (folder / "keys/0001.png").read_bytes()
    save(tmp_path / "shot_v002.blend")
    image = next(image for image in bpy.data.images if image.name == "Keyframe 1")
    image.pixels.foreach_set([0.5] * len(image.pixels))
    image.update()
    bpy.ops.wm.save_mainfile()
    (version,) = (folder / "keys/versions").iterdir()
    assert version.read_bytes() == old
    assert read_codes(folder / "keys/0001.png")[100, 100, 0] == 128


@pytest.mark.parametrize("moment", ["before the copy", "while it runs"])
def test_unsaved_paint_goes_into_the_copy_alone(
    first: Any, part: Part, tmp_path: Path, moment: str
) -> None:
    bpy.ops.paintover.keyframe_open(frame=1)
    folder = where(part, first)
    old = files(folder)
    scene = save(tmp_path / "shot_v002.blend")
    image = next(image for image in bpy.data.images if image.name == "Keyframe 1")
    job = part("shot_choices").choose(scene, "COPY")
    if moment == "while it runs":
        while next(job).fraction < 0.5:
            pass
    image.pixels.foreach_set([0.5] * len(image.pixels))
    image.update()

    for _ in job:
        pass

    assert files(folder) == old
    there = where(part, scene) / "keys/0001.png"
    assert there.is_file() and read_codes(there)[100, 100, 0] == 128
    assert Path(bpy.path.abspath(image.filepath)).resolve() == there
    assert not image.is_dirty
    assert abs(image.pixels[0] - 0.5) < 0.01


def test_a_cancelled_copy_leaves_nothing(first: Any, part: Part, tmp_path: Path) -> None:
    scene = save(tmp_path / "shot_v002.blend")
    folder = where(part, scene)
    job = part("shot_choices").choose(scene, "COPY")
    next(job), next(job)
    job.close()
    assert [path.name for path in folder.parent.iterdir()] == ["shot_v001"]
    assert where(part, scene) == folder


def test_a_copy_of_a_shot_put_where_a_blend_has_its_shot_is_taken(
    first: Any, part: Part, tmp_path: Path
) -> None:
    source = where(part, first)
    place = tmp_path / "paintover" / "other"
    shutil.copytree(source, place)
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene = save(tmp_path / "other.blend")
    assert where(part, scene) == place.resolve()
    assert owner(part, scene) == "This shot belongs to shot_v001.blend"


def test_another_shot_is_not_taken_because_the_names_are_alike(
    scene: Any, part: Part, tmp_path: Path
) -> None:
    save(tmp_path / "a.blend")
    scene.name = "b"
    bpy.ops.paintover.capture()
    bpy.ops.wm.save_mainfile()
    assert where(part, scene).name == "a-b"
    scene.name = "Scene"
    bpy.ops.scene.new(type="NEW")
    other: Any = bpy.context.scene
    other.name = "b"
    assert where(part, other).name == "a-b-2"


def test_copying_into_a_full_disk_is_a_sentence(
    first: Any, part: Part, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene = save(tmp_path / "shot_v002.blend")

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(part("shot_choices").shutil, "copy2", full)
    with pytest.raises(RuntimeError, match=r"Cannot copy the shot to .*free some space"):
        choose("COPY")
    assert [path.name for path in (tmp_path / "paintover").iterdir()] == ["shot_v001"]
    assert owner(part, scene) == "This shot belongs to shot_v001.blend"


def to_disk(folder: Path, disk: Path) -> None:
    """Move a folder to another disk, and leave a link."""
    disk.mkdir(exist_ok=True)
    shutil.move(folder, disk / folder.name)
    folder.symlink_to(disk / folder.name)


@needs_links
def test_folders_on_another_disk_are_copied(first: Any, part: Part, tmp_path: Path) -> None:
    before, folder = steps(part, first), where(part, first)
    old = files(folder)
    for name in ("frames", "keys"):
        to_disk(folder / name, tmp_path / "disk")
    (folder / "cache").symlink_to(tmp_path / "disk" / "gone")
    scene = save(tmp_path / "shot_v002.blend")
    choose("COPY")
    there = where(part, scene)
    assert there != folder and steps(part, scene) == before
    assert files(there).keys() == old.keys()
    assert not any(path.is_symlink() for path in there.iterdir())


@needs_links
@pytest.mark.parametrize(
    ("name", "leads_to", "words"),
    [
        ("frames", "gone", "leads to no folder"),
        ("out", "other", "holds other files, such as notes.txt"),
        ("footage", "other", "is a link"),
        ("keys/versions", "other", "is a link that no copy follows"),
        ("keys/0002.png", "gone", "is a link that no copy follows"),
    ],
)
def test_no_copy_lacks_what_links_lead_to(
    first: Any, part: Part, tmp_path: Path, name: str, leads_to: str, words: str
) -> None:
    place = where(part, first) / name
    (tmp_path / "other").mkdir()
    (tmp_path / "other/notes.txt").write_text("")
    shutil.rmtree(place, ignore_errors=True)
    place.symlink_to(tmp_path / leads_to)
    scene = save(tmp_path / "shot_v002.blend")
    with pytest.raises(RuntimeError, match=words):
        choose("COPY")
    assert [path.name for path in (tmp_path / "paintover").iterdir()] == ["shot_v001"]
    assert owner(part, scene) == "This shot belongs to shot_v001.blend"


def test_a_thousand_nested_folders_stop_no_copy(first: Any, part: Part, tmp_path: Path) -> None:
    folder = where(part, first)
    place = folder
    for _ in range(1000):
        place = place / "d"
        place.mkdir()
    scene = save(tmp_path / "shot_v002.blend")
    try:
        choose("COPY")
        assert (where(part, scene) / "shot.json").is_file()
    finally:
        part("engine.shared.folders").remove_tree(folder)


def test_files_that_others_delete_meanwhile_are_left_out(
    first: Any, part: Part, tmp_path: Path
) -> None:
    folder = where(part, first)
    made = folder / "out/style/made"
    made.mkdir(parents=True)
    for name in (".0001.claim", "0001.json", "0002.json"):
        (made / name).write_text("{}")
    (folder / ".shot.json.lock").write_text("")
    job = part("shot_choices")._copy_files(folder, tmp_path / "copy")
    next(job)
    (made / ".0001.claim").unlink()
    (made / "0002.json").unlink()
    list(job)
    copied = set(files(tmp_path / "copy"))
    assert {"shot.json", "frames/0001.png", "out/style/made/0001.json"} <= copied
    assert not {name for name in copied if name.endswith((".claim", ".lock", "0002.json"))}


@pytest.mark.parametrize("name", ["frames", "frames/0002.png"])
def test_no_copy_lacks_what_may_not_be_read(
    first: Any, part: Part, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    place = str(where(part, first) / name)

    def refusing(call: Any) -> Any:  # as root may read everything
        def refuse(path: Any, *others: Any, **options: Any) -> Any:
            if str(path) == place:
                raise PermissionError(13, "Permission denied", place)
            return call(path, *others, **options)

        return refuse

    monkeypatch.setattr(os, "scandir", refusing(os.scandir))
    monkeypatch.setattr(shutil, "copy2", refusing(shutil.copy2))
    scene = save(tmp_path / "shot_v002.blend")
    with pytest.raises(RuntimeError, match=rf"{name} cannot be read \(Permission denied\), so the"):
        choose("COPY")
    monkeypatch.undo()
    assert [path.name for path in (tmp_path / "paintover").iterdir()] == ["shot_v001"]
    assert owner(part, scene) == "This shot belongs to shot_v001.blend"
