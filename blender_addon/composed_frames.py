# SPDX-License-Identifier: GPL-3.0-or-later
"""Renders the scene's compositor, frame by frame, into a folder; each frame once."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import bpy

from . import messages
from .engine.shared.checked import Digest, from_data
from .engine.shared.errors import PaintoverError
from .engine.shared.files import cannot_write, digest_file, digest_json, write_bytes
from .engine.shared.frame_lists import counted, frame_name, name_frames
from .engine.shared.pictures.digests import digest_once, digest_picture
from .engine.shared.pictures.header_bounds import check_before_loading
from .engine.shared.places import check_place, is_file, is_there
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
    written beside its place and renamed onto it, so a killed worker leaves no half frame. Files
    that no job has rendered are not replaced, and those that were changed since become versions.

    Args:
        scene: it is left at another frame, with other output settings.
        shot: the shot.
        style: its name.
        folder: gets ``0001.png``, or another suffix as the scene's file format, and ``made/``.
        frames: the frames.

    Returns:
        The message to report.

    Raises:
        PaintoverError: a frame cannot be rendered or written, would be several files, is stylized
            as a picture that Blender must not load, or would replace the file of another program.
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
    paths = {frame: folder / f"{frame_name(frame)}{settings.file_extension}" for frame in frames}
    for path in paths.values():
        _check_ours(path)
    rendered = 0
    changed: list[int] = []
    for number, (frame, path) in enumerate(paths.items()):
        yield Progress(number / len(paths), text=f"Frame {number + 1} of {len(paths)}")
        made = digest_json([blend, _stylized(shot, style, frame)])
        if _is_made(path, made):
            continue
        _check_stylized(shot, style, frame)
        if _render(scene, shot, frame, path, made):
            changed.append(frame)
        rendered += 1
    skipped = len(paths) - rendered
    done = f"Rendered {counted(rendered, 'frame')} to {folder}"
    done += f"; {skipped} up to date" if skipped else ""
    if changed:
        done += f"; {name_frames(changed)} had been changed, what was there is in "
        done += str(folder / "versions")
    return done


def file_extension(scene: Any) -> str:
    """Return the suffix of the frames that ``render`` writes, such as ``.png``."""
    settings: Any = scene.render
    is_movie = settings.image_settings.file_format in _MOVIES
    return ".png" if is_movie else str(settings.file_extension)


def _check_stylized(shot: Shot, style: str, frame: int) -> None:
    for suffix in OUT_SUFFIXES:
        stylized = shot.out_path(style, frame, suffix)
        if is_file(stylized):
            check_before_loading(stylized, shot.manifest.size, to_end=False)


def _stylized(shot: Shot, style: str, frame: int) -> list[str]:
    return [digest_picture(shot.out_path(style, frame, suffix)) for suffix in OUT_SUFFIXES]


@dataclasses.dataclass(frozen=True)
class _Note:
    made_from: Digest
    """Digest of the .blend and the stylized frame; "" while the frame is replaced."""
    pictures: dict[str, list[Digest]]
    """File name → digests of what jobs have rendered there, in each format; two while one is
    replaced."""


def _note_path(path: Path) -> Path:
    return path.parent / "made" / f"{path.stem}.json"


def _read_note(path: Path) -> _Note | None:
    """Return the note beside a composed frame, None if there is none or it is damaged."""
    try:
        data = read_json(_note_path(path), _MOST_NOTE)
        if isinstance(data, dict) and "from" in data:  # of an earlier version: its file is ours
            pictures = {path.name: [digest_picture(path)]}
            return from_data(_Note, {"made_from": data["from"], "pictures": pictures})
        return from_data(_Note, data)
    except (OSError, ValueError):
        return None


def _pictures(path: Path) -> dict[str, list[str]]:
    note = _read_note(path)
    return note.pictures if note else {}


def _write_note(path: Path, made: str, pictures: dict[str, list[str]]) -> None:
    note = {"made_from": made, "pictures": pictures}
    write_bytes(_note_path(path), json.dumps(note).encode())


def _check_ours(path: Path) -> None:
    check_place(path)
    if is_there(path) and path.name not in _pictures(path):
        raise PaintoverError(
            f"{path} is in the way, and no job has rendered it; move it elsewhere, or render to "
            "another folder."
        )


def _is_made(path: Path, made: str) -> bool:
    note = _read_note(path)
    is_noted = note is not None and note.made_from == made and path.name in note.pictures
    return is_noted and path.is_file()


def _render(scene: Any, shot: Shot, frame: int, path: Path, made: str) -> bool:
    """Render a frame; returns whether a file that was changed since has become a version."""
    scene.frame_set(frame)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(path) as temporary:
            scene.render.filepath = str(temporary)
            bpy.ops.render.render(write_still=True, scene=scene.name)
            if not temporary.stat().st_size:
                raise PaintoverError(f"Blender rendered frame {frame}, but did not write {path}.")
            return _put(shot, temporary, path, made)
    except OSError as error:
        raise cannot_write(path, error) from error
    except RuntimeError as error:
        raise PaintoverError(
            f"Frame {frame} cannot be rendered: {messages.reported(error)}"
        ) from error


def _put(shot: Shot, rendered: Path, path: Path, made: str) -> bool:
    """Let a rendered file replace the one of before; see ``_render``."""
    pictures = _pictures(path)
    before, new = digest_picture(path), digest_once(rendered)
    is_known = before in (*pictures.get(path.name, []), new)
    is_kept = not is_known and shot.link_version(path) is not None
    # First, so that a job that is killed knows its own frame; it is not up to date.
    _write_note(path, "", {**pictures, path.name: [before, new] if is_known else [new]})
    rendered.replace(path)
    _write_note(path, made, {**pictures, path.name: [new]})
    return is_kept
