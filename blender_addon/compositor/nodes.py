# SPDX-License-Identifier: GPL-3.0-or-later
"""Building blocks of the compositor: nodes for mixing, alpha, color and view."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection
from typing import Annotated, Any

import bpy

from .. import colour_names, versions
from ..engine.shared.checked import Range


def alpha_over(tree: Any, below: Any, above: Any) -> Any:
    """Put one premultiplied picture over another; return the socket of the result."""
    node = tree.nodes.new("CompositorNodeAlphaOver")
    node.inputs["Straight Alpha"].default_value = False
    pictures = [socket for socket in node.inputs if socket.type == "RGBA"]
    tree.links.new(below, pictures[0])
    tree.links.new(above, pictures[1])
    return node.outputs[0]


def mix(tree: Any, factor: Any, first: Any, second: Any) -> Any:
    """Mix two premultiplied pictures by a factor socket (0: the first, 1: the second).

    Blender's Mix node keeps the alpha of the first picture, so alpha is mixed separately.

    Returns:
        The socket of the result.
    """
    colour = _mix(tree, "RGBA", "Color", factor, first, second)
    alpha = _mix(tree, "FLOAT", "Float", factor, alpha_of(tree, first), alpha_of(tree, second))
    return with_alpha(tree, colour, alpha)


def _mix(tree: Any, data_type: str, suffix: str, factor: Any, first: Any, second: Any) -> Any:
    node = tree.nodes.new("ShaderNodeMix")
    node.data_type = data_type
    inputs = {socket.identifier: socket for socket in node.inputs}
    tree.links.new(factor, inputs["Factor_Float"])
    tree.links.new(first, inputs[f"A_{suffix}"])
    tree.links.new(second, inputs[f"B_{suffix}"])
    return next(socket for socket in node.outputs if socket.identifier == f"Result_{suffix}")


def alpha_of(tree: Any, picture: Any) -> Any:
    """Return a socket with the alpha of a picture."""
    node = tree.nodes.new("CompositorNodeSeparateColor")
    tree.links.new(picture, node.inputs["Image"])
    return node.outputs["Alpha"]


def with_alpha(tree: Any, picture: Any, alpha: Any) -> Any:
    """Replace the alpha of a picture, not its colors; return the socket of the result."""
    node = tree.nodes.new("CompositorNodeSetAlpha")
    versions.set_replace_alpha(node)
    tree.links.new(picture, node.inputs["Image"])
    tree.links.new(alpha, node.inputs["Alpha"])
    return node.outputs[0]


def math(tree: Any, operation: str, first: Any, second: Any) -> Any:
    """Add a Math node for a socket and a socket or number; return the socket of the result."""
    node = tree.nodes.new("ShaderNodeMath")
    node.operation = operation
    tree.links.new(first, node.inputs[0])
    if isinstance(second, (int, float)):
        node.inputs[1].default_value = second
    else:
        tree.links.new(second, node.inputs[1])
    return node.outputs[0]


def right_of(tree: Any, picture: Any, share: Any) -> Any:
    """Return a socket that is 1 from a share of a picture's width on, 0 left of it.

    At a share of 0 it is 1 everywhere, also in a picture without pixels.
    """
    coordinates = tree.nodes.new("CompositorNodeImageCoordinates")
    tree.links.new(picture, coordinates.inputs["Image"])
    separate = tree.nodes.new("ShaderNodeSeparateXYZ")
    tree.links.new(coordinates.outputs["Normalized"], separate.inputs[0])
    left = math(tree, "LESS_THAN", separate.outputs["X"], share)
    return math(tree, "LESS_THAN", left, 0.5)


def is_view(tree: Any, scene: Any, views: Collection[str]) -> Any:
    """Return a socket that is 1 in views of stereoscopy with these names, 0 in others.

    Args:
        tree: gets the nodes.
        scene: has the views.
        views: their names.
    """
    with bpy.context.temp_override(scene=scene):  # the node has an input for each of its views
        node = tree.nodes.new("CompositorNodeSwitchView")
    for socket in node.inputs:
        socket.default_value = (float(socket.name in views),) * 3 + (1.0,)
    return math(tree, "GREATER_THAN", node.outputs[0], 0.5)


_LEAST_GAMMA = 0.01
"""A gamma of 0, which Blender allows, makes all black."""


@dataclasses.dataclass(frozen=True)
class View:
    """View settings that make a picture display-referred, with Blender's names.

    A .blend of another color configuration may hold names that this one has not.
    """

    display_device: str = "sRGB"
    view_transform: str = "Standard"
    look: str = "None"
    exposure: Annotated[float, Range(-32, 32)] = 0.0
    gamma: Annotated[float, Range(0, 5)] = 1.0
    use_curve_mapping: bool = False
    use_white_balance: bool = False
    white_balance_temperature: float = 6500.0
    white_balance_tint: float = 10.0

    def is_plain(self) -> bool:
        """Return whether the view leaves sRGB pictures unchanged.

        The values of the white balance count only if it is used.

        Raises:
            PaintoverError: Blender's color configuration has no such view.
        """
        plain = colour_names.plain_output()
        mine = dataclasses.replace(
            self,
            white_balance_temperature=View.white_balance_temperature,
            white_balance_tint=View.white_balance_tint,
        )
        return mine == View(display_device=plain.display, view_transform=plain.view)


def read_view(view_settings: Any, display_settings: Any) -> View:
    """Read the view settings of a scene or an output."""
    values = {
        field.name: getattr(view_settings, field.name)
        for field in dataclasses.fields(View)
        if field.name != "display_device"
    }
    return View(display_device=display_settings.display_device, **values)


def bake_view(tree: Any, picture: Any, view: View) -> tuple[Any, str]:
    """Convert a picture so that it looks under the plain view as it does under ``view``.

    Args:
        tree: gets the nodes.
        picture: socket of the picture, scene-linear, premultiplied.
        view: the view settings to reproduce.

    Returns:
        The socket of the result, scene-linear, premultiplied, and the view settings that this
        Blender's nodes cannot reproduce ("" if none).
    """
    if view.is_plain():
        return picture, ""
    unsupported = []
    if view.use_curve_mapping:
        unsupported.append("the curves")
    if view.use_white_balance:
        unsupported.append("the white balance")
    if view.look != "None" and not versions.HAS_CONVERT_TO_DISPLAY:
        unsupported.append(f"the look {view.look}")
    # Color space nodes and Convert to Display ignore alpha, so they need straight colors.
    alpha = alpha_of(tree, picture)
    picture = _premul_key(tree, picture, to_straight=True)
    exposure = tree.nodes.new("CompositorNodeExposure")
    exposure.inputs["Exposure"].default_value = view.exposure
    tree.links.new(picture, exposure.inputs["Image"])
    picture = exposure.outputs[0]
    if versions.HAS_CONVERT_TO_DISPLAY:
        picture, unknown = _convert_to_display(tree, picture, view)
        unsupported += unknown
    elif view.view_transform != "Raw":
        found = _convert(tree, picture, _scene_linear(), _space_of_view(view))
        if found is None:
            unsupported.append(f"the view transform {view.view_transform}")
            found = _convert(tree, picture, _scene_linear(), colour_names.srgb())
        picture = found
    gamma = tree.nodes.new(versions.GAMMA_NODE)
    gamma.inputs["Gamma"].default_value = 1 / max(view.gamma, _LEAST_GAMMA)
    tree.links.new(picture, gamma.inputs[0])
    picture = with_alpha(tree, _snap(tree, gamma.outputs[0]), alpha)
    picture = _convert(tree, picture, colour_names.srgb(), _scene_linear())
    return _premul_key(tree, picture, to_straight=False), " and ".join(unsupported)


def _snap(tree: Any, picture: Any) -> Any:
    """Round display values to 1 / (255 · 129); alpha is lost.

    There are 129 steps per 8-bit code. Halfway between two codes is thus halfway between two steps,
    so rounding errors of the sRGB curve and its inverse cannot change the 8-bit code of a value.
    """
    steps = 255.0 * 129.0
    for operation, value in (("MULTIPLY", steps), ("ADD", 0.5), ("FLOOR", 0.0), ("DIVIDE", steps)):
        node = tree.nodes.new("ShaderNodeVectorMath")
        node.operation = operation
        node.inputs[1].default_value = (value, value, value)
        tree.links.new(picture, node.inputs[0])
        picture = node.outputs[0]
    return picture


def _scene_linear() -> str:
    return versions.SCENE_LINEAR or colour_names.scene_linear()


def _space_of_view(view: View) -> str | None:
    """Return the color space of a view transform's result in Blender's own configuration."""
    spaces = {
        "AgX": f"AgX Base {view.display_device}",
        "Filmic": "Filmic sRGB",
        "Filmic Log": "Filmic Log",
        "Khronos PBR Neutral": "Khronos PBR Neutral sRGB",
    }
    if view.view_transform == colour_names.plain_output().view:
        return colour_names.space_of_display(view.display_device)
    return spaces.get(view.view_transform)


def _premul_key(tree: Any, picture: Any, *, to_straight: bool) -> Any:
    node = tree.nodes.new("CompositorNodePremulKey")
    versions.set_alpha_conversion(node, to_straight=to_straight)
    tree.links.new(picture, node.inputs["Image"])
    return node.outputs[0]


def _convert(tree: Any, picture: Any, source: str, target: str | None) -> Any | None:
    """Convert between color spaces; None, and no node, if Blender has no such target."""
    node = tree.nodes.new("CompositorNodeConvertColorSpace")
    node.from_color_space = source
    if target is None or not _is_set(node, "to_color_space", target):
        tree.nodes.remove(node)
        return None
    tree.links.new(picture, node.inputs["Image"])
    return node.outputs[0]


def _convert_to_display(tree: Any, picture: Any, view: View) -> tuple[Any, list[str]]:
    """Convert to a display; return the result, and what of the view Blender does not have."""
    node = tree.nodes.new("CompositorNodeConvertToDisplay")
    settings = node.view_settings
    tree.links.new(picture, node.inputs["Image"])
    unknown = [
        f"{what} {value}"
        for owner, name, value, what in (
            (node.display_settings, "display_device", view.display_device, "the display"),
            (settings, "view_transform", view.view_transform, "the view transform"),
            (settings, "look", view.look, "the look"),
        )
        if not _is_set(owner, name, value)
    ]
    return node.outputs[0], unknown


def _is_set(owner: Any, name: str, value: str) -> bool:
    """Set a choice, and return whether Blender has it."""
    try:
        setattr(owner, name, value)
    except TypeError:
        return False
    return True
