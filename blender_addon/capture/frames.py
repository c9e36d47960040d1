# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders a frame, and saves its picture and its passes from the same render."""

from __future__ import annotations

import errno
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy

from .. import messages, versions
from ..engine.shared.errors import Cancelled, PaintoverError
from ..engine.shared.files import written_beside
from . import surface
from .exr_files import pass_names
from .settings import plain_values

_PNG_END = b"IEND\xaeB`\x82"
_IMAGE_SETTINGS = (
    "media_type",
    "file_format",
    "color_mode",
    "color_depth",
    "compression",
    "exr_codec",
    "use_exr_interleave",
    "use_preview",
    "color_management",
)


def render(scene: bpy.types.Scene, *, blocking: bool) -> Generator[None, None, None]:
    """Render the current frame; yield repeatedly while Blender's render job runs.

    Raises:
        PaintoverError: Blender could not render.
        Cancelled: the user stopped the render.
    """
    if blocking:
        with _render_errors(scene), _active(scene):
            status = bpy.ops.render.render()
        if "CANCELLED" in status:
            raise Cancelled
        return
    complete: list[bool] = []
    # The handler runs on Blender's render thread, so it must not use Blender data.
    handler: Callable[..., None] = lambda *_: complete.append(True)  # noqa: E731
    bpy.app.handlers.render_complete.append(handler)
    try:
        with _render_errors(scene), _active(scene):
            bpy.ops.render.render("INVOKE_DEFAULT")
        while bpy.app.is_job_running("RENDER"):
            yield
    finally:
        if handler in bpy.app.handlers.render_complete:
            bpy.app.handlers.render_complete.remove(handler)
    if not complete:
        raise Cancelled


def _active(scene: bpy.types.Scene) -> Any:
    """Let operators work on this scene: a linked scene may have the name of a local one."""
    return bpy.context.temp_override(scene=scene)


@contextmanager
def _render_errors(scene: bpy.types.Scene) -> Iterator[None]:
    try:
        yield
    except RuntimeError as error:
        reason = messages.reported(error).rstrip(".")
        raise PaintoverError(
            f"Blender could not render frame {scene.frame_current}: {reason}."
        ) from error


def save(scene: bpy.types.Scene, image: Path, passes: Path) -> list[str]:
    """Save the last render, each file atomically.

    Args:
        scene: the rendered scene.
        image: path of the picture: display-referred 8-bit PNG, RGBA if the film is transparent.
        passes: path of the passes: multilayer EXR, in 24-bit floats if their precision suffices
            for the surface coordinates, else in 32-bit floats, which are twice as large and several
            times slower to read.

    Returns:
        The names of the passes.

    Raises:
        PaintoverError: a file cannot be written.
    """
    with written_beside(passes) as temporary:
        # Half floats would round the surface coordinates to 11 bits.
        codec = "PXR24" if surface.fits_24_bits() else "ZIP"
        with image_format(scene, "OPEN_EXR_MULTILAYER", color_depth="32", exr_codec=codec):
            save_result(scene, temporary)
        names = pass_names(temporary)
    mode = "RGBA" if scene.render.film_transparent else "RGB"
    with written_beside(image) as temporary:
        with image_format(scene, "PNG", color_mode=mode, color_depth="8", compression=15):
            save_result(scene, temporary)
        if not temporary.read_bytes().endswith(_PNG_END):
            raise OSError(errno.EIO, "the file is incomplete")
    return names


def save_result(scene: bpy.types.Scene, path: Path) -> None:
    """Save the last render in the scene's file format. Raises OSError."""
    result = next(image for image in bpy.data.images if image.type == "RENDER_RESULT")
    try:
        result.save_render(str(path), scene=scene)
    except RuntimeError as error:
        reason = messages.reported(error).splitlines()[0]
        raise OSError(errno.EIO, reason) from error


@contextmanager
def image_format(scene: bpy.types.Scene, file_format: str, **settings: Any) -> Iterator[None]:
    """Temporarily write pictures in another format, with the scene's view transform."""
    owner: Any = scene.render.image_settings
    before = {name: getattr(owner, name) for name in _IMAGE_SETTINGS if hasattr(owner, name)}
    # Restore these last: switching the override on copies the scene's view settings over them.
    override = [
        (part, plain_values(part)) for part in (owner.display_settings, owner.view_settings)
    ]
    try:
        versions.set_file_format(owner, file_format)
        # A part per pass is faster to read, but Blender 5.0 cannot write parts where the pixels
        # are not square.
        square = scene.render.pixel_aspect_x == scene.render.pixel_aspect_y
        versions.set_exr_interleave(owner, not square)
        owner.color_management = "FOLLOW_SCENE"
        for name, value in settings.items():
            setattr(owner, name, value)
        yield
    finally:
        for name, value in before.items():
            setattr(owner, name, value)
        for part, values in override:
            now = plain_values(part)
            # Unused, they may hold what Blender refuses to be set.
            for name in [name for name, value in values.items() if now[name] != value]:
                setattr(part, name, values[name])
