# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders the scene's compositor, frame by frame, into a folder; each frame once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import bpy

from . import messages
from .engine.shared.errors import PaintoverError
from .engine.shared.files import cannot_write, digest_file, digest_json, write_bytes
from .engine.shared.frame_lists import counted, frame_name
from .engine.shared.pictures.digests import digest_picture
from .engine.shared.pictures.header_bounds import check_before_loading
from .engine.shared.places import check_place, is_file
from .engine.shared.reading import read_json
from .engine.shared.shot import Shot
from .engine.shared.shot_paths import OUT_SUFFIXES
from .engine.shared.temporary import temporary_file
from .jobs import Job, Progress

_MOST_NOTE = 1024
_MOVIES = ("FFMPEG", "AVI_JPEG", "AVI_RAW")


def render(scene: Any, shot: Shot, style: str, folder: Path, frames: list[int]) -> Job[str]:
    """Render frames of a scene that has the node Paintover; frames that are up to date stay.

    A frame is up to date while the .blend and the stylized frame are those it was made from. It is
    written beside its place and renamed onto it, so a killed worker leaves no half frame.

    Args:
        scene: it is left at another frame, with other output settings.
        shot: the shot.
        style: its name.
        folder: gets ``0001.png``, or another suffix as the scene's file format, and ``made/``.
        frames: the frames.

    Returns:
        The message to report.

    Raises:
        PaintoverError: a frame cannot be rendered or written, would be several files, or is
            stylized as a picture that Blender must not load.
    """
    settings: Any = scene.render
    if settings.use_multiview and settings.image_settings.views_format == "INDIVIDUAL":
        raise PaintoverError(
            "With stereoscopy Blender would write several files a frame; in the output's "
            "settings set Views Format to Stereo 3D, or to Multi-View for OpenEXR."
        )
    if settings.image_settings.file_format in _MOVIES:
        if hasattr(settings.image_settings, "media_type"):
            settings.image_settings.media_type = "IMAGE"
        settings.image_settings.file_format = "PNG"
    settings.use_file_extension = False
    blend = digest_file(Path(bpy.data.filepath))
    rendered = 0
    for number, frame in enumerate(frames):
        yield Progress(number / len(frames), text=f"Frame {number + 1} of {len(frames)}")
        path = folder / f"{frame_name(frame)}{settings.file_extension}"
        check_place(path)
        made = digest_json([blend, _stylized(shot, style, frame)])
        if _is_made(path, made):
            continue
        for suffix in OUT_SUFFIXES:
            stylized = shot.out_path(style, frame, suffix)
            if is_file(stylized):
                check_before_loading(stylized, shot.manifest.size, to_end=False)
        _render(scene, frame, path)
        write_bytes(_note(path), json.dumps({"from": made}).encode())
        rendered += 1
    skipped = len(frames) - rendered
    done = f"Rendered {counted(rendered, 'frame')} to {folder}"
    return f"{done}; {skipped} up to date" if skipped else done


def file_extension(scene: Any) -> str:
    """Return the suffix of the frames that ``render`` writes, such as ``.png``."""
    settings: Any = scene.render
    is_movie = settings.image_settings.file_format in _MOVIES
    return ".png" if is_movie else str(settings.file_extension)


def _stylized(shot: Shot, style: str, frame: int) -> list[str]:
    return [digest_picture(shot.out_path(style, frame, suffix)) for suffix in OUT_SUFFIXES]


def _note(path: Path) -> Path:
    return path.parent / "made" / f"{path.stem}.json"


def _is_made(path: Path, made: str) -> bool:
    try:
        return path.is_file() and read_json(_note(path), _MOST_NOTE) == {"from": made}
    except (OSError, ValueError):
        return False


def _render(scene: Any, frame: int, path: Path) -> None:
    scene.frame_set(frame)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(path) as temporary:
            scene.render.filepath = str(temporary)
            bpy.ops.render.render(write_still=True, scene=scene.name)
            if not temporary.stat().st_size:
                raise PaintoverError(f"Blender rendered frame {frame}, but did not write {path}.")
            temporary.replace(path)
    except OSError as error:
        raise cannot_write(path, error) from error
    except RuntimeError as error:
        raise PaintoverError(
            f"Frame {frame} cannot be rendered: {messages.reported(error)}"
        ) from error
