# SPDX-License-Identifier: GPL-3.0-or-later
"""A .blend from a stranger: whatever its properties hold, no timer stops and no command raises."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest
from compositor_checks import compose, remove, state, tree_of
from keyframe_paint import paint

STRANGE = (
    *("", "no JSON", "[" * 100_000, "[1, 2]", "{}", '{"a": NaN}', '"x"', "7", '{"settings": 1}'),
    '{"style": "../x", "suffix": ".png", "frames": "1", "view": {}}',
    '{"style": "ink", "suffix": ".png", "frames": "x", "view": {}}',
    '{"style": "ink", "suffix": ".sh", "frames": "1", "view": {"gamma": 1e999}}',
    *(5, 1.5, [1, 2], {"a": 1}),
)


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: repr(value)[:24])
def test_strange_properties_stop_no_timer_and_no_step(
    scene: Any, stylized: Any, part: Callable[[str], Any], value: Any
) -> None:
    compose()
    node = next(item for item in tree_of(scene).nodes if item.type == "GROUP")
    marks = part("compositor.marks")
    node.node_tree[marks.GROUP] = value
    node[marks.LINKS] = node[marks.OUTPUT] = value
    scene["paintover_before_capture"] = scene["paintover_kept_caches"] = value
    scene["paintover_before_matte"] = value
    scene.paintover.before_compose = value if isinstance(value, str) else "7"
    scene.paintover.keyframes.add().name = str(value)[:60]
    watcher = part("ui.watcher")
    watcher.refresh()
    assert watcher._watcher.tick() > 0
    part("capture.scene_state").restore(scene)
    part("capture.simulations").release(scene)
    part("capture.matte_pass").release(scene)
    kept = ("before_capture", "kept_caches", "before_matte")
    assert not [name for name in kept if f"paintover_{name}" in scene]
    assert state(part, scene, stylized)[1]
    compose()
    assert state(part, scene, stylized)[0] == "up to date"
    remove()
    assert not [item for item in bpy.data.node_groups if marks.GROUP in item]


def test_a_timer_that_fails_goes_on(
    scene: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = part("ui.watcher")

    def fail() -> float:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(watcher._watcher, "tick", fail)
    assert watcher._tick() > 0


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_in_a_circle_stops_no_saving_of_paint(
    scene: Any, shot: Any, tmp_path: Path, part: Callable[[str], Any]
) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for source in ("FILE", "SEQUENCE"):
        image: Any = bpy.data.images.new(f"A {source}", 4, 4)
        image.source, image.filepath = source, str(tmp_path / "circle" / "0001.png")
        image.use_fake_user = True
    bpy.ops.paintover.keyframe_add(frame=1)
    images, canvases = part("keyframes.images"), part("live.canvases")
    painting = images.load(shot, 1)
    assert canvases.KeyframeImages(shot).paintings() == {1: painting}
    assert part("compositor.sequences").find(shot.out_path("ink", 1).parent) is None
    watcher = part("ui.watcher")
    watcher.refresh()
    assert watcher._watcher.tick() > 0
    paint(painting, 1.0)
    bpy.ops.wm.save_mainfile()
    assert not painting.is_dirty and shot.key_is_painted(1)


@pytest.mark.skipif(os.name == "nt", reason="Windows says that there is no such file")
def test_a_shot_folder_that_the_disk_cannot_tell_of_is_said_in_the_panel(
    scene: Any, tmp_path: Path, part: Callable[[str], Any]
) -> None:
    polls, watcher, sequences = part("operators.polls"), part("ui.watcher"), "compositor.sequences"
    scene.paintover.folder = str(tmp_path / ("x" * 300))
    assert polls.has_shot(bpy.context) == "Capture the shot first"
    path = str(tmp_path / ("x" * 300) / "out/ink/0001.png")
    image = SimpleNamespace(source="SEQUENCE", filepath=path, library=None)
    assert part(sequences).shot_folder(image) is None
    for shot_id, words in (("", "File name too long"), ("1" * 16, "is gone")):
        scene.paintover.shot_id = shot_id
        assert words in part("states").look(scene).steps["capture"].why
        watcher.refresh()
        watcher._watcher.tick()
        watcher._watcher._thread.join()
        watcher._watcher.tick()
        assert words in watcher.current()[0].steps["capture"].why


def test_files_that_cannot_be_read_are_said_in_the_panel(
    scene: Any, shot: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    states = part("states")

    def refused(shot: Any, style: str) -> dict[int, str]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(states, "_keyframe_states", refused)
    assert "Permission denied" in states.look(scene).steps["capture"].why


@pytest.mark.parametrize("last", (2**31 - 1, 1048574))
def test_a_range_without_end_takes_no_time(
    scene: Any, shot: Any, part: Callable[[str], Any], last: int
) -> None:
    shot.manifest.source["kind"] = "blender"
    shot.save()
    settings = scene.paintover
    settings.use_custom_range, settings.frame_start, settings.frame_end = True, -last, last
    watcher = part("ui.watcher")
    began = time.process_time()
    watcher.refresh()
    for _ in range(3):
        watcher._watcher.tick()
        if watcher._watcher._thread:
            watcher._watcher._thread.join()
    with pytest.raises(RuntimeError, match=r"last frame|too long to be read"):
        bpy.ops.paintover.capture()
    assert time.process_time() - began < 1.0
    snapshot, message = watcher.current()
    assert "last frame" in message or "frames to capture" in snapshot.steps["capture"].why


KINDS = (5, 1.5, True, "x", b"\xff", [1, 2], {"a": 1}, [{"a": 1}])


@pytest.mark.parametrize("value", KINDS, ids=lambda value: repr(value)[:24])
def test_what_a_capture_would_put_back_may_be_of_any_kind(
    scene: Any, part: Callable[[str], Any], value: Any
) -> None:
    cube, world = bpy.data.objects["Cube"], bpy.data.worlds.new("Own")
    scene.world = world
    scene["paintover_before_capture"] = scene["paintover_before_matte"] = "{}"
    scene["paintover_kept_caches"] = "[]"
    scene["paintover_matte_world"] = scene["paintover_matte_background_set"] = value
    for name in ("colour", "hidden", "held_out", "size"):
        cube[f"paintover_{name}"] = value
    cube.data["paintover_material_indices"] = value
    for _ in range(2):
        material = bpy.data.materials.new("paintover_capture")
        material["paintover_stands_for"] = value
        cube.data.materials.append(material)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    scene, cube = bpy.context.scene, bpy.data.objects["Cube"]
    for block in (scene, cube, cube.data):
        assert not [name for name in block.keys() if name.startswith("paintover_")]  # noqa: SIM118
    assert list(cube.data.materials) == [None, None]
    assert scene.world.name == "Own"
    scene.frame_end = 1
    assert bpy.ops.paintover.capture() == {"FINISHED"}


@pytest.mark.parametrize("style", ("../../../elsewhere", "/elsewhere", "x" * 5000, "a\nb" * 3000))
def test_a_style_whose_name_leads_elsewhere_is_refused(
    scene: Any, stylized: Any, tmp_path: Path, part: Callable[[str], Any], style: str
) -> None:
    polls, farm = part("operators.polls"), part("farm_export")
    scene.paintover.style = style
    assert "cannot be the name of a style" in polls.has_style(bpy.context)
    assert "cannot be the name of a style" in polls.has_frames_to_compose(bpy.context)
    bpy.ops.paintover.keyframe_add(frame=1)
    paint(part("keyframes.images").load(stylized, 1), 0.5)
    bpy.ops.wm.save_mainfile()
    for name in ("stylize", "compose", "farm_export"):
        options = {"directory": str(tmp_path / "job")} if name == "farm_export" else {}
        with pytest.raises(RuntimeError, match="cannot be the name of a style"):
            getattr(bpy.ops.paintover, name)(**options)
    assert not list((tmp_path / "job").glob("*"))
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="the name of a style"):
        farm.composed_folder(stylized, style)
