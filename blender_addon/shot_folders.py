# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the shot of a scene is, and whether another scene or .blend has it too.

From its first frames on, a shot is written into its scene: the folder, the shot's random id, and
the absolute path as a hint for when the .blend has moved. ``shot.json`` names the .blend and the
scene that it belongs to. So a copy of the scene or of the .blend is noticed.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from .engine.shared.errors import PaintoverError
from .engine.shared.files import as_text, is_text
from .engine.shared.identity import Identity, identity
from .engine.shared.places import is_file, is_folder, is_there

owners: dict[str, int] = {}
"""Id of a shot → session id of the scene that owned it when its name was last noted."""


def _settings(scene: bpy.types.Scene) -> Any:
    holder: Any = scene
    return holder.paintover


def blend_of(scene: bpy.types.Scene) -> str:
    """Return the absolute path of the .blend that the scene is in, "" if it was never saved."""
    if scene.library:
        return os.path.normpath(bpy.path.abspath(scene.library.filepath))
    return bpy.data.filepath


def shot_folder(scene: bpy.types.Scene) -> Path:
    """Return the absolute path of the scene's shot folder, which may not exist yet.

    Raises:
        PaintoverError: the path is relative to the .blend, which was never saved, or it is no valid
            text, which Blender keeps and shows nowhere.
    """
    settings = _settings(scene)
    hint = Path(settings.folder_hint) if settings.shot_id and settings.folder_hint else None
    if (settings.folder or "//").startswith("//") and not blend_of(scene):
        if hint and _is(hint, settings.shot_id):
            return hint
        raise PaintoverError(
            "Save the .blend first, or choose a shot folder in the Paintover panel."
        )
    folder = absolute(scene, settings.folder or default_folder(scene))
    if not is_text(str(folder)):
        raise PaintoverError(
            f"The shot folder {as_text(folder)} has a name that is no valid text (UTF-8); rename "
            "it, or choose another in the Paintover panel."
        )
    if hint and not _is(folder, settings.shot_id) and _is(hint, settings.shot_id):
        return hint
    return folder


def absolute(scene: bpy.types.Scene, folder: str) -> Path:
    """Return the absolute path of a folder that may be relative to the scene's .blend."""
    return Path(os.path.normpath(bpy.path.abspath(folder, library=scene.library)))


def relative(folder: Path, blend: str) -> str:
    """Return a folder relative to a .blend, absolute if there is none or it is on another drive."""
    try:
        path = os.path.relpath(folder, Path(blend).parent) if blend else ""
    except ValueError:
        path = ""
    return f"//{path.replace(os.sep, '/')}/" if path else str(folder)


def _is(folder: Path, shot_id: str) -> bool:
    found = identity(folder)
    return found is not None and found.id == shot_id


def default_folder(scene: bpy.types.Scene, *, new: bool = False) -> str:
    """Return the shot folder for an empty setting: beside the .blend, with its name.

    Args:
        scene: the scene; the shot of another scene or .blend is left alone, unless it is a copy
            that was put there.
        new: also leave alone any folder that exists, and that which the scene has, which may
            come back.
    """
    settings = _settings(scene)
    own = (absolute(scene, settings.folder or "//"), Path(settings.folder_hint or "/"))
    name = Path(blend_of(scene)).stem or "untitled"
    if scene.name != "Scene":
        name += f"-{bpy.path.clean_name(scene.name)}"
    for number in range(1, 10_000):
        given = f"//paintover/{name}{f'-{number}' if number > 1 else ''}/"
        if not blend_of(scene):
            break
        folder = absolute(scene, given)
        if new:
            is_taken = is_there(folder) or folder in own
        else:
            is_taken = bool(other_owner(scene, folder)) and not _is_copy(folder)
        if not is_taken:
            break
    return given


def _is_copy(folder: Path) -> bool:
    """Return whether a folder beside this one has the same shot."""
    found = identity(folder)
    if found is None or not found.id:
        return False
    try:
        others = [other for other in folder.parent.iterdir() if other != folder]
    except OSError:  # that folder may not be listed
        return False
    return any(_is(other, found.id) for other in others)


def gone(scene: bpy.types.Scene) -> str:
    """Return the sentence that the shot folder has vanished, "" if it has not."""
    try:
        folder = shot_folder(scene)
    except PaintoverError:
        return ""
    if not _settings(scene).shot_id or is_folder(folder):
        return ""
    return f"The shot folder {folder} is gone"


def folder_to_write(scene: bpy.types.Scene) -> Path:
    """Return the shot folder to capture or import into.

    Raises:
        PaintoverError: it has vanished, or as in ``shot_folder``.
    """
    vanished = gone(scene)
    if vanished:
        raise PaintoverError(
            f"{vanished}; bring it back, choose where it is now in the Paintover panel, or start a "
            "new shot there."
        )
    return shot_folder(scene)


def other_owner(scene: bpy.types.Scene, folder: Path | None = None) -> str:
    """Return to what else a shot belongs, such as ``shot_v001.blend`` or ``the scene "Fox"``.

    Args:
        scene: the scene that uses the shot.
        folder: of the shot; None: the scene's.

    Returns:
        "" if the shot belongs to this scene or to none. A .blend that no longer exists, or a scene
        that was renamed, owns nothing.
    """
    if folder is None:
        try:
            folder = shot_folder(scene)
        except PaintoverError:
            return ""
    found = identity(folder)
    if found is None or not found.blend:
        return ""
    here, blend = blend_of(scene), owner_path(folder, found)
    if here and _same(Path(here), blend):
        return _other_scene(scene, found)
    return blend.name if is_file(blend) else ""


def owner_path(folder: Path, found: Identity) -> Path:
    """Return the absolute path of the .blend that a shot belongs to."""
    return Path(os.path.normpath(folder / found.blend))


def _other_scene(scene: bpy.types.Scene, found: Identity) -> str:
    others = [
        other
        for other in bpy.data.scenes
        if other != scene
        and other.library == scene.library
        and found.id
        and _settings(other).shot_id == found.id
    ]
    if not others:
        return ""
    has_shot = _settings(scene).shot_id == found.id
    owner = next((other for other in others if other.name == found.scene), None)
    if has_shot and scene.name == found.scene:
        return ""
    if owner is None:  # the owner was renamed
        known = owners.get(found.id)
        if has_shot and scene.session_uid == known:
            return ""
        owner = next((other for other in others if other.session_uid == known), others[0])
    return f'the scene "{owner.name}"'


def _same(first: Path, second: Path) -> bool:
    try:
        return first.samefile(second)
    except OSError:
        return os.path.normcase(first) == os.path.normcase(second)


def describe_owner(scene: bpy.types.Scene) -> str:
    """Return the sentence that the scene's shot belongs to something else, "" if it does not."""
    owner = other_owner(scene)
    return f"This shot belongs to {owner}" if owner else ""


def tell_owner(scene: bpy.types.Scene, warn: Callable[[str], None]) -> None:
    """Warn that a script goes on with a shot that belongs to something else, if it does."""
    sentence = describe_owner(scene)
    if sentence:
        warn(
            f"{sentence}; going on with it. To copy it or to start a new one, use "
            "bpy.ops.paintover.shot_choose or the command shot"
        )


def must_choose(scene: bpy.types.Scene) -> str:
    """Return the sentence that the user must choose before a step changes the shot, or ""."""
    sentence = describe_owner(scene)
    if not sentence or not scene.is_editable:
        return ""
    return (
        f"{sentence}. Choose in the Paintover panel: Go On with This Shot, Copy Shot or New Shot."
    )
