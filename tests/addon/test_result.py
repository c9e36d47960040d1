# SPDX-License-Identifier: GPL-3.0-or-later
"""The result: compared with the render, repainted, and shown anew when its files change."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import WIDTH, picture, read_codes, write_png
from test_compositor import render

Part = Callable[[str], Any]


@pytest.mark.parametrize("view", ["Standard", "AgX"])
def test_compare_shows_the_render_on_the_left(
    scene: Any, stylized: Any, tmp_path: Path, part: Part, view: str
) -> None:
    scene.view_settings.view_transform = view
    scene.render.dither_intensity = 0
    plain = render(scene, 2, tmp_path / "plain.png")
    bpy.ops.paintover.compose()
    painted = read_codes(stylized.out_path("style", 2))
    node = part("compositor").node(scene)
    for share in (0.0, 0.25, 1.0):
        node.inputs["Compare"].default_value = share
        shown = render(scene, 2, tmp_path / "shown.png")
        edge = round(share * WIDTH)
        assert np.array_equal(shown[:, edge:], painted[:, edge:])
        assert np.abs(shown[:, :edge] - plain[:, :edge]).max(initial=0) <= 1
    state = part("compositor").state(scene, stylized, "style")
    assert state.step.value == "up to date"
    assert "its left 100% show the render" in state.why


def test_a_node_of_an_earlier_version_gets_compare(scene: Any, stylized: Any, part: Part) -> None:
    bpy.ops.paintover.compose()
    group = part("compositor").node(scene).node_tree
    group.interface.remove(group.interface.items_tree["Compare"])
    bpy.ops.paintover.compose()
    assert part("compositor").node(scene).inputs["Compare"].default_value == 0


def test_repainting_starts_from_the_result_and_keeps_what_is_painted(
    scene: Any, stylized: Any, part: Part
) -> None:
    scene.frame_set(2)
    assert bpy.ops.paintover.keyframe_repaint() == {"FINISHED"}
    shot = part("steps").open_shot(scene)
    assert shot.key_frames() == [2]
    assert np.array_equal(read_codes(shot.key_path(2)), read_codes(shot.out_path("style", 2)))
    assert shot.painted_keys() == []  # nothing is learnt from a result that nobody changed
    write_png(shot.key_path(2), picture(2, seed=9))
    mine = shot.key_path(2).read_bytes()
    assert shot.painted_keys() == [2]
    bpy.ops.paintover.keyframe_repaint()
    bpy.ops.paintover.keyframe_remove(frame=2)
    bpy.ops.paintover.keyframe_repaint()
    assert shot.key_path(2).read_bytes() == mine
    assert part("steps").open_shot(scene).painted_keys() == [2]


def test_repainting_starts_from_the_render_where_that_is_asked_for(
    scene: Any, stylized: Any, part: Part
) -> None:
    bpy.ops.paintover.keyframe_repaint(frame=1, base="RENDER")
    stylized.out_path("style", 3).unlink()
    bpy.ops.paintover.keyframe_repaint(frame=3)
    shot = part("steps").open_shot(scene)
    for frame in (1, 3):
        assert np.array_equal(read_codes(shot.key_path(frame)), read_codes(shot.image_path(frame)))
    with pytest.raises(RuntimeError, match="Frame 9 is not in the shot"):
        bpy.ops.paintover.keyframe_repaint(frame=9)


def test_new_frames_are_new_until_they_are_played(scene: Any, stylized: Any, part: Part) -> None:
    module, states, new = part("next_step"), part("states"), part("new_results")
    snapshot = states.look(scene)
    assert not module.facts(scene, snapshot, "").has_new_result
    new.note_painted(stylized, "style")
    assert module.facts(scene, snapshot, "").has_new_result
    scene.paintover.style = "other"
    assert not module.facts(scene, snapshot, "").has_new_result
    scene.paintover.style = "style"
    bpy.ops.paintover.result_play()
    assert not module.facts(scene, snapshot, "").has_new_result


def test_without_stylized_frames_the_way_out_is_told(scene: Any, shot: Any) -> None:
    for operator in (bpy.ops.paintover.result_play, bpy.ops.paintover.result_folder):
        with pytest.raises(
            RuntimeError, match=r"There are no stylized frames in .*; stylize first"
        ):
            operator()
    write_png(shot.out_path("style", 1), picture(1))
    assert bpy.ops.paintover.result_folder() == {"FINISHED"}
    scene.paintover.format = "exr"
    with pytest.raises(RuntimeError, match="are PNG, but File Format is OpenEXR; change it"):
        bpy.ops.paintover.result_play()


def test_frames_that_change_on_the_disk_are_read_again(
    scene: Any, stylized: Any, part: Part
) -> None:
    bpy.ops.paintover.compose()
    follow, states = part("compositor").follow, part("states")
    image = part("compositor.group").image_of(part("compositor").node(scene).node_tree)

    def tick() -> bool:
        """Follow as the panels' watcher does; return whether the image was read again."""
        looked = states.look(scene)
        read = []
        reload = part("compositor.sequences").reload
        part("compositor.sequences").reload = lambda changed, of: (
            read.append(changed),
            reload(changed, of),
        )
        try:
            follow(scene, looked.shot, looked.stylized["png"], looked.stylized_at)
        finally:
            part("compositor.sequences").reload = reload
        return image in read

    tick()
    assert not tick()
    new = stylized.out_path("style", 2).with_name(".new.png")
    write_png(new, picture(2, seed=11))
    new.replace(stylized.out_path("style", 2))
    assert tick()
    assert not tick()
