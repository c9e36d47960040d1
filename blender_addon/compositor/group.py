# SPDX-License-Identifier: GPL-3.0-or-later
"""The node group "Paintover" in the compositor: the stylized frames in place of the render.

Rendered files have exactly the codes that the engine wrote. Therefore the output's color management
is overridden to Standard, so the scene's view transform does not change them again. The render,
which shows where Opacity is below 1, gets the view transform inside the group. Removing the node
restores the settings.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import bpy

from .. import properties, versions
from ..engine.shared.errors import PaintoverError
from ..engine.shared.frame_lists import format_frames
from ..engine.shared.freshness import Step, StepState
from ..engine.shared.shot import Shot
from . import nodes, sequences

NAME = "Paintover"
_MARK = "paintover"
_MADE_TREE = "made tree"
_IMAGE = "render.image_settings"
_DITHER = {"render.use_compositing": True, "render.dither_intensity": 0.0}
_OVERRIDE = {
    f"{_IMAGE}.color_management": "OVERRIDE",
    f"{_IMAGE}.display_settings.display_device": "sRGB",
    f"{_IMAGE}.view_settings.view_transform": "Standard",
    f"{_IMAGE}.view_settings.look": "None",
    f"{_IMAGE}.view_settings.exposure": 0.0,
    f"{_IMAGE}.view_settings.gamma": 1.0,
    f"{_IMAGE}.view_settings.use_curve_mapping": False,
    f"{_IMAGE}.view_settings.use_white_balance": False,
}
_OURS: dict[str, Any] = {**_DITHER, **_OVERRIDE, "use_nodes": True}


def node(scene: bpy.types.Scene) -> Any | None:
    """Return the Paintover node of the scene's compositor, or None."""
    tree = versions.compositor_tree(scene)
    for candidate in tree.nodes if tree else ():
        group = getattr(candidate, "node_tree", None)
        if group is not None and _MARK in group:
            return candidate
    return None


def plain_view(scene: Any) -> nodes.View:
    """Return the view settings that rendered files have without Paintover's node."""
    before = _before(scene)
    image = scene.render.image_settings
    follows = before.get(f"{_IMAGE}.color_management", image.color_management) == "FOLLOW_SCENE"
    if follows:
        return nodes.read_view(scene.view_settings, scene.display_settings)
    view = nodes.read_view(image.view_settings, image.display_settings)
    fields = {field.name for field in dataclasses.fields(nodes.View)}
    old = {path.rpartition(".")[2]: value for path, value in before.items()}
    return dataclasses.replace(view, **{name: old[name] for name in fields & old.keys()})


def compose(scene: bpy.types.Scene, shot: Shot, style: str) -> list[str]:
    """Add the node with the stylized frames to the scene's compositor, or update it.

    Returns:
        Notes for the user: which settings were changed, and what is missing.

    Raises:
        PaintoverError: no frame is stylized, or the render size differs from that of the shot.
    """
    holder: Any = scene
    suffix = f".{properties.of(scene).format}"
    frames = [frame for frame in shot.frames if shot.out_path(style, frame, suffix).is_file()]
    if not frames:
        raise PaintoverError(
            f"There are no stylized frames in {shot.out_path(style, 0).parent}; stylize first."
        )
    _check_size(holder, shot)
    view = plain_view(holder)
    image = _sequence(scene, shot.out_path(style, frames[0], suffix))
    group_node = node(scene)
    group = group_node.node_tree if group_node else _new_group()
    unsupported = _fill_group(group, image, frames, view)
    if group_node is None:
        _insert(holder, group)
    changed = _set_output(holder, view)
    group[_MARK] = json.dumps({"style": style, "suffix": suffix, **_state_of(shot, view)})
    return [*changed, *_notes(unsupported), *_missing(shot, frames)]


def remove(scene: bpy.types.Scene) -> bool:
    """Remove the node, reconnect its links, and restore the output settings.

    Returns:
        Whether there was a node or a setting to restore.
    """
    holder: Any = scene
    tree = versions.compositor_tree(holder)
    group_node = node(scene)
    if group_node is not None and tree is not None:
        sources = [link.from_socket for link in group_node.inputs["Image"].links]
        targets = [link.to_socket for link in group_node.outputs[0].links]
        group = group_node.node_tree
        images = [inner.image for inner in group.nodes if inner.type == "IMAGE"]
        tree.nodes.remove(group_node)
        for source in sources:
            for target in targets:
                tree.links.new(source, target)
        if group.users == 0:
            bpy.data.node_groups.remove(group)
        for image in images:
            if image and image.users == 0:
                bpy.data.images.remove(image)
    before = _before(holder)
    for path, value in before.items():
        if path == _MADE_TREE:
            nodes.drop_tree(holder)
        elif _get(holder, path) == _OURS[path]:
            _set(holder, path, value)
    properties.of(scene).before_compose = ""
    return group_node is not None or bool(before)


def state(scene: bpy.types.Scene, shot: Shot | None, style: str) -> StepState:
    """Return the state of the node: whether it shows the style's frames with current settings."""
    group_node = node(scene)
    if group_node is None or shot is None:
        return StepState(Step.NOTHING, "Not in the compositor yet")
    composed = json.loads(group_node.node_tree[_MARK])
    suffix = f".{properties.of(scene).format}"
    if (composed["style"], composed["suffix"]) != (style, suffix):
        return StepState(
            Step.OUT_OF_DATE, f"Shows the style {composed['style']} ({composed['suffix']})"
        )
    view = plain_view(scene)
    if {**composed, **_state_of(shot, view)} != composed:
        return StepState(Step.OUT_OF_DATE, "The frames or the view transform have changed")
    if any(_get(scene, path) != value for path, value in _wanted(view).items()):
        return StepState(Step.OUT_OF_DATE, "The output settings have changed")
    return StepState(Step.UP_TO_DATE, "In the compositor")


def refresh(scene: bpy.types.Scene) -> None:
    """Reload the stylized frames."""
    group_node = node(scene)
    for inner in group_node.node_tree.nodes if group_node else ():
        if inner.type == "IMAGE" and inner.image:
            sequences.reload(inner.image)


def needs_override(scene: bpy.types.Scene) -> bool:
    """Return whether composing overrides the output's color management."""
    return not plain_view(scene).untouched()


def _state_of(shot: Shot, view: nodes.View) -> dict[str, Any]:
    frames = shot.frames
    range_ = [frames[0], frames[-1]] if frames else []
    return {"range": range_, "view": json.loads(json.dumps(dataclasses.asdict(view)))}


def _check_size(scene: Any, shot: Shot) -> None:
    width, height = properties.render_size(scene)
    manifest = shot.manifest
    if (width, height) != (manifest.width, manifest.height):
        raise PaintoverError(
            f"The scene renders {width}×{height}, but the shot in {shot.folder} is "
            f"{manifest.width}×{manifest.height}; set the resolution back, or capture again."
        )


def _sequence(scene: bpy.types.Scene, path: Path) -> Any:
    """Return the image sequence of the stylized frames."""
    group_node = node(scene)
    inner_nodes = group_node.node_tree.nodes if group_node else ()
    image = next((inner.image for inner in inner_nodes if inner.type == "IMAGE"), None)
    return sequences.load(image, f"{NAME} {path.parent.name}", path)


def _new_group() -> Any:
    group: Any = bpy.data.node_groups.new(NAME, "CompositorNodeTree")
    group[_MARK] = ""
    new_socket = group.interface.new_socket
    new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    new_socket("Image", in_out="INPUT", socket_type="NodeSocketColor")
    for name, value, description in (
        ("Opacity", 1.0, "0 shows the render, 1 the stylized frames"),
        ("Use Alpha", 0.0, "0 replaces the render, 1 puts the stylized frames over it"),
    ):
        socket = new_socket(name, in_out="INPUT", socket_type="NodeSocketFloat")
        socket.subtype = "FACTOR"
        socket.min_value, socket.max_value, socket.default_value = 0.0, 1.0, value
        socket.description = description
    return group


def _fill_group(group: Any, image: Any, frames: list[int], view: nodes.View) -> str:
    """Rebuild the nodes in the group; return the view settings that they cannot reproduce."""
    group.nodes.clear()
    inputs = group.nodes.new("NodeGroupInput")
    output = group.nodes.new("NodeGroupOutput")
    picture = group.nodes.new("CompositorNodeImage")
    picture.image = image
    first, last = frames[0], frames[-1]
    sequences.play(picture, frames)
    render, unsupported = nodes.bake_view(group, inputs.outputs["Image"], view)
    over = nodes.alpha_over(group, render, picture.outputs["Image"])
    stylized = nodes.mix(group, inputs.outputs["Use Alpha"], picture.outputs["Image"], over)
    # Outside its range a sequence is transparent or holds its last frame; show the render there.
    frame = group.nodes.new("CompositorNodeSceneTime").outputs["Frame"]
    inside = nodes.math(group, "GREATER_THAN", frame, first - 0.5)
    inside = nodes.math(
        group, "MULTIPLY", inside, nodes.math(group, "LESS_THAN", frame, last + 0.5)
    )
    factor = nodes.math(group, "MULTIPLY", inside, inputs.outputs["Opacity"])
    result = nodes.mix(group, factor, render, stylized)
    group.links.new(result, output.inputs["Image"])
    for column, inner in enumerate(group.nodes):
        inner.location = (220 * (column // 3), -240 * (column % 3))
    output.location.x += 220 * 6
    return unsupported


def _insert(scene: Any, group: Any) -> None:
    """Add a node with the group before the final output."""
    before = _before(scene)
    if versions.HAS_COMPOSITOR_GROUPS and versions.compositor_tree(scene) is None:
        before[_MADE_TREE] = True
    if not versions.uses_compositor_nodes(scene):
        before["use_nodes"] = False
    _remember(scene, before)
    tree = nodes.make_tree(scene)
    target = nodes.final_socket(tree)
    added = tree.nodes.new("CompositorNodeGroup")
    added.node_tree = group
    added.name = added.label = NAME
    added.location = (target.node.location.x - 260, target.node.location.y - 160)
    if target.links:
        tree.links.new(target.links[0].from_socket, added.inputs["Image"])
    tree.links.new(added.outputs["Image"], target)


def _wanted(view: nodes.View) -> dict[str, Any]:
    return _DITHER if view.untouched() else {**_DITHER, **_OVERRIDE}


def _set_output(scene: Any, view: nodes.View) -> list[str]:
    """Change the settings that exact output needs, and store their old values."""
    before = _before(scene)
    changed = set()
    wanted = _wanted(view)
    # Read all first, because switching the override on copies the scene's view settings.
    now = {path: _get(scene, path) for path in wanted}
    for path, value in wanted.items():
        if now[path] != value:
            before.setdefault(path, now[path])
            changed.add(path)
        _set(scene, path, value)
    _remember(scene, before)
    sentences = []
    if changed.intersection(_OVERRIDE):
        sentences.append("the output's color management is set to Standard")
    if "render.dither_intensity" in changed:
        sentences.append("dithering is off")
    if "render.use_compositing" in changed:
        sentences.append("compositing is on")
    return sentences


def _notes(unsupported: str) -> list[str]:
    return [f"{unsupported} shows only in renders without the node"] if unsupported else []


def _missing(shot: Shot, frames: list[int]) -> list[str]:
    missing = sorted(set(shot.frames) - set(frames))
    return [f"frames {format_frames(missing)} are not stylized yet"] if missing else []


def _before(scene: Any) -> dict[str, Any]:
    text = properties.of(scene).before_compose
    return dict(json.loads(text)) if text else {}


def _remember(scene: Any, before: dict[str, Any]) -> None:
    properties.of(scene).before_compose = json.dumps(before) if before else ""


def _get(scene: Any, path: str) -> Any:
    return scene.path_resolve(path)


def _set(scene: Any, path: str, value: Any) -> None:
    owner, _, name = path.rpartition(".")
    setattr(scene.path_resolve(owner) if owner else scene, name, value)
