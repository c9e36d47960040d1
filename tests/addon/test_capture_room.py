# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture replaces and deletes nothing in its folder but what a capture made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from captures import Part, open_shot, plan_of, run
from conftest import picture, write_png
from matte_scenes import choose
from two_blends import files


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "project"


@pytest.mark.parametrize(
    "name",
    [
        "frames/0001.png",
        "frames/0007.EXR",
        "live/0001.png",
        "mattes/objects-0a1b2c3d/0001.png",
        "out/style/0001.png",
        "capture/clip.mp4",
        "capture/frames/0001.png",
        "capture/mattes/hero/0001.png",
        "capture/frames/takes/one/clip.mp4",
    ],
)
def test_what_is_in_the_way_of_a_new_shot_is_told(
    scene: Any, part: Part, folder: Path, name: str
) -> None:
    (folder / name).parent.mkdir(parents=True)
    (folder / name).write_bytes(b"mine")
    before = files(folder)
    scene.paintover.folder = str(folder)
    with pytest.raises(RuntimeError, match=r"is in the way.*move .* elsewhere, or choose another"):
        bpy.ops.paintover.capture()
    assert files(folder) == before


def test_what_is_not_in_the_way_stays(scene: Any, part: Part, folder: Path) -> None:
    for name in ("frames/fox.png", "mattes/hero/0001.png", "clips/0001.png", "out/0001.png"):
        write_png(folder / name, picture(1))
    (folder / "capture").mkdir()
    before = files(folder)
    assert run(part, scene, folder, [1]).rendered == [1]
    assert before.items() <= files(folder).items()


def clip(stage: Path) -> None:
    (stage / "clip.mp4").write_bytes(b"mine")


def pictures(stage: Path) -> None:
    write_png(stage / "frames/0001.png", picture(1))


def shot_of_another(stage: Path) -> None:
    shutil.copytree(stage.parent / "frames", stage / "frames")
    text = (stage.parent / "shot.json").read_text()
    (stage / "shot.json").write_text(text.replace('"id": "', '"id": "0'))


def link(stage: Path) -> None:
    stage.rmdir()
    elsewhere = stage.parent.with_name("elsewhere")
    shutil.copytree(stage.parent, elsewhere)
    stage.symlink_to(elsewhere)


@pytest.mark.parametrize("fill", [clip, pictures, shot_of_another, link])
def test_frames_do_not_wait_in_a_folder_of_others(
    scene: Any, part: Part, folder: Path, fill: Callable[[Path], None]
) -> None:
    if fill is link and os.name == "nt":
        pytest.skip("links need rights on Windows")
    run(part, scene, folder, [1])
    (folder / "capture").mkdir()
    fill(folder / "capture")
    before = files(folder) | files(folder / "capture")
    assert run(part, scene, folder, [1]).rendered == []
    assert files(folder) | files(folder / "capture") == before
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="is in the way"):
        run(part, scene, folder, [1], force=True)
    assert files(folder) | files(folder / "capture") == before


def test_a_file_that_was_put_beside_frames_that_wait_stays(
    scene: Any, part: Part, folder: Path
) -> None:
    run(part, scene, folder, [1, 2])
    job = part("capture").capture(scene, folder, [1, 2], force=True)
    next(job), next(job)
    clip(folder / "capture")
    list(job)
    assert (folder / "capture/clip.mp4").read_bytes() == b"mine"


def test_a_capture_that_was_killed_at_its_first_frame_goes_on(
    scene: Any, part: Part, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        pass

    save = part("capture.frames").save

    def killed(*args: Any) -> None:
        save(*args)
        raise Killed

    for force in (False, True):
        with monkeypatch.context() as patch:
            patch.setattr(part("capture.frames"), "save", killed)
            with pytest.raises(Killed):
                run(part, scene, folder, [1, 2], force=force)
        assert run(part, scene, folder, [1, 2], force=force).rendered == [1, 2]
        assert not (folder / "capture").exists()
    assert open_shot(part, folder).frames == [1, 2]


def correct(path: Path) -> bytes:
    """Change a picture of a shot by hand."""
    write_png(path, picture(99))
    return path.read_bytes()


def versions(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in folder.rglob("versions/*")]


@pytest.mark.parametrize("then", ["again", "force", "other settings"])
def test_a_frame_that_was_corrected_is_kept_when_it_is_captured_anew(
    scene: Any, part: Part, folder: Path, then: str
) -> None:
    run(part, scene, folder, [1, 2])
    corrected = correct(folder / "frames" / "0002.png")
    if then == "other settings":
        scene.view_settings.exposure = 1
    result = run(part, scene, folder, [1, 2], force=then == "force")
    assert 2 in result.rendered and versions(folder) == [corrected]
    (told,) = (told for told in result.warnings if "changed by hand" in told)
    assert f": 2; what was there is in {folder / 'frames' / 'versions'}." in told
    assert run(part, scene, folder, [1, 2]).skipped == [1, 2]
    run(part, scene, folder, [1, 2], force=True)
    assert versions(folder) == [corrected]


def test_a_cancelled_capture_tells_what_it_has_kept(scene: Any, part: Part, folder: Path) -> None:
    steps, told = part("steps.capturing"), []
    scene.paintover.folder = str(folder)
    list(steps.capture_frames(scene, told.append, frames=[1, 2]))
    corrected = correct(folder / "frames" / "0001.png")
    correct(folder / "frames" / "0002.png")
    told.clear()
    job = steps.capture_frames(scene, told.append, frames=[1, 2])
    while not versions(folder):
        next(job)
    job.close()
    assert versions(folder) == [corrected]
    assert [sentence for sentence in told if "changed by hand" in sentence and ": 1;" in sentence]


def test_of_a_shot_whose_manifest_was_damaged_all_that_is_replaced_is_kept(
    scene: Any, part: Part, folder: Path
) -> None:
    choose(scene, scene.objects["Cube"])
    run(part, scene, folder, [1, 2])
    corrected = correct(folder / "frames" / "0002.png")
    before = {name: data for name, data in files(folder).items() if name != "shot.json"}
    (folder / "shot.json").write_text('{"version": 1, "wid')
    result = run(part, scene, folder, [1, 2])
    assert result.rendered == [1, 2]
    assert corrected in versions(folder)
    assert sorted(versions(folder)) == sorted(before.values())
    told = [told for told in result.warnings if "whose shot.json was damaged" in told]
    assert len(told) == 2 and all(": 1-2; what was there is in" in one for one in told)
    assert run(part, scene, folder, [1, 2]).skipped == [1, 2]
    run(part, scene, folder, [1, 2], force=True)
    assert sorted(versions(folder)) == sorted(before.values())


def test_mattes_that_were_corrected_are_kept(scene: Any, part: Part, folder: Path) -> None:
    choose(scene, scene.objects["Cube"])
    run(part, scene, folder, [1, 2])
    shot = open_shot(part, folder)
    first = correct(shot.matte_path(2))
    assert 2 in run(part, scene, folder, [1, 2]).mattes and versions(folder) == [first]
    second = correct(shot.matte_path(1))
    scene.paintover.matte.source = "WHOLE"
    run(part, scene, folder, [1, 2])
    assert not list(folder.glob("mattes/*/*.png"))
    assert sorted(versions(folder)) == sorted([first, second])


@pytest.mark.parametrize("killed_at", [1, 3, 5])
def test_a_capture_that_was_killed_as_frames_were_taken_in_knows_its_own(
    scene: Any, part: Part, folder: Path, monkeypatch: pytest.MonkeyPatch, killed_at: int
) -> None:
    run(part, scene, folder, [1, 2])
    staging, seen = part("capture.staging"), []
    shots = part("engine.shared.shot").Shot
    real_move, real_save = staging.move, shots.save

    def move(source: Path, target: Path) -> None:
        seen.append(target)
        if len(seen) == killed_at:
            raise KeyboardInterrupt
        real_move(source, target)

    def save(shot: Any) -> None:
        if len(seen) == 4:
            raise KeyboardInterrupt
        real_save(shot)

    scene.view_settings.exposure = 1
    with monkeypatch.context() as patch:
        patch.setattr(staging, "move", move)
        patch.setattr(shots, "save", save)
        with pytest.raises(KeyboardInterrupt):
            run(part, scene, folder, [1, 2])
    assert len(seen) == min(killed_at, 4)
    scene.view_settings.exposure = 2
    run(part, scene, folder, [1, 2])
    assert versions(folder) == []


def test_of_earlier_mattes_only_pictures_are_deleted(shot: Any, part: Part) -> None:
    folder = shot.folder / "mattes"
    write_png(folder / "objects-0a1b2c3d/0001.png", picture(1))
    write_png(folder / "objects-00000000/0001.png", picture(1))
    (folder / "objects-00000000/notes.txt").write_text("mine")
    shot.manifest.matte = "objects-ffffffff"
    plan_of(part, shot).settle(shot)
    assert set(files(folder)) == {"objects-00000000/notes.txt"}
    assert not (folder / "objects-0a1b2c3d").exists()


def test_mattes_that_a_killed_capture_left_are_deleted_by_the_next(shot: Any, part: Part) -> None:
    matte = shot.folder / "mattes/objects-0a1b2c3d/0001.png"
    write_png(matte, picture(1))
    plan_of(part, shot).settle(shot)
    assert not matte.parent.exists()


def test_mattes_that_are_not_complete_yet_stay(shot: Any, part: Part) -> None:
    matte = shot.folder / "mattes/objects-0a1b2c3d/0001.png"
    write_png(matte, picture(1))
    plan_of(part, shot, "objects-0a1b2c3d").settle(shot)
    assert matte.is_file() and shot.manifest.matte == ""
