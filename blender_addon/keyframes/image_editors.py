# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows an image to paint on, or an image sequence, in the Image Editor."""

from __future__ import annotations

from typing import Any, Literal

import bpy

from ..compositor import sequences
from ..engine.shared.shot import Shot
from . import editor_areas, images, uv_wires


def show(preferred: bpy.types.Area | None, image: Any, mode: Literal["PAINT", "VIEW"]) -> Any:
    """Show an image in the largest Image Editor, or in a new window where there is none.

    Args:
        preferred: used instead if it is an Image Editor.
        image: the image to show.
        mode: mode of the editor.

    Returns:
        The editor's space.
    """
    manager: Any = bpy.context.window_manager
    found = editor_areas.image_editors()
    if preferred in found:
        area: Any = preferred
    elif found:
        area = max(found, key=lambda editor: editor.width * editor.height)
    else:
        with bpy.context.temp_override(window=manager.windows[0]):
            bpy.ops.wm.window_new()
        area = manager.windows[-1].screen.areas[0]
        area.ui_type = "IMAGE_EDITOR"
    space = area.spaces.active
    is_new = space.image != image
    space.image = image
    space.ui_mode = mode
    if mode == "PAINT":
        space.show_region_toolbar = space.show_region_ui = True
    elif is_new:
        _fit(area)
    uv_wires.update()
    return space


def _fit(area: Any) -> None:
    """Let an Image Editor show all of its picture."""
    manager: Any = bpy.context.window_manager
    window = next(each for each in manager.windows if area in list(each.screen.areas))
    region = next(each for each in area.regions if each.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        bpy.ops.image.view_all(fit_view=True)


def leave_versions(painting: Any) -> None:
    """Let the Image Editors that show an earlier painting of the shot show a painting instead."""
    folder = images.path_of(painting).parent / "versions"
    for area in editor_areas.image_editors():
        space: Any = area.spaces.active
        shown = space.image
        is_file = shown is not None and shown.source == "FILE" and shown.filepath
        if is_file and images.path_of(shown).parent == folder:
            space.image = painting


def show_frames(
    preferred: bpy.types.Area | None, shot: Shot, name: str, suffix: str, title: str
) -> None:
    """Show the frames in ``out/NAME``, each at its frame of the scene.

    Args:
        preferred: as in ``show``.
        shot: the shot.
        name: name of a style, or of the previews.
        suffix: of the files.
        title: name of the image in Blender.
    """
    paths = {frame: shot.out_path(name, frame, suffix) for frame in shot.out_frames(name, suffix)}
    sequence = sequences.arrange(paths, shot.cache_folder(sequences.FOLDER) / name)
    existing = sequences.find(sequence.first.parent)
    image = sequences.load(existing, title, sequence.first, shot)
    sequences.play(show(preferred, image, "VIEW").image_user, sequence)


def play() -> None:
    """Play the scene's frames, unless they are playing already."""
    manager: Any = bpy.context.window_manager
    if not any(window.screen.is_animation_playing for window in manager.windows):
        with bpy.context.temp_override(window=manager.windows[0]):
            bpy.ops.screen.animation_play()
