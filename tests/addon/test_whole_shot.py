# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture never breaks or shrinks the shot, and never makes a blank keyframe a painting."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import HEIGHT, WIDTH, picture, read_codes, write_png

Part = Callable[[str], Any]


@pytest.fixture
def folder(part: Part, scene: Any) -> Path:
    """The shot folder, with the frames 1 to 3 captured."""
    bpy.ops.paintover.capture()
    return Path(part("properties").shot_folder(scene))


def state(part: Part, scene: Any) -> dict[str, str]:
    snapshot = part("states").look(scene)
    return {name: step.step.value for name, step in snapshot.steps.items()} | {
        f"key {frame}": text for frame, text in snapshot.keyframes.items()
    }


def frames(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "frames").iterdir())}


def paint(folder: Path, frame: int) -> None:
    codes = read_codes(folder / f"frames/{frame:04d}.png")
    write_png(folder / f"keys/{frame:04d}.png", (255 - codes[..., [2, 0, 1, 3]]) / 255)


def smaller(scene: Any) -> None:
    scene.render.resolution_percentage = 50


def larger(scene: Any) -> None:
    scene.render.resolution_x, scene.render.resolution_y = 640, 360


def other_view(scene: Any) -> None:
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.exposure = 1.5


@pytest.mark.parametrize("change", [smaller, larger, other_view])
def test_a_cancelled_capture_leaves_the_shot_and_the_next_goes_on(
    scene: Any, folder: Path, part: Part, change: Callable[[Any], None]
) -> None:
    bpy.ops.paintover.keyframe_add(frame=2)
    before, manifest = frames(folder), json.loads((folder / "shot.json").read_text())
    change(scene)
    job = part("capture").capture(scene, folder, [1, 2, 3])
    assert [next(job).text for _ in range(3)] == ["Frame 1", "Frame 2", "Frame 3"]
    job.close()
    assert frames(folder) == before
    assert json.loads((folder / "shot.json").read_text()) == manifest
    assert part("states").look(scene).steps["capture"].why == "The render settings have changed"

    job = part("capture").capture(scene, folder, [1, 2, 3])
    assert next(job).text == "Frame 3"
    with pytest.raises(StopIteration) as end:
        while True:
            next(job)
    assert (end.value.value.rendered, end.value.value.warnings) == ([1, 2, 3], [])
    assert state(part, scene)["capture"] == "up to date"
    assert not (folder / "capture").exists()
    assert set(frames(folder)) == set(before)
    pictures = [name for name in before if name.endswith(".png")]
    assert all(frames(folder)[name] != before[name] for name in pictures)
    assert state(part, scene)["key 2"] == "Not painted yet"
    assert (folder / "keys/0002.png").read_bytes() == frames(folder)["0002.png"]


def test_settings_changed_back_after_a_cancel_leave_nothing_to_do(
    scene: Any, folder: Path, part: Part
) -> None:
    smaller(scene)
    job = part("capture").capture(scene, folder, [1, 2, 3])
    next(job), next(job)
    job.close()
    assert (folder / "capture/frames/0001.png").is_file()
    scene.render.resolution_percentage = 100
    assert state(part, scene)["capture"] == "up to date"
    before = frames(folder)
    bpy.ops.paintover.capture()
    assert frames(folder) == before
    assert not (folder / "capture").exists()


def test_a_cancelled_forced_capture_leaves_no_mix_of_old_and_new_frames(
    scene: Any, folder: Path, part: Part
) -> None:
    before = frames(folder)
    bpy.data.objects["Cube"].rotation_euler.z = 0.4
    job = part("capture").capture(scene, folder, [1, 2, 3], force=True)
    next(job), next(job), next(job)
    job.close()
    assert frames(folder) == before
    bpy.ops.paintover.capture(force=True)
    assert all(frames(folder)[name] != data for name, data in before.items())
    assert not (folder / "capture").exists()


def test_frames_of_the_old_size_that_leave_the_shot_are_told(
    scene: Any, folder: Path, part: Part
) -> None:
    smaller(scene)
    job = part("capture").capture(scene, folder, [2])
    with pytest.raises(StopIteration) as end:
        while True:
            next(job)
    (warning,) = end.value.value.warnings
    assert warning.startswith("Frames 1, 3 left the shot")


def test_capturing_an_unchanged_scene_again_changes_nothing(
    scene: Any, folder: Path, part: Part
) -> None:
    bpy.ops.paintover.keyframe_add(frame=1)
    paint(folder, 1)
    shot = part("steps").open_shot(scene)
    digests = [shot.frame_digest(frame) for frame in (1, 2, 3)], shot.key_digest(1)
    records = json.loads((folder / "shot.json").read_text())["frames"]
    bpy.ops.paintover.capture(force=True)
    again = part("steps").open_shot(scene)
    assert ([again.frame_digest(frame) for frame in (1, 2, 3)], again.key_digest(1)) == digests
    assert json.loads((folder / "shot.json").read_text())["frames"] == records


def test_a_blank_keyframe_stays_blank_and_follows_the_frame(
    scene: Any, folder: Path, part: Part
) -> None:
    bpy.ops.paintover.keyframe_add(frame=1)
    bpy.ops.paintover.keyframe_add(frame=2)
    paint(folder, 2)
    painting = (folder / "keys/0002.png").read_bytes()
    for angle in (0.3, 0.6):
        bpy.data.objects["Cube"].rotation_euler.z = angle
        bpy.ops.paintover.capture(force=True)
        assert state(part, scene)["key 1"] == "Not painted yet"
        assert (folder / "keys/0001.png").read_bytes() == frames(folder)["0001.png"]
        assert state(part, scene)["key 2"] == "Painted"
        assert (folder / "keys/0002.png").read_bytes() == painting
    assert not (folder / "keys/versions").exists()


def test_a_painting_that_is_saved_during_a_capture_stays(
    scene: Any, folder: Path, part: Part, monkeypatch: pytest.MonkeyPatch
) -> None:
    bpy.ops.paintover.keyframe_add(frame=1)
    frame_files = part("capture.frames")
    save = frame_files.save

    def save_and_paint(*arguments: Any) -> Any:
        names = save(*arguments)
        paint(folder, 1)
        return names

    monkeypatch.setattr(frame_files, "save", save_and_paint)
    (folder / "frames/0001.png").unlink()
    bpy.ops.paintover.capture()
    monkeypatch.undo()
    painting = (folder / "keys/0001.png").read_bytes()
    assert painting != frames(folder)["0001.png"]
    assert state(part, scene)["key 1"] == "Painted"


def test_more_frames_than_are_read_again_are_told_before_one_is_rendered(
    scene: Any, folder: Path, part: Part
) -> None:
    before = (folder / "shot.json").read_bytes()
    job = part("capture").capture(scene, folder, list(range(1, 60_000)))
    with pytest.raises(Exception, match="too long to be read again"):
        next(job)
    assert (folder / "shot.json").read_bytes() == before


def test_unsaved_paint_on_a_blank_keyframe_is_not_lost_by_a_capture(
    scene: Any, folder: Path, part: Part
) -> None:
    bpy.ops.paintover.keyframe_add(frame=1)
    bpy.ops.paintover.keyframe_open(frame=1)
    image = next(image for image in bpy.data.images if image.name == "Keyframe 1")
    pixels = picture(1, seed=7)
    image.pixels.foreach_set(np.ascontiguousarray(pixels).ravel())
    image.update()
    bpy.data.objects["Cube"].rotation_euler.z = 0.4
    bpy.ops.paintover.capture(force=True)
    assert state(part, scene)["key 1"] == "Painted"
    codes = read_codes(folder / "keys/0001.png")
    assert codes.shape[:2] == (HEIGHT, WIDTH)
    np.testing.assert_array_equal(codes, np.rint(pixels * 255).astype(np.int64))


def test_frames_of_another_version_of_blender_stay_up_to_date(
    scene: Any, folder: Path, part: Part
) -> None:
    manifest = json.loads((folder / "shot.json").read_text())
    ((digest, settings),) = manifest["source"]["settings"].items()
    other = {**settings, "blender": [4, 3], "engine": {**settings["engine"], "of_then": 1}}
    for name in ("sample_clamp_direct", "use_denoising"):
        other["engine"].pop(name, None)
    named = part("engine.shared.files").digest_json(other)
    assert named != digest
    manifest["source"]["settings"] = {named: other}
    for record in manifest["frames"].values():
        record["settings"] = named
    (folder / "shot.json").write_text(json.dumps(manifest))
    assert state(part, scene)["capture"] == "up to date"
    (folder / "frames/0002.exr").unlink()
    job = part("capture").capture(scene, folder, [1, 2, 3])
    with pytest.raises(StopIteration) as end:
        while True:
            next(job)
    assert end.value.value.rendered == [2]
    assert state(part, scene)["capture"] == "up to date"
    scene.cycles.samples = 7
    assert state(part, scene)["capture"] == "out of date"


def test_frames_of_an_earlier_version_are_not_rendered_again(
    scene: Any, folder: Path, part: Part
) -> None:
    manifest = json.loads((folder / "shot.json").read_text())
    digest_file = part("engine.shared.files").digest_file
    for name, record in manifest["frames"].items():
        record["image"] = digest_file(folder / f"frames/{int(name):04d}.png")
        record["passes"] = digest_file(folder / f"frames/{int(name):04d}.exr")
    del manifest["source"]["settings"]
    (folder / "shot.json").write_text(json.dumps(manifest))
    before = frames(folder)
    bpy.ops.paintover.capture()
    assert frames(folder) == before


def test_the_current_frame_changes_no_setting(scene: Any, part: Part) -> None:
    bpy.ops.object.camera_add(location=(0, 0, 6))
    scene.timeline_markers.new("a", frame=1).camera = scene.camera
    scene.timeline_markers.new("b", frame=2).camera = bpy.context.object
    for frame, exposure in ((1, 0.0), (3, 1.0)):
        scene.view_settings.exposure = exposure
        scene.view_settings.keyframe_insert("exposure", frame=frame)
    scene.frame_set(1)
    bpy.ops.paintover.capture()
    for frame in (2, 3):
        scene.frame_set(frame)
        assert state(part, scene)["capture"] == "up to date"


def test_captured_files_name_no_path_and_no_date(scene: Any, part: Part) -> None:
    names = [p.identifier for p in scene.render.bl_rna.properties if "use_stamp" in p.identifier]
    for name in names:
        setattr(scene.render, name, True)
    scene.render.stamp_note_text = "a note of mine"
    bpy.ops.paintover.capture()
    assert all(getattr(scene.render, name) for name in names)
    folder = Path(part("properties").shot_folder(scene))
    for path in sorted((folder / "frames").iterdir()):
        data = path.read_bytes()
        for private in (b"my shot", b".blend", b"a note of mine", b"RenderTime", b"Hostname"):
            assert private not in data, (path.name, private)
        assert not re.search(rb"20\d\d[/:-]\d\d[/:-]\d\d", data), path.name
