# SPDX-License-Identifier: GPL-3.0-or-later
"""The node group "Paintover": the stylized frames in place of the render.

Rendered files have exactly the codes that the engine wrote. Therefore the output's color management
is overridden with a plain view, so the scene's view transform does not change them again. The
render, which shows where Opacity is below 1 and at frames that are not stylized, gets the scene's
view transform inside the group.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import bpy

from .. import saved_state, versions
from ..engine.shared.checked import Length, OneOf, Pattern
from ..engine.shared.errors import PaintoverError
from ..engine.shared.frame_lists import parse_frames, runs
from ..engine.shared.names import NAME as STYLE_NAME
from ..engine.shared.shot_paths import OUT_SUFFIXES
from . import marks, nodes, sequences

NAME = "Paintover"
_SETTINGS = (
    ("Opacity", 1.0, "0 shows the render, 1 the stylized frames"),
    ("Use Alpha", 0.0, "0 replaces the render, 1 puts the stylized frames over it"),
    ("Compare", 0.0, "Left of this share of the width, the render shows"),
    ("Matte", 1.0, "Link a matte, such as a Cryptomatte: where it is black, the render shows"),
)
_NUMBERS = "NodeSocketFloat", "NodeSocketInt", "NodeSocketBool"


@dataclasses.dataclass(frozen=True)
class Content:
    """What a group shows; kept in the group, so that changes are noticed."""

    style: Annotated[str, Pattern(STYLE_NAME)]
    suffix: Annotated[str, OneOf(OUT_SUFFIXES)]
    frames: str
    """The stylized frames, as ``format_frames`` writes them."""
    view: nodes.View
    painted: Annotated[tuple[bool, ...], Length(1, 1000)] = (True,)
    """For each picture of the group, whether the frames replace it; else only the view changes."""
    layer: str = ""
    """The view layer behind which the node stands; "" if it stands before the output."""
    views: tuple[str, ...] = ()
    """The views of stereoscopy that the frames replace; none if they replace all."""
    is_display: bool = False
    """Whether the picture below the frames is display-referred, so it needs no view transform."""


def new() -> Any:
    """Return a new group for one picture, without content."""
    group: Any = bpy.data.node_groups.new(NAME, "CompositorNodeTree")
    group[marks.GROUP] = ""
    _add_picture(group, "Image")
    _add_settings(group)
    return group


def content(group: Any) -> Content | None:
    """Return what a group shows, or None if it was not filled by this version of Paintover."""
    found = saved_state.read(group.get(marks.GROUP), Content)
    try:
        return found if found and parse_frames(found.frames) else None
    except PaintoverError:
        return None


def wrong_setting(node: Any) -> str:
    """Return the name of a setting of Paintover's node that is no number, "" if all are."""
    for name, _, _ in _SETTINGS:
        socket = node.inputs.get(name)
        value = getattr(socket, "default_value", None)
        if socket is not None and not isinstance(value, int | float):
            return name
    return ""


def image_of(group: Any) -> Any | None:
    """Return the image sequence of a group, or None."""
    return next((inner.image for inner in group.nodes if inner.type == "IMAGE"), None)


def fill(group: Any, scene: Any, image: Any, sequence: sequences.Sequence, shown: Content) -> str:
    """Rebuild the nodes in a group.

    Args:
        group: from ``new``; gets sockets for as many pictures as ``shown.painted`` has.
        scene: has the views of stereoscopy.
        image: of the sequence.
        sequence: the files of the frames.
        shown: what the group is to show.

    Returns:
        The view settings that this Blender's nodes cannot reproduce, or "".
    """
    _shape(group, len(shown.painted))
    _add_settings(group)
    group.nodes.clear()
    inputs = group.nodes.new("NodeGroupInput")
    output = group.nodes.new("NodeGroupOutput")
    picture = group.nodes.new("CompositorNodeImage")
    picture.image = image
    sequences.play(picture, sequence)
    stylized = picture.outputs["Image"]
    shows = _is_one_of(group, sequence.frames)
    if shown.views:
        shows = nodes.math(group, "MULTIPLY", shows, nodes.is_view(group, scene, shown.views))
    factor = nodes.math(group, "MULTIPLY", shows, inputs.outputs["Opacity"])
    unsupported = ""
    pictures = [socket for socket in inputs.outputs if socket.type == "RGBA"]
    compare = inputs.outputs["Compare"]
    factor = nodes.math(group, "MULTIPLY", factor, nodes.right_of(group, pictures[0], compare))
    factor = nodes.math(group, "MULTIPLY", factor, inputs.outputs["Matte"])
    results = [socket for socket in output.inputs if socket.type == "RGBA"]
    for source, result, is_painted in zip(pictures, results, shown.painted, strict=True):
        render = source
        if not shown.is_display:
            render, unsupported = nodes.bake_view(group, source, shown.view)
        if is_painted:
            over = nodes.alpha_over(group, render, stylized)
            chosen = nodes.mix(group, inputs.outputs["Use Alpha"], stylized, over)
            render = nodes.mix(group, factor, render, chosen)
        group.links.new(render, result)
    for column, inner in enumerate(group.nodes):
        inner.location = (220 * (column // 3), -240 * (column % 3))
    output.location.x = 220 * (len(group.nodes) // 3 + 2)
    group[marks.GROUP] = json.dumps(dataclasses.asdict(shown))
    return unsupported


def _is_one_of(group: Any, frames: Sequence[int]) -> Any:
    """Return a socket that is 1 at the given frames and 0 at others.

    An image sequence is transparent or holds a wrong frame where it has no file.
    """
    first = frames[0]
    # A shot with every second frame has one run of steps, but a run of frames for each frame.
    step = math.gcd(*(frame - first for frame in frames)) or 1
    frame = group.nodes.new("CompositorNodeSceneTime").outputs["Frame"]
    place = nodes.math(group, "DIVIDE", nodes.math(group, "SUBTRACT", frame, first), step)
    number = nodes.math(group, "ROUND", place, 0)
    is_step = nodes.math(group, "COMPARE", place, number)
    is_step.node.inputs[2].default_value = 0.25 / step
    near = None
    for start, end in runs([(frame - first) // step for frame in frames]):
        inside = nodes.math(group, "COMPARE", number, (start + end) / 2)
        inside.node.inputs[2].default_value = (end - start) / 2 + 0.25
        near = inside if near is None else nodes.math(group, "ADD", near, inside)
    return nodes.math(group, "MULTIPLY", is_step, near)


def _shape(group: Any, pictures: int) -> None:
    """Give the group an input and an output for each picture."""
    items = [item for item in group.interface.items_tree if item.item_type == "SOCKET"]
    outputs = [item for item in items if item.in_out == "OUTPUT"]
    inputs = [
        item for item in items if item.in_out == "INPUT" and item.socket_type == "NodeSocketColor"
    ]
    for item in [*outputs[pictures:], *inputs[pictures:]]:
        group.interface.remove(item)
    for number in range(len(outputs), pictures):
        _add_picture(group, f"Image {number + 1}")


def _add_settings(group: Any) -> None:
    """Give the group the inputs that it lacks, as one that an earlier version made does."""
    names = {name for name, _, _ in _SETTINGS}
    items = [item for item in group.interface.items_tree if item.item_type == "SOCKET"]
    inputs = [item for item in items if item.in_out == "INPUT" and item.name in names]
    there = {item.name for item in inputs if item.socket_type in _NUMBERS}
    for item in [item for item in inputs if item.socket_type not in _NUMBERS]:
        group.interface.remove(item)  # a .blend may be a stranger's
    for name, value, description in _SETTINGS:
        if name in there:
            continue
        socket = group.interface.new_socket(name, in_out="INPUT", socket_type="NodeSocketFloat")
        socket.subtype = "FACTOR"
        socket.min_value, socket.max_value, socket.default_value = 0.0, 1.0, value
        socket.description = description
        for node in _nodes_of(group):  # which take 0 for it
            node.inputs[name].default_value = value


def _nodes_of(group: Any) -> Iterator[Any]:
    """Yield the nodes in all trees that show a group."""
    scenes: Any = bpy.data.scenes
    own = [tree for scene in scenes if (tree := versions.compositor_tree(scene))]
    trees = {tree.as_pointer(): tree for tree in (*bpy.data.node_groups, *own)}
    for tree in trees.values():
        for node in tree.nodes:
            if node.type == "GROUP" and node.node_tree == group:
                yield node


def _add_picture(group: Any, name: str) -> None:
    for direction in ("OUTPUT", "INPUT"):
        group.interface.new_socket(name, in_out=direction, socket_type="NodeSocketColor")
