# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings on ``scene.paintover``, saved in the .blend, and unsaved state on the WindowManager."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
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

from . import mattes, shot_folders
from .engine.shared.errors import PaintoverError
from .engine.shared.frame_lists import LARGEST_FRAME
from .engine.shared.identity import identity
from .shot_folders import shot_folder

__all__ = [
    "SceneReference",
    "frame_range",
    "frame_rate",
    "frames",
    "of",
    "programmatic",
    "render_size",
    "scene_of",
    "shot_folder",
]

_by_program: list[bool] = []


@contextlib.contextmanager
def programmatic() -> Iterator[None]:
    """Set ``folder`` without the consequences of a user's choice."""
    _by_program.append(True)
    try:
        yield
    finally:
        _by_program.pop()


def _folder_changed(settings: Any, _: bpy.types.Context) -> None:
    """After the user chose a folder: that shot is meant, and not the one before."""
    if _by_program:
        return
    settings.shot_id = settings.folder_hint = ""
    with contextlib.suppress(PaintoverError):
        folder = shot_folders.shot_folder(settings.id_data)
        found = identity(folder)
        if settings.folder and found is not None:
            settings.shot_id, settings.folder_hint = found.id, str(folder)


class PAINTOVER_PG_keyframe(bpy.types.PropertyGroup):
    """Settings of one keyframe; ``name`` is its frame."""

    weight: FloatProperty(
        name="Weight",
        description="How much of this painting the other frames get. Animate it to blend from one "
        "painting to another",
        default=1.0,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options={"ANIMATABLE"},
    )


class PAINTOVER_PG_scene(bpy.types.PropertyGroup):
    """Settings of a scene's shot."""

    folder: StringProperty(
        name="Shot Folder",
        description="Folder of the frames, paintings, styles and stylized frames. "
        "Leave empty to use a folder beside the .blend with its name, which the first capture "
        "writes here",
        subtype="DIR_PATH",
        options={"PATH_SUPPORTS_BLEND_RELATIVE"},
        update=_folder_changed,
    )
    shot_id: StringProperty(
        name="Shot", description="Random id of the scene's shot", options={"HIDDEN"}
    )
    folder_hint: StringProperty(
        name="Last Shot Folder",
        description="Absolute path of the shot folder, for when the .blend has moved",
        options={"HIDDEN"},
    )
    style: StringProperty(
        name="Style",
        description="Name of the style to train and to stylize with",
        default="style",
    )
    view_layer: StringProperty(
        name="View Layer",
        description="View layer to capture. Leave empty to use the first that is rendered",
    )
    use_custom_range: BoolProperty(
        name="Custom Range",
        description="Use another frame range than that of the scene",
    )
    frame_start: IntProperty(name="Start", description="First frame of the shot", default=1)
    frame_end: IntProperty(name="End", description="Last frame of the shot", default=250)
    device: EnumProperty(
        name="Device",
        description="Device that the engine computes on",
        items=(
            ("auto", "Automatic", "The fastest device of this computer"),
            ("cpu", "CPU", "Processor"),
            ("cuda", "CUDA or ROCm", "NVIDIA or AMD GPU"),
            ("xpu", "Intel XPU", "Intel GPU"),
            ("mps", "Metal", "Apple GPU"),
        ),
    )
    seconds: FloatProperty(
        name="Training Time",
        description="Longest time to train, reading the frames included",
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
        description="0 keeps the paint on the surface exactly as you painted it, 1 repaints it in "
        "the light of each frame, 0.5 mixes both as trained. Only for styles with the guide "
        "projection",
        default=0.5,
        min=0.0,
        max=1.0,
        subtype="FACTOR",
        options=set(),
    )
    unpainted: EnumProperty(
        name="Unpainted Parts",
        description="What the stylized frames show where your paintings are transparent, and "
        "outside the mattes, if the shot has some",
        items=(
            ("frame", "Keep the Frame", "The captured frame shows, under lines and washes too"),
            ("nothing", "Leave Empty", "The paint stands alone, on transparency"),
        ),
    )
    matte: PointerProperty(type=mattes.PAINTOVER_PG_matte)
    keyframes: CollectionProperty(type=PAINTOVER_PG_keyframe)
    before_compose: StringProperty(
        name="Settings Before Compositing",
        description="Output settings to restore when the compositor node is removed",
        options={"HIDDEN"},
    )


class PAINTOVER_PG_keyframe_row(bpy.types.PropertyGroup):
    """A row of the keyframe list."""

    frame: IntProperty()
    state: StringProperty()
    icon: StringProperty(default="NONE")
    is_masked: BoolProperty()
    picture: StringProperty(description="File of the painting")


class PAINTOVER_PG_session(bpy.types.PropertyGroup):
    """The running job and the keyframe list; never saved."""

    title: StringProperty(description="Title of the running step, empty if none is running")
    fraction: FloatProperty(min=0.0, max=1.0)
    seconds_left: FloatProperty(default=-1.0)
    text: StringProperty()
    keyframes: CollectionProperty(type=PAINTOVER_PG_keyframe_row)
    keyframe_index: IntProperty()


classes = (
    *mattes.classes,
    PAINTOVER_PG_keyframe,
    PAINTOVER_PG_scene,
    PAINTOVER_PG_keyframe_row,
    PAINTOVER_PG_session,
)


def of(scene: bpy.types.Scene) -> Any:
    """Return ``scene.paintover``."""
    holder: Any = scene
    return holder.paintover


def scene_of(context: bpy.types.Context) -> bpy.types.Scene:
    """Return the active scene."""
    assert context.scene
    return context.scene


class SceneReference:
    """Finds a scene again after an undo, and whatever its name is; copies have another one."""

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._uid, self._name = scene.session_uid, scene.name

    def find(self) -> bpy.types.Scene | None:
        """Return the scene, None if it was removed."""
        return next((each for each in bpy.data.scenes if each.session_uid == self._uid), None)

    def get(self) -> bpy.types.Scene:
        """Return the scene. Raises PaintoverError if it was removed."""
        scene = self.find()
        if scene is None:
            raise PaintoverError(f'The scene "{self._name}" was removed; try again.')
        return scene


def frame_range(scene: bpy.types.Scene) -> range:
    """Return the frames of the shot: the custom range if used, else that of the scene.

    Raises:
        PaintoverError: the range ends before it starts, or has numbers that no scene can have.
    """
    settings = of(scene)
    source = settings if settings.use_custom_range else scene
    first, last = int(source.frame_start), int(source.frame_end)
    if last < first:
        raise PaintoverError(f"The frame range {first} to {last} ends before it starts; change it.")
    if max(-first, last) > LARGEST_FRAME:
        raise PaintoverError(
            f"The frame range {first} to {last} is beyond {LARGEST_FRAME}, the last frame; change "
            "it."
        )
    return range(first, last + 1)


def frames(scene: bpy.types.Scene) -> list[int]:
    """Return ``frame_range`` as a list. Raises PaintoverError as it."""
    return list(frame_range(scene))


def frame_rate(scene: bpy.types.Scene) -> float:
    """Return the scene's frames per second."""
    return float(scene.render.fps / scene.render.fps_base)


def render_size(scene: bpy.types.Scene) -> tuple[int, int]:
    """Return the width and height of the rendered picture in pixels.

    Computed as in Blender: resolution × percentage / 100 in integers, rounded down.
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
