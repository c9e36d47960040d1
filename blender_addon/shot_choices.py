# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do with a shot that another scene or .blend has too: go on with it, copy it, start anew.

Nobody has to choose: without a choice, scripts and farms go on with the shot, and say so.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import bpy

from . import compositor, properties, shot_folders, shot_links
from .engine.shared.errors import PaintoverError
from .engine.shared.folders import walk
from .engine.shared.links import is_link
from .engine.shared.manifest import MANIFEST_NAME
from .engine.shared.places import check_place, is_file, is_there, linked_folders
from .engine.shared.shot import Shot
from .engine.shared.temporary import is_temporary, temporary_folder
from .engine.shared.write_errors import why_not_written
from .jobs import Job, Progress
from .keyframes import images as keyframe_images

ACTIONS = ("KEEP", "COPY", "NEW")
_LEFT_OUT = ("cache", "capture")
_HELD = re.compile(r"\..+\.(claim|lock)")
"""Names of the files by which processes take turns."""


def choose(scene: bpy.types.Scene, action: str) -> Job[str]:
    """Go on with the scene's shot as its owner, with a copy of it, or with a new one.

    Args:
        scene: the scene.
        action: one of ``ACTIONS``.

    Returns:
        The message to report.

    Raises:
        PaintoverError: there is no shot, or a file cannot be written.
    """
    if not scene.is_editable:
        raise PaintoverError(
            f'The scene "{scene.name}" is linked, and so is its shot; make the scene local first.'
        )
    if action == "NEW":
        before = shot_folders.shot_folder(scene)
        folder = shot_links.unlink(scene)
        return f"The next capture starts a new shot in {folder}; the one before stays in {before}"
    shot = Shot.open(shot_folders.folder_to_write(scene))
    if action == "KEEP":
        shot_links.take_over(scene, shot)
        return f"The shot in {shot.folder} belongs to {_name(scene)} now"
    return (yield from _copy(scene, shot))


def _name(scene: bpy.types.Scene) -> str:
    name = Path(shot_folders.blend_of(scene)).name or "this .blend"
    return name if len(bpy.data.scenes) == 1 else f'the scene "{scene.name}" of {name}'


def _copy(scene: bpy.types.Scene, shot: Shot) -> Job[str]:
    """Copy a shot for a scene; a copy that was cancelled is deleted again."""
    if not shot_folders.blend_of(scene):
        raise PaintoverError("Save the .blend first; the copy gets a folder beside it.")
    if _used_by_others(scene, shot):
        keyframe_images.save_unsaved(shot)
    reference = properties.SceneReference(scene)
    folder = shot_folders.absolute(scene, shot_folders.default_folder(scene, new=True))
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with temporary_folder(folder) as unfinished:
            yield from _copy_files(shot.folder, unfinished)
            unfinished.replace(folder)
    except OSError as error:
        why = why_not_written(folder, error)
        raise PaintoverError(f"Cannot copy the shot to {folder}{why}.") from error
    copied = Shot.open(folder)
    copied.manifest.id = ""
    scene = reference.get()
    shot_links.take_over(scene, copied)
    if not _used_by_others(scene, shot):
        keyframe_images.move(shot, copied)
    compositor.refresh(scene, copied, shot)
    return f"The shot is copied to {folder}; the one before stays in {shot.folder}"


def _copy_files(source: Path, target: Path) -> Job[None]:
    files = _files_of(source)
    for number, path in enumerate(files):
        yield Progress(number / len(files), -1.0, f"Copying file {number + 1} of {len(files)}")
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copy2(path, place)
        except FileNotFoundError:
            if is_there(path):
                raise  # else another process has just deleted it
        except OSError as error:
            if error.filename == str(path):
                _not_read(error)
            raise


def _files_of(source: Path) -> list[Path]:
    """Return the files of a shot, also in its folders that are links to another disk.

    The manifest is the last.

    Raises:
        PaintoverError: a link is not followed or a folder cannot be read, so the copy would lack
            what is there.
    """
    files: list[Path] = []
    followed = [link for link in linked_folders(source) if link.name not in _LEFT_OUT]
    for start in (source, *followed):
        for place, folders, others in walk(start, _not_read):
            folders[:] = _copied(place == source, folders)
            for name in _copied(place == source, others):
                path = place / name
                if is_file(path):
                    files.append(path)
                elif is_link(path) and path not in followed:
                    raise _not_followed(path, source)
    return sorted(files, key=lambda path: (path.name == MANIFEST_NAME, path))


def _copied(is_root: bool, names: list[str]) -> list[str]:
    """Return the names of what is copied: no caches, and nothing that other processes hold."""
    return [
        name
        for name in names
        if not (is_temporary(name) or _HELD.fullmatch(name) or (is_root and name in _LEFT_OUT))
    ]


def _not_followed(link: Path, source: Path) -> PaintoverError:
    if link.parent == source:
        try:
            check_place(link / MANIFEST_NAME)
        except PaintoverError as error:  # which tells why
            return error
    return PaintoverError(f"{link} is a link that no copy follows; replace it by what it leads to.")


def _not_read(error: OSError) -> None:
    raise PaintoverError(
        f"{error.filename} cannot be read ({error.strerror}), so the copy would lack it; let it be "
        "read, or move it out of the shot folder."
    )


def _used_by_others(scene: bpy.types.Scene, shot: Shot) -> bool:
    return any(
        properties.of(other).shot_id == shot.manifest.id
        for other in bpy.data.scenes
        if other != scene
    )
