# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes into a scene which shot it has, and keeps it there through Save As, undo and loading."""

from __future__ import annotations

import contextlib
import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import properties, shot_folders
from .engine.shared.errors import PaintoverError
from .engine.shared.identity import identity
from .engine.shared.shot import Shot
from .handlers import Handlers


@dataclasses.dataclass(frozen=True)
class _Link:
    """The settings of a scene that name its shot."""

    folder: str
    shot_id: str
    folder_hint: str


_links: dict[int, _Link] = {}
"""Session id of a scene → its link, for when an undo goes back to before the first capture."""


def claim(scene: bpy.types.Scene, folder: Path) -> None:
    """Write into the scene that it has the shot of a folder, and into the shot that it is owned.

    A shot that belongs to another scene or .blend keeps its owner.
    """
    try:
        shot = Shot.open(folder)
    except PaintoverError:
        return
    if not shot_folders.other_owner(scene, folder):
        _own(scene, shot)
    link(scene, folder, shot.manifest.id)


def take_over(scene: bpy.types.Scene, shot: Shot) -> None:
    """Make a scene the owner of a shot.

    Raises:
        PaintoverError: ``shot.json`` cannot be written.
    """
    shot.manifest.owner = _owner(scene, shot.folder)
    shot.save()
    shot_folders.owners[shot.manifest.id] = scene.session_uid
    link(scene, shot.folder, shot.manifest.id)


def _own(scene: bpy.types.Scene, shot: Shot) -> None:
    owner = _owner(scene, shot.folder)
    if not shot.manifest.id or shot.manifest.owner != owner:
        shot.manifest.owner = owner
        with contextlib.suppress(PaintoverError):  # a shot that may only be read works as before
            shot.save()
    shot_folders.owners[shot.manifest.id] = scene.session_uid


def _owner(scene: bpy.types.Scene, folder: Path) -> dict[str, str]:
    blend = shot_folders.blend_of(scene)
    if not blend:
        return {}
    try:
        path = os.path.relpath(blend, folder)
    except ValueError:  # on another drive
        path = blend
    return {"blend": path.replace(os.sep, "/"), "scene": scene.name}


def link(scene: bpy.types.Scene, folder: Path, shot_id: str) -> None:
    """Write into a scene, unless it is linked from a library, that its shot is in a folder."""
    if not scene.is_editable:
        return
    settings = properties.of(scene)
    given = settings.folder
    if not given or not _leads_to(scene, given, folder):
        given = shot_folders.relative(folder, shot_folders.blend_of(scene))
    made = _Link(given, shot_id, str(folder))
    _write(settings, made)
    _links[scene.session_uid] = made


def _leads_to(scene: bpy.types.Scene, given: str, folder: Path) -> bool:
    if given.startswith("//") and not shot_folders.blend_of(scene):
        return False
    return shot_folders.absolute(scene, given) == folder


def unlink(scene: bpy.types.Scene) -> Path:
    """Let a scene start a new shot in a folder that does not exist yet, and return that folder.

    Raises:
        PaintoverError: the .blend was never saved.
    """
    settings = properties.of(scene)
    given = shot_folders.default_folder(scene, new=True)
    if not shot_folders.blend_of(scene):
        raise PaintoverError("Save the .blend first; the new shot gets a folder beside it.")
    _write(settings, _Link(given, "", ""))
    _links.pop(scene.session_uid, None)
    return shot_folders.absolute(scene, given)


def _write(settings: Any, link: _Link) -> None:
    now = _Link(settings.folder, settings.shot_id, settings.folder_hint)
    if now != link:
        with properties.programmatic():
            settings.folder = link.folder
            settings.shot_id, settings.folder_hint = link.shot_id, link.folder_hint


def _shots() -> Iterator[tuple[bpy.types.Scene, Path]]:
    """Yield the scenes of this .blend that have a shot, with its folder."""
    for scene in bpy.data.scenes:
        if scene.is_editable:
            with contextlib.suppress(PaintoverError):
                folder = shot_folders.shot_folder(scene)
                if identity(folder) is not None:
                    yield scene, folder


_saving: dict[int, Path] = {}
"""Session id of a scene → its shot folder, while the .blend is saved."""


@persistent  # type: ignore[untyped-decorator]
def _before_save(blend: str = "", *_: Any) -> None:
    """Make the folders relative to where the .blend is saved: Blender does not do it."""
    _claim_all()
    _saving.clear()
    for scene in bpy.data.scenes:
        settings = properties.of(scene)
        if scene.is_editable and settings.folder.startswith("//"):
            with contextlib.suppress(PaintoverError):
                folder = shot_folders.shot_folder(scene)
                _saving[scene.session_uid] = folder
                _relate(scene, folder, blend)


def _relate(scene: bpy.types.Scene, folder: Path, blend: str) -> None:
    settings = properties.of(scene)
    here = shot_folders.blend_of(scene)
    moves = Path(blend).parent != Path(here).parent
    if moves or not _leads_to(scene, settings.folder, folder):
        given = shot_folders.relative(folder, blend)
        _write(settings, _Link(given, settings.shot_id, settings.folder_hint))


@persistent  # type: ignore[untyped-decorator]
def _after_save(*_: Any) -> None:
    for scene in bpy.data.scenes:
        folder = _saving.pop(scene.session_uid, None)
        if folder is not None:
            _relate(scene, folder, bpy.data.filepath)
    _claim_all()


@persistent  # type: ignore[untyped-decorator]
def _after_load(*_: Any) -> None:
    _links.clear()
    shot_folders.owners.clear()
    _claim_all()


def _claim_all() -> None:
    for scene, folder in list(_shots()):
        claim(scene, folder)


@persistent  # type: ignore[untyped-decorator]
def _after_undo(*_: Any) -> None:
    for scene in bpy.data.scenes:
        known = _links.get(scene.session_uid)
        if known and scene.is_editable and not properties.of(scene).shot_id:
            _write(properties.of(scene), known)


_HANDLERS = Handlers(
    save_pre=_before_save,
    save_post=_after_save,
    save_post_fail=_after_save,
    load_post=_after_load,
    undo_post=_after_undo,
    redo_post=_after_undo,
)


def register() -> None:
    _HANDLERS.add()


def unregister() -> None:
    _HANDLERS.remove()
    _links.clear()
