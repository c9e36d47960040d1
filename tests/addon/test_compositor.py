# SPDX-License-Identifier: GPL-3.0-or-later
"""What leaves the compositor is what the engine wrote, and at opacity 0 the plain render."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt
import pytest
from conftest import HEIGHT, ROOT, WIDTH, engine_runs, picture, read_codes, write_png

VERSION = bpy.app.version
VIEWS = {
    "standard": {"view_transform": "Standard"},
    "agx": {"view_transform": "AgX"},
    "filmic": {"view_transform": "Filmic"},
    "exposed": {"view_transform": "AgX", "exposure": 0.7, "gamma": 1.3},
    "standard exposed": {"view_transform": "Standard", "exposure": -0.5, "gamma": 0.8},
    "look": {"view_transform": "AgX", "look": "AgX - Punchy"},
}
ONLY_IN_5 = {"look"}


def _set_view(scene: Any, name: str) -> None:
    for key, value in VIEWS[name].items():
        setattr(scene.view_settings, key, value)


@pytest.fixture
def stylized(shot: Any) -> Any:
    """The shot with random stylized frames, each code and alpha."""
    for frame in shot.frames:
        write_png(shot.out_path("style", frame), picture(frame, alpha=True, seed=7))
    return shot


def render(scene: Any, frame: int, path: Path) -> npt.NDArray[np.int64]:
    """Render a frame as the user would, and read the codes of the PNG."""
    image = scene.render.image_settings
    if VERSION >= (5, 0, 0):
        image.media_type = "IMAGE"
    image.file_format, image.color_mode, image.color_depth = "PNG", "RGBA", "8"
    scene.frame_set(frame)
    scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)
    return read_codes(path)


def _colour_the_cube() -> None:
    """Have the cube shine in all colours, some of them brighter than white."""
    material: Any = bpy.data.materials.new("colours")
    if VERSION < (5, 0, 0):
        material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    noise = tree.nodes.new("ShaderNodeTexNoise")
    emission = tree.nodes.new("ShaderNodeEmission")
    output = tree.nodes.new("ShaderNodeOutputMaterial")
    emission.inputs["Strength"].default_value = 1.8
    tree.links.new(noise.outputs["Color"], emission.inputs["Color"])
    tree.links.new(emission.outputs[0], output.inputs[0])
    bpy.data.objects["Cube"].data.materials.append(material)


def _node(part: Callable[[str], Any], scene: Any) -> Any:
    return part("compositor").node(scene)


@pytest.mark.parametrize("view", ["standard", "agx", "exposed"])
def test_stylized_frames_come_out_unchanged(
    scene: Any, stylized: Any, tmp_path: Path, view: str
) -> None:
    _set_view(scene, view)
    assert bpy.ops.paintover.compose() == {"FINISHED"}
    for frame in (1, 3):
        expected = read_codes(stylized.out_path("style", frame))
        expected[expected[..., 3] == 0] = 0
        assert np.array_equal(render(scene, frame, tmp_path / "out.png"), expected)


@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.parametrize("view", VIEWS)
def test_opacity_zero_is_the_plain_render(
    scene: Any,
    stylized: Any,
    tmp_path: Path,
    part: Callable[[str], Any],
    view: str,
    transparent: bool,
) -> None:
    if view in ONLY_IN_5 and VERSION < (5, 0, 0):
        pytest.skip("Blender 4.5 has no node for looks")
    _set_view(scene, view)
    scene.render.film_transparent = transparent
    scene.render.dither_intensity = 0
    scene.cycles.samples = 4
    _colour_the_cube()
    plain = render(scene, 2, tmp_path / "plain.png")
    assert len(np.unique(plain)) > 25
    bpy.ops.paintover.compose()
    _node(part, scene).inputs["Opacity"].default_value = 0.0
    difference = np.abs(render(scene, 2, tmp_path / "composed.png") - plain)
    if transparent or "exposed" in view:
        # The last bits of a division or a power may round to the code beside.
        assert difference.max() <= 1 and np.count_nonzero(difference) < difference.size / 500
    else:
        assert difference.max() == 0


def test_half_opacity_lies_between(
    scene: Any, stylized: Any, tmp_path: Path, part: Callable[[str], Any]
) -> None:
    scene.render.dither_intensity = 0
    plain = render(scene, 2, tmp_path / "plain.png")
    bpy.ops.paintover.compose()
    _node(part, scene).inputs["Opacity"].default_value = 0.5
    half = render(scene, 2, tmp_path / "half.png")
    ends = np.stack([plain, read_codes(stylized.out_path("style", 2))])
    alpha = half[..., 3]
    assert np.all(alpha >= ends[..., 3].min(0) - 1) and np.all(alpha <= ends[..., 3].max(0) + 1)
    assert np.abs(half - plain).max() > 30


def test_use_alpha_lays_the_frames_over_the_render(
    scene: Any, stylized: Any, tmp_path: Path, part: Callable[[str], Any]
) -> None:
    _set_view(scene, "standard")
    plain = render(scene, 2, tmp_path / "plain.png")
    pixels = picture(2, seed=7)
    pixels[:, : WIDTH // 2, 3] = 0
    write_png(stylized.out_path("style", 2), pixels)
    bpy.ops.paintover.compose()
    _node(part, scene).inputs["Use Alpha"].default_value = 1.0
    over = render(scene, 2, tmp_path / "over.png")
    assert np.abs(over - plain)[:, : WIDTH // 2].max() <= 1  # the plain one was dithered
    painted = read_codes(stylized.out_path("style", 2))
    assert np.array_equal(over[:, WIDTH // 2 :], painted[:, WIDTH // 2 :])


def test_frames_outside_of_the_shot_show_the_render(
    scene: Any, stylized: Any, tmp_path: Path
) -> None:
    _set_view(scene, "standard")
    scene.render.dither_intensity = 0
    scene.frame_end = 9
    plain = {frame: render(scene, frame, tmp_path / "plain.png") for frame in (0, 5)}
    bpy.ops.paintover.compose()
    for frame, codes in plain.items():
        assert np.array_equal(render(scene, frame, tmp_path / "out.png"), codes)


def _links(tree: Any) -> set[tuple[str, str, str, str]]:
    return {
        (
            link.from_node.name,
            link.from_socket.identifier,
            link.to_node.name,
            link.to_socket.identifier,
        )
        for link in tree.links
    }


def _users_tree(scene: Any) -> Any:
    """A tree such as a user may have: a blur between the render and the output."""
    if VERSION >= (5, 0, 0):
        tree: Any = bpy.data.node_groups.new("Comp", "CompositorNodeTree")
        tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
        scene.compositing_node_group = tree
        output = tree.nodes.new("NodeGroupOutput")
    else:
        scene.use_nodes = True
        tree = scene.node_tree
        tree.nodes.clear()
        output = tree.nodes.new("CompositorNodeComposite")
    layers = tree.nodes.new("CompositorNodeRLayers")
    blur = tree.nodes.new("CompositorNodeBlur")
    tree.links.new(layers.outputs["Image"], blur.inputs["Image"])
    tree.links.new(blur.outputs["Image"], output.inputs[0])
    return tree


def _settings(scene: Any) -> dict[str, Any]:
    image = scene.render.image_settings
    view = image.view_settings
    return {
        "dither": scene.render.dither_intensity,
        "compositing": scene.render.use_compositing,
        "management": image.color_management,
        "view": (view.view_transform, view.look, view.exposure, view.gamma),
        "scene": (scene.view_settings.view_transform, scene.view_settings.exposure),
    }


@pytest.mark.parametrize("overridden", [False, True])
def test_removing_gives_everything_back(
    scene: Any, stylized: Any, part: Callable[[str], Any], overridden: bool
) -> None:
    tree = _users_tree(scene)
    _set_view(scene, "exposed")
    scene.render.use_compositing = False
    if overridden:
        image = scene.render.image_settings
        image.color_management = "OVERRIDE"
        image.view_settings.view_transform = "Filmic"
        image.view_settings.exposure = 0.25
    links, settings = _links(tree), _settings(scene)
    images, groups = len(bpy.data.images), len(bpy.data.node_groups)
    bpy.ops.paintover.compose()
    assert _links(tree) != links and _settings(scene) != settings
    bpy.ops.paintover.compose()
    bpy.ops.paintover.compose(remove=True)
    assert _links(tree) == links
    assert _settings(scene) == settings
    assert (len(bpy.data.images), len(bpy.data.node_groups)) == (images, groups)
    assert scene.paintover.before_compose == ""


def test_removing_from_a_scene_that_had_no_compositor(scene: Any, stylized: Any) -> None:
    groups = len(bpy.data.node_groups)
    used = scene.use_nodes if VERSION < (5, 0, 0) else None
    bpy.ops.paintover.compose()
    bpy.ops.paintover.compose(remove=True)
    assert len(bpy.data.node_groups) == groups
    if VERSION >= (5, 0, 0):
        assert scene.compositing_node_group is None
    else:
        assert scene.use_nodes == used


def test_composing_again_updates_the_one_node(
    scene: Any, stylized: Any, tmp_path: Path, part: Callable[[str], Any]
) -> None:
    _set_view(scene, "standard")
    bpy.ops.paintover.compose()
    node = _node(part, scene)
    tree = node.id_data
    nodes, images = len(tree.nodes), len(bpy.data.images)
    node.inputs["Opacity"].default_value = 0.25
    bpy.ops.paintover.compose()
    node = _node(part, scene)
    assert (len(tree.nodes), len(bpy.data.images)) == (nodes, images)
    assert node.inputs["Opacity"].default_value == 0.25
    node.inputs["Opacity"].default_value = 1.0
    write_png(stylized.out_path("style", 2), picture(2, seed=9))
    assert np.array_equal(
        render(scene, 2, tmp_path / "out.png"), read_codes(stylized.out_path("style", 2))
    )


def test_state_follows_the_scene(scene: Any, stylized: Any, part: Callable[[str], Any]) -> None:
    compositor, step = part("compositor"), part("engine.shared.freshness").Step
    state = lambda: compositor.state(scene, stylized, "style").step  # noqa: E731
    _set_view(scene, "agx")
    assert state() is step.NOTHING
    bpy.ops.paintover.compose()
    assert state() is step.UP_TO_DATE
    scene.view_settings.exposure = 1.0
    assert state() is step.OUT_OF_DATE
    bpy.ops.paintover.compose()
    assert state() is step.UP_TO_DATE
    scene.render.dither_intensity = 1.0
    assert state() is step.OUT_OF_DATE


def test_survives_saving_and_moving(
    scene: Any, stylized: Any, tmp_path: Path, part: Callable[[str], Any]
) -> None:
    _set_view(scene, "agx")
    bpy.ops.paintover.compose()
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    again: Any = bpy.context.scene
    inner = next(n for n in _node(part, again).node_tree.nodes if n.type == "IMAGE")
    assert inner.image.filepath.startswith("//")
    expected = read_codes(stylized.out_path("style", 2))
    expected[expected[..., 3] == 0] = 0
    assert np.array_equal(render(again, 2, tmp_path / "out.png"), expected)
    bpy.ops.paintover.compose(remove=True)
    assert again.render.image_settings.color_management == "FOLLOW_SCENE"


def test_nothing_stylized_is_refused(scene: Any, shot: Any) -> None:
    with pytest.raises(RuntimeError, match=r"no stylized frames in .*style; stylize first"):
        bpy.ops.paintover.compose()
    assert scene.paintover.before_compose == ""


def test_other_render_size_is_refused(scene: Any, stylized: Any) -> None:
    scene.render.resolution_percentage = 50
    with pytest.raises(RuntimeError, match=f"renders 240×135, but .* is {WIDTH}×{HEIGHT}"):
        bpy.ops.paintover.compose()


_PNG_TO_EXR = """
import pathlib, sys
from engine.images import pictures
for path in pathlib.Path(sys.argv[1]).glob("*.png"):
    pictures.write_picture(path.with_suffix(".exr"), pictures.read_picture(path).pixels)
"""


@pytest.mark.skipif(not engine_runs(), reason="the engine's Python lacks its packages")
def test_exr_frames_come_out_as_written(
    scene: Any, shot: Any, tmp_path: Path, part: Callable[[str], Any]
) -> None:
    for frame in shot.frames:
        write_png(shot.out_path("style", frame), picture(frame, alpha=True, seed=5))
    folder = str(shot.out_path("style", 1).parent)
    command = [os.environ["PAINTOVER_ENGINE_PYTHON"], "-c", _PNG_TO_EXR, folder]
    subprocess.run(command, check=True, cwd=ROOT)
    expected = read_codes(shot.out_path("style", 2))
    scene.paintover.format = "exr"
    _set_view(scene, "agx")
    bpy.ops.paintover.compose()
    seen = expected[..., 3] > 8  # a half float has too few digits for fainter ones
    assert np.array_equal(render(scene, 2, tmp_path / "out.png")[seen], expected[seen])
