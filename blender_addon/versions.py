# SPDX-License-Identifier: GPL-3.0-or-later
"""All differences between the supported versions of Blender (4.5 to 5.2), in one place."""

from __future__ import annotations

from typing import Any

import bpy

_IS_5 = bpy.app.version >= (5, 0, 0)
EEVEE = "BLENDER_EEVEE" if _IS_5 else "BLENDER_EEVEE_NEXT"
EEVEE_NAMES = {"BLENDER_EEVEE", "BLENDER_EEVEE_NEXT"}

SCENE_LINEAR = "scene_linear" if _IS_5 else ""
"""Name of the scene-linear color space in the node Convert Color Space; "" before Blender 5.0,
where that has the name that it has for images."""
COMPOSITOR_OUTPUT = "NodeGroupOutput" if _IS_5 else "CompositorNodeComposite"
"""Type of the compositor's output node."""
GAMMA_NODE = "ShaderNodeGamma" if _IS_5 else "CompositorNodeGamma"
HAS_COMPOSITOR_GROUPS = _IS_5
"""Whether the compositor tree is a node group that a scene may lack, not a part of the scene."""
HAS_CONVERT_TO_DISPLAY = _IS_5
"""Whether the compositor has the node Convert to Display."""


def set_file_format(image_settings: Any, file_format: str) -> None:
    """Set the file format of pictures, such as ``PNG`` or ``OPEN_EXR_MULTILAYER``.

    From Blender 5.0 on the media type comes first, since it limits the formats.
    """
    if _IS_5:
        layers = file_format == "OPEN_EXR_MULTILAYER"
        image_settings.media_type = "MULTI_LAYER_IMAGE" if layers else "IMAGE"
    image_settings.file_format = file_format


def set_exr_interleave(image_settings: Any, interleave: bool) -> None:
    """Write multilayer EXR as one part (always before Blender 5.0) or as one part per pass."""
    if _IS_5:
        image_settings.use_exr_interleave = interleave


def exit_handlers() -> list[Any]:
    """Return the handlers that run before Blender exits; none before Blender 5.2."""
    handlers: Any = bpy.app.handlers
    return getattr(handlers, "exit_pre", [])


def orthographic_motion_is_wrong(engine: str) -> bool:
    """Return whether the Vector pass is wrong if an orthographic camera moves."""
    return engine == "CYCLES" and bpy.app.version < (5, 2, 0)


def has_shader_nodes(material: bpy.types.Material) -> bool:
    """Return whether a material renders by its nodes (always from Blender 5.0 on)."""
    return material.node_tree is not None and (_IS_5 or bool(material.use_nodes))


def use_shader_nodes(material: bpy.types.Material) -> None:
    """Render a material by its nodes; make its node tree if it has none."""
    if not _IS_5:
        material.use_nodes = True


def plain_shader(engine: str, material: Any) -> tuple[str, dict[str, float | tuple[float, ...]]]:
    """Return a shader node that looks like a material without nodes, or like no material.

    Before Blender 5.0, Cycles rendered these as diffuse, EEVEE with their viewport colors.

    Args:
        engine: the render engine.
        material: the material, or None.

    Returns:
        The type of the node, and the values of its inputs by name.
    """
    if not _IS_5 and engine == "CYCLES":
        colour = tuple(material.diffuse_color) if material else (0.8, 0.8, 0.8, 1.0)
        return "ShaderNodeBsdfDiffuse", {"Color": colour}
    if material is None or _IS_5:
        return "ShaderNodeBsdfPrincipled", {}
    return "ShaderNodeBsdfPrincipled", {
        "Base Color": tuple(material.diffuse_color),
        "Metallic": material.metallic,
        "Roughness": material.roughness,
        "Specular IOR Level": material.specular_intensity,
    }


def compositor_tree(scene: Any) -> Any | None:
    """Return the scene's compositor tree, or None."""
    return scene.compositing_node_group if _IS_5 else scene.node_tree


def set_compositor_tree(scene: Any, tree: Any | None) -> None:
    """Set the node group that is the scene's compositor tree (``HAS_COMPOSITOR_GROUPS``)."""
    scene.compositing_node_group = tree


def uses_compositor_nodes(scene: Any) -> bool:
    """Return whether the scene uses its compositor tree (always from Blender 5.0 on)."""
    return _IS_5 or bool(scene.use_nodes)


def use_compositor_nodes(scene: Any) -> None:
    """Let the scene use its compositor tree. Before Blender 5.0 this also makes the tree."""
    if not _IS_5:
        scene.use_nodes = True


def show_output(node: Any) -> dict[str, bool]:
    """Let a node Composite put out its picture with alpha; return the settings before.

    From Blender 5.0 on outputs cannot hide anything.
    """
    wanted = {} if _IS_5 else {"mute": False, "use_alpha": True}
    before = {name: getattr(node, name) for name in wanted if getattr(node, name) != wanted[name]}
    for name in before:
        setattr(node, name, wanted[name])
    return before


def set_replace_alpha(node: Any) -> None:
    """Let a Set Alpha node replace the alpha and keep the colors."""
    if _IS_5:
        node.inputs["Type"].default_value = "Replace Alpha"
    else:
        node.mode = "REPLACE_ALPHA"


def set_alpha_conversion(node: Any, *, to_straight: bool) -> None:
    """Let an Alpha Convert node convert to straight or to premultiplied alpha."""
    if _IS_5:
        node.inputs["Type"].default_value = "To Straight" if to_straight else "To Premultiplied"
    else:
        node.mapping = "PREMUL_TO_STRAIGHT" if to_straight else "STRAIGHT_TO_PREMUL"
