# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings on ``scene.paintover`` (saved in the .blend) and passing state on the WindowManager."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .engine.shared.errors import PaintoverError


class PAINTOVER_PG_keyframe(bpy.types.PropertyGroup):
    """What is set for one keyframe; ``name`` is its frame."""

    weight: FloatProperty(
        name="Weight",
        description="How much of this painting is carried to the other frames. Animate it to go "
        "over from one painting to another",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options={"ANIMATABLE"},
    )


class PAINTOVER_PG_scene(bpy.types.PropertyGroup):
    """What one scene's shot is made with."""

    folder: StringProperty(
        name="Shot Folder",
        description="Where frames, paintings, styles and stylized frames lie. "
        "Empty: a folder beside the .blend, named after it",
        subtype="DIR_PATH",
        options={"PATH_SUPPORTS_BLEND_RELATIVE"},
    )
    style: StringProperty(
        name="Style",
        description="Name of the style that is trained and used",
        default="style",
    )
    use_custom_range: BoolProperty(
        name="Custom Range",
        description="Work on other frames than the scene's frame range",
    )
    frame_start: IntProperty(name="Start", description="First frame of the shot", default=1)
    frame_end: IntProperty(name="End", description="Last frame of the shot", default=250)
    device: EnumProperty(
        name="Device",
        description="What the engine computes on",
        items=(
            ("auto", "Automatic", "The fastest that this machine has"),
            ("cpu", "CPU", "The processor"),
            ("cuda", "CUDA or ROCm", "An NVIDIA or AMD graphics card"),
            ("mps", "Metal", "An Apple graphics processor"),
        ),
    )
    seconds: FloatProperty(
        name="Training Time",
        description="Train for at most this long",
        default=60.0,
        min=1.0,
        soft_max=3600.0,
        subtype="TIME_ABSOLUTE",
        unit="TIME_ABSOLUTE",
    )
    format: EnumProperty(
        name="File Format",
        description="File format of the stylized frames",
        items=(
            ("png", "PNG", "Display-referred, straight alpha"),
            ("exr", "OpenEXR", "Linear, premultiplied alpha"),
        ),
    )
    depth: EnumProperty(
        name="Color Depth",
        description="Bits per channel of the stylized PNG frames",
        items=(("8", "8", "8 bits per channel"), ("16", "16", "16 bits per channel")),
    )
    light: FloatProperty(
        name="Light",
        description="0: paint sticks to the surface exactly as it was painted. 1: it is painted "
        "anew and follows the light of each frame. 0.5: as it was learnt. Only for styles that "
        "carry paint along",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options=set(),
    )
    keyframes: CollectionProperty(type=PAINTOVER_PG_keyframe)
    before_compose: StringProperty(
        name="Settings Before Compositing",
        description="Output settings that removing the compositor node gives back",
        options={"HIDDEN"},
    )


class PAINTOVER_PG_listed(bpy.types.PropertyGroup):
    """A row of the keyframe list, as it was last looked at."""

    frame: IntProperty()
    state: StringProperty()
    icon: StringProperty(default="NONE")


class PAINTOVER_PG_session(bpy.types.PropertyGroup):
    """What goes on now; never saved."""

    title: StringProperty(description="The step that runs, or nothing")
    fraction: FloatProperty(min=0.0, max=1.0)
    seconds_left: FloatProperty(default=-1.0)
    text: StringProperty()
    keyframes: CollectionProperty(type=PAINTOVER_PG_listed)
    keyframe_index: IntProperty()


classes = (PAINTOVER_PG_keyframe, PAINTOVER_PG_scene, PAINTOVER_PG_listed, PAINTOVER_PG_session)


def of(scene: bpy.types.Scene) -> Any:
    """Return ``scene.paintover``."""
    holder: Any = scene
    return holder.paintover


def scene_of(context: bpy.types.Context) -> bpy.types.Scene:
    """Return the scene that the user works in."""
    assert context.scene
    return context.scene


def shot_folder(scene: bpy.types.Scene) -> Path:
    """Return the absolute path of the scene's shot folder; it need not exist yet.

    Raises:
        PaintoverError: the folder goes by the .blend, and the .blend was never saved.
    """
    folder = of(scene).folder or default_folder(scene)
    if folder.startswith("//") and not bpy.data.filepath:
        raise PaintoverError(
            "Save the .blend first, or choose a shot folder in the Paintover panel."
        )
    return Path(bpy.path.abspath(folder))


def default_folder(scene: bpy.types.Scene) -> str:
    """Return the shot folder that an empty setting means: beside the .blend, by its name."""
    name = Path(bpy.data.filepath).stem or "untitled"
    if scene.name != "Scene":
        name += f"-{bpy.path.clean_name(scene.name)}"
    return f"//paintover/{name}/"


def frames(scene: bpy.types.Scene) -> list[int]:
    """Return the frames of the shot: the custom range, else the scene's.

    Raises:
        PaintoverError: the range ends before it starts.
    """
    settings = of(scene)
    source = settings if settings.use_custom_range else scene
    first, last = int(source.frame_start), int(source.frame_end)
    if last < first:
        raise PaintoverError(f"The frame range {first} to {last} ends before it starts; mend it.")
    return list(range(first, last + 1))


def render_size(scene: bpy.types.Scene) -> tuple[int, int]:
    """Return the width and height of the rendered picture in pixels.

    As Blender computes it: the percentage of each side in whole numbers, rounded down.
    """
    render = scene.render
    percentage = render.resolution_percentage
    return (
        max(1, render.resolution_x * percentage // 100),
        max(1, render.resolution_y * percentage // 100),
    )


def register() -> None:
    for cls in classes:
        bpy.utils.register_class(cls)
    scene: Any = bpy.types.Scene
    manager: Any = bpy.types.WindowManager
    scene.paintover = PointerProperty(type=PAINTOVER_PG_scene)
    manager.paintover = PointerProperty(type=PAINTOVER_PG_session)


def unregister() -> None:
    scene: Any = bpy.types.Scene
    manager: Any = bpy.types.WindowManager
    del manager.paintover
    del scene.paintover
    for cls in reversed(classes):
        bpy.utils.unregister_class(cls)
