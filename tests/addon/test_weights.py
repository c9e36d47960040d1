# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights of keyframes: animated in the scene, and what of them reaches the shot."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from conftest import picture, write_png

Part = Callable[[str], Any]


def curves(scene: Any, part: Part) -> dict[int, dict[int, float]]:
    return part("keyframes.weights").sampled(scene, [1, 2, 3])


def animate(scene: Any, key: int, values: dict[int, float]) -> None:
    row = scene.paintover.keyframes[str(key)]
    for frame, value in values.items():
        row.weight = value
        assert row.keyframe_insert("weight", frame=frame)


def test_a_keyframe_gets_a_weight_and_keeps_its_place(scene: Any, shot: Any, part: Part) -> None:
    bpy.ops.paintover.keyframe_add(frame=3)
    bpy.ops.paintover.keyframe_add(frame=1)
    rows = scene.paintover.keyframes
    assert [row.name for row in rows] == ["3", "1"]
    assert rows["1"].weight == 1
    rows["3"].weight = 0.25
    bpy.ops.paintover.keyframe_remove(frame=3)
    bpy.ops.paintover.keyframe_add(frame=3)
    bpy.ops.paintover.keyframe_add(frame=2)
    assert [row.name for row in rows] == ["3", "1", "2"]
    assert curves(scene, part) == {3: {3: 0.25}, 1: {1: 1}, 2: {2: 1}}


def test_an_animated_weight_reaches_the_shot(scene: Any, shot: Any, part: Part) -> None:
    for frame in (3, 1):
        bpy.ops.paintover.keyframe_add(frame=frame)
    animate(scene, 1, {1: 1.0, 3: 0.0})
    for row in part("keyframes.weights").fcurves(scene).values():
        for point in row.keyframe_points:
            point.interpolation = "LINEAR"
    scene.frame_set(2)
    assert scene.paintover.keyframes["1"].weight == pytest.approx(0.5)
    assert curves(scene, part) == {3: {3: 1}, 1: {1: 1, 2: 0.5, 3: 0}}
    part("keyframes.weights").write(scene, part("steps").open_shot(scene))
    assert part("steps").open_shot(scene).manifest.weights == {1: {1: 1, 2: 0.5, 3: 0}}
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    assert curves(bpy.context.scene, part)[1] == {1: 1, 2: 0.5, 3: 0}


def test_a_muted_curve_and_a_linked_scene(
    scene: Any, shot: Any, part: Part, tmp_path: Path
) -> None:
    bpy.ops.paintover.keyframe_add(frame=1)
    animate(scene, 1, {1: 1.0, 3: 0.0})
    scene.paintover.keyframes["1"].weight = 0.75
    for row in part("keyframes.weights").fcurves(scene).values():
        row.mute = True
    assert curves(scene, part) == {1: {1: 0.75}}
    path = tmp_path / "library.blend"
    bpy.data.libraries.write(str(path), {scene})
    with bpy.data.libraries.load(str(path), link=True) as (inside, chosen):
        chosen.scenes = inside.scenes[:1]
    linked = chosen.scenes[0]
    part("keyframes.weights").add_rows(linked, [1, 2])
    assert [row.name for row in linked.paintover.keyframes] == ["1"]


def stylized_shot(shot: Any, part: Part) -> None:
    """Pretend six frames of which the fifth jumps, stylized with a style that carries paint."""
    manifest = part("engine.shared.manifest")
    for frame in (4, 5, 6):
        write_png(shot.image_path(frame), picture(frame))
        digest = part("engine.shared.pictures.digests").digest_picture(shot.image_path(frame))
        shot.manifest.frames[frame] = manifest.FrameRecord(image=digest)
    write_png(shot.key_path(1), picture(1, seed=3))
    shot.save()
    header = part("engine.shared.style_header").StyleHeader(
        "fast", ["colour", "projection"], 10, {1: shot.key_digest(1)}, steps=1
    )
    write_style(shot, part, header)
    for frame in shot.frames:
        write_png(shot.out_path("style", frame), picture(frame, seed=5))
        record = part("engine.shared.freshness").expected_out_record(
            shot, "style", header, frame, shot.out_path("style", frame).name, "png 8"
        )
        shot.write_out_record("style", frame, record)
    unsteady = part("engine.shared.flicker_records")
    for frame in shot.frames[1:]:
        flicker = unsteady.Flicker(9.0 if frame in (5, 6) else 2.0 + frame / 100, 1.0)
        unsteady.write_flicker(shot, "style", frame, flicker)


def write_style(shot: Any, part: Part, header: Any) -> None:
    text = json.dumps({"__metadata__": header.to_metadata()}).encode()
    data = struct.pack("<Q", len(text)) + text
    part("engine.shared.files").write_bytes(shot.style_path("style"), data)


def test_light_and_weights_count_for_what_is_out_of_date(scene: Any, shot: Any, part: Part) -> None:
    stylized_shot(shot, part)
    part("keyframes.weights").add_rows(scene, [1])

    def why() -> str:
        return part("states").look(scene).steps["stylize"].why

    assert why() == "6 frames"
    scene.paintover.light = 0.3
    assert why() == "6 of 6 frames to do"
    scene.paintover.light = 0.5
    animate(scene, 1, {4: 1.0, 6: 0.0})
    assert why() == "2 of 6 frames to do"


def test_the_unsteady_frames_are_gone_through(scene: Any, shot: Any, part: Part) -> None:
    stylized_shot(shot, part)
    assert part("states").look(scene).unsteady == (5, 6)
    for expected in (5, 6, 5):
        assert bpy.ops.paintover.go_to_unsteady() == {"FINISHED"}
        assert scene.frame_current == expected
    part("engine.shared.files").write_bytes(shot.out_record_path("style", 6), b"gone")
    assert part("states").look(scene).unsteady == (5,)
    shot.out_path("style", 4).unlink()
    assert bpy.ops.paintover.go_to_unsteady() == {"CANCELLED"}
