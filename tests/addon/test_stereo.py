# SPDX-License-Identifier: GPL-3.0-or-later
"""Stereoscopy: the captured view shows the painting, the others show their own render."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import blender_dumps
import bpy
import numpy as np
import numpy.typing as npt
import pytest
from compositor_checks import Part, assert_shows, compose, painted, remove, shot_of, state
from compositor_kinds import IS_5
from conftest import picture, read_codes, write_png
from test_compositor import render

Codes = npt.NDArray[np.int64]
OTHER_VIEWS = "Stereoscopy or its views have changed"


@pytest.fixture
def stylized(scene: Any, shot: Any) -> Any:
    """The shot, stylized, of a scene whose left eye is the camera itself."""
    for frame in shot.frames:
        write_png(shot.out_path("style", frame), picture(frame, seed=7))
    _use_stereo(scene)
    return shot


def _use_stereo(scene: Any) -> None:
    scene.render.use_multiview = True
    scene.render.image_settings.views_format = "INDIVIDUAL"
    scene.render.dither_intensity = 0
    scene.view_settings.view_transform = "Standard"


def _use_cameras(scene: Any) -> Any:
    """Give the views left, right and third a camera of their own; return that of the right one."""
    scene.render.views_format = "MULTIVIEW"
    scene.camera.name = "Rig_L"
    for end in "TR":
        other = scene.camera.copy()
        other.name = f"Rig_{end}"
        other.location.x += 1
        scene.collection.objects.link(other)
    return other


def _eyes(scene: Any, frame: int, folder: Path) -> dict[str, Codes]:
    """Render a frame; return the codes of each view's file by the end of its name."""
    with pytest.raises(RuntimeError, match=r"eye\.png"):
        render(scene, frame, folder / "eye.png")
    files = sorted(folder.glob("eye_*.png"))
    codes = {path.stem[-1]: read_codes(path) for path in files}
    for path in files:
        path.unlink()
    return codes


def _assert_render(found: Codes, plain: Codes) -> None:
    assert np.abs(found - plain).max() <= 1


@pytest.mark.parametrize("pivot", ["LEFT", "RIGHT"])
@pytest.mark.parametrize("view", ["Standard", "AgX"])
def test_the_other_eye_shows_its_own_render(
    scene: Any, tmp_path: Path, part: Part, view: str, pivot: str
) -> None:
    """At a usual size, also in a .blend that is opened again."""
    size = (480, 270)
    scene.render.resolution_x, scene.render.resolution_y = size
    shot = shot_of(part, scene, [1, 2], size)
    _use_stereo(scene)
    scene.view_settings.view_transform = view
    scene.camera.data.stereo.pivot = pivot
    ours, other = ("L", "R") if pivot == "LEFT" else ("R", "L")
    plain = {frame: _eyes(scene, frame, tmp_path) for frame in (2, 3)}
    assert np.abs(plain[2]["L"] - plain[2]["R"]).max() > 50
    if not IS_5:
        scene.use_nodes = True  # makes a tree, which stays
    before = blender_dumps.scene(scene)
    said = part("steps").compose(scene)
    names = ("left", "right") if pivot == "LEFT" else ("right", "left")
    wanted = "only the view {} shows the painting, the view {} shows the render".format(*names)
    assert wanted in said
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    scene = bpy.context.scene
    assert state(part, scene, shot)[0] == "up to date"
    eyes = _eyes(scene, 2, tmp_path)
    np.testing.assert_array_equal(eyes[ours], painted(shot, 2))
    _assert_render(eyes[other], plain[2][other])
    eyes = _eyes(scene, 3, tmp_path)  # is not stylized
    for eye in "LR":
        _assert_render(eyes[eye], plain[3][eye])
    remove()
    assert blender_dumps.differences_after_render(before, blender_dumps.scene(scene)) == []


def test_changed_views_are_noticed(scene: Any, stylized: Any, tmp_path: Path, part: Part) -> None:
    settings = scene.render
    compose()
    assert state(part, scene, stylized)[0] == "up to date"
    settings.use_multiview = False
    assert state(part, scene, stylized) == ("out of date", OTHER_VIEWS)
    compose()
    assert_shows(scene, stylized, tmp_path)
    settings.use_multiview = True
    assert state(part, scene, stylized) == ("out of date", OTHER_VIEWS)
    compose()
    settings.views["right"].use = False
    assert state(part, scene, stylized) == ("out of date", OTHER_VIEWS)
    compose()
    eyes = _eyes(scene, 2, tmp_path)
    assert list(eyes) == ["L"]
    np.testing.assert_array_equal(eyes["L"], painted(stylized, 2))


def test_renamed_views_are_noticed(scene: Any, stylized: Any, tmp_path: Path, part: Part) -> None:
    _use_cameras(scene)
    views = scene.render.views
    plain = _eyes(scene, 2, tmp_path)
    compose()
    views["right"].name = "starboard"  # shows the render under any name
    views.new("third").camera_suffix = "_T"
    assert state(part, scene, stylized)[0] == "up to date"
    stylized.manifest.frames[4] = stylized.manifest.frames[3]
    stylized.save()
    write_png(stylized.out_path("style", 4), picture(4, seed=7))
    part("compositor").refresh(scene, stylized)
    eyes = _eyes(scene, 2, tmp_path)
    np.testing.assert_array_equal(eyes["L"], painted(stylized, 2))
    _assert_render(eyes["R"], plain["R"])
    views["left"].name = "port"
    assert state(part, scene, stylized) == ("out of date", OTHER_VIEWS)
    compose()
    assert state(part, scene, stylized)[0] == "up to date"
    eyes = _eyes(scene, 2, tmp_path)
    np.testing.assert_array_equal(eyes["L"], painted(stylized, 2))
    _assert_render(eyes["R"], plain["R"])


def test_no_view_shows_the_captured_picture(scene: Any, stylized: Any, part: Part) -> None:
    compose()
    views, eyes = scene.render.views, scene.camera.data.stereo
    views["left"].use = False
    why = 'The view "left", which shows the captured picture, is not rendered'
    assert state(part, scene, stylized)[1].startswith(why)
    with pytest.raises(RuntimeError, match="switch it on under Stereoscopy"):
        compose()
    views["left"].use = True
    eyes.pivot = "CENTER"
    with pytest.raises(RuntimeError, match="set Pivot to Left or Right"):
        compose()
    eyes.pivot, eyes.use_spherical_stereo = "LEFT", True
    with pytest.raises(RuntimeError, match="turn Spherical Stereo off"):
        compose()
    eyes.use_spherical_stereo = False
    assert state(part, scene, stylized)[0] == "up to date"
    scene.render.views_format = "MULTIVIEW"
    scene.camera.name = "Rig_L"
    other = scene.camera.copy()
    other.name = "Rig_M"
    scene.collection.objects.link(other)
    views["left"].camera_suffix = "_M"
    views["right"].camera_suffix = "_L"
    assert part("stereo").captured(scene) == ["right"]
    views["right"].use = False
    views.new("third").camera_suffix = "_M"
    with pytest.raises(RuntimeError, match='"right", which shows the captured picture'):
        compose()


def test_views_of_one_camera_all_show_the_painting(
    scene: Any, stylized: Any, tmp_path: Path, part: Part
) -> None:
    scene.render.views_format = "MULTIVIEW"
    assert "only" not in part("steps").compose(scene)
    for codes in _eyes(scene, 2, tmp_path).values():
        np.testing.assert_array_equal(codes, painted(stylized, 2))
    stylized.manifest.source = {"kind": "pictures"}
    stylized.save()
    _use_cameras(scene)
    compose()
    for codes in _eyes(scene, 2, tmp_path).values():
        np.testing.assert_array_equal(codes, painted(stylized, 2))


def test_each_eye_is_painted_from_a_scene_of_its_own(
    scene: Any, tmp_path: Path, part: Part
) -> None:
    """The way out that Compose names, with views that the other scene calls differently."""
    _use_stereo(scene)
    right = _use_cameras(scene)
    bpy.ops.scene.new(type="LINK_COPY")
    copy: Any = bpy.context.scene
    copy.camera, copy.paintover.folder = right, "//right eye"
    copy.render.views["left"].name = "port"
    shots = {}
    for number, (holder, view) in enumerate(((scene, "left"), (copy, "right"))):
        folder = part("properties").shot_folder(holder)
        list(part("capture").capture(holder, folder, [2]))
        shot = part("engine.shared.shot").Shot.open(folder)
        assert shot.manifest.source["views"] == [view]
        write_png(shot.out_path("style", 2), picture(2, seed=number))
        shots[view] = shot
    plain = _eyes(copy, 2, tmp_path)
    assert np.abs(plain["L"] - plain["R"]).max() > 50
    for holder, view in ((scene, "left"), (copy, "right")):
        notes = part("compositor").compose(holder, shots[view], "style")  # copy is the context's
        assert any(f"only the view {view} shows the painting" in note for note in notes)
    for holder, view in ((scene, "left"), (copy, "right")):
        bpy.context.window.scene = holder
        eyes = _eyes(holder, 2, tmp_path)
        ours, other = ("L", "R") if view == "left" else ("R", "L")
        np.testing.assert_array_equal(eyes[ours], painted(shots[view], 2))
        _assert_render(eyes[other], plain[other])


def test_capture_says_which_view_it_takes(scene: Any, part: Part) -> None:
    notes = part("capture.notes").of_scene
    layer = scene.view_layers[0]
    assert notes(scene, layer) == []
    scene.render.use_multiview = True
    assert notes(scene, layer) == ["Stereo: left was captured; right will show the render."]
    scene.camera.data.stereo.pivot = "CENTER"
    assert "set Pivot to Left or Right" in notes(scene, layer)[0]
    scene.render.views_format = "MULTIVIEW"
    assert notes(scene, layer) == []
