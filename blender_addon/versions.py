# SPDX-License-Identifier: GPL-3.0-or-later
"""All that differs between Blender 4.5 and 5.x, in one place."""

from __future__ import annotations

from typing import Any

import bpy

IS_5 = bpy.app.version >= (5, 0, 0)
EEVEE = "BLENDER_EEVEE" if IS_5 else "BLENDER_EEVEE_NEXT"


def set_file_format(image_settings: Any, file_format: str) -> None:
    """Set the format of written pictures, such as ``PNG`` or ``OPEN_EXR_MULTILAYER``.

    From Blender 5.0 on the kind of media comes first, since it limits the formats.
    """
    if IS_5:
        layers = file_format == "OPEN_EXR_MULTILAYER"
        image_settings.media_type = "MULTI_LAYER_IMAGE" if layers else "IMAGE"
    image_settings.file_format = file_format


def has_shader_nodes(material: bpy.types.Material) -> bool:
    """Tell whether the material is drawn by its nodes (always so from Blender 5.0 on)."""
    return material.node_tree is not None and (IS_5 or bool(material.use_nodes))


def plain_shader(engine: str, material: Any) -> tuple[str, dict[str, float | tuple[float, ...]]]:
    """Return the shader node that looks like a material without nodes, or like none at all.

    Before Blender 5.0 Cycles drew these as diffuse, EEVEE with the material's viewport colours.

    Args:
        engine: the render engine.
        material: the material, or None.

    Returns:
        The node's type and values of its inputs.
    """
    if not IS_5 and engine == "CYCLES":
        colour = tuple(material.diffuse_color) if material else (0.8, 0.8, 0.8, 1.0)
        return "ShaderNodeBsdfDiffuse", {"Color": colour}
    if material is None or IS_5:
        return "ShaderNodeBsdfPrincipled", {}
    return "ShaderNodeBsdfPrincipled", {
        "Base Color": tuple(material.diffuse_color),
        "Metallic": material.metallic,
        "Roughness": material.roughness,
        "Specular IOR Level": material.specular_intensity,
    }


def use_shader_nodes(material: bpy.types.Material) -> None:
    """Have a material drawn by its nodes; it gets a node tree where it has none."""
    if not IS_5:
        material.use_nodes = True


def orthographic_motion_is_wrong(engine: str) -> bool:
    """Tell whether the renderer's Vector pass is wrong where an orthographic camera moves."""
    return engine == "CYCLES" and bpy.app.version < (5, 2, 0)
