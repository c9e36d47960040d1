# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames in ``out/`` as image sequences of Blender."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import bpy

from .. import colour_names
from ..engine.shared.errors import PaintoverError
from ..engine.shared.pictures.header_bounds import check_before_loading
from ..engine.shared.pictures.sizes import DAMAGED, painting_size
from ..engine.shared.places import check_place, is_file, real_path
from ..engine.shared.shot import Shot
from ..engine.shared.temporary import (
    free_name,
    is_temporary,
    remove_leftovers,
    temporary_file,
)
from ..engine.shared.write_errors import why_not_written

FOLDER = "compositor"
"""Name of the cache folder for ``arrange``."""
TIMING = "frame_start", "frame_offset", "frame_duration", "use_cyclic", "use_auto_refresh"
"""What ``play`` sets of an image user."""
_FRAME = re.compile(r"-?[0-9]+")


@dataclasses.dataclass(frozen=True)
class Sequence:
    """Files of frames as Blender can play them."""

    first: Path
    """The file of the first frame."""
    frames: tuple[int, ...]
    """The frames of the scene that have a file, sorted."""
    shift: int = 0
    """The number in a file's name, less its frame."""


def arrange(paths: Mapping[int, Path], links: Path) -> Sequence:
    """Return the files of frames as a sequence.

    Blender cannot play files with negative numbers, so frames before 0 get links with other ones.

    Args:
        paths: frame → file, at least one.
        links: folder for the links, made if necessary.

    Raises:
        PaintoverError: the links cannot be written.
    """
    sequence = arranged(paths, links)
    if sequence.shift:
        wanted = {sequence_path(sequence, frame): path for frame, path in paths.items()}
        check_place(sequence.first)
        try:
            links.mkdir(parents=True, exist_ok=True)
            remove_leftovers(links)
            for link in links.iterdir():
                if link not in wanted and not is_temporary(link.name):
                    link.unlink(missing_ok=True)
            for link, path in wanted.items():
                if not _is_current(link, path):
                    _link(link, path)
        except OSError as error:
            raise PaintoverError(
                f"Cannot write {links}{why_not_written(links, error)}, or begin the frame range at "
                "0 or later."
            ) from error
    return sequence


def arranged(paths: Mapping[int, Path], links: Path) -> Sequence:
    """Return what ``arrange`` returns, without writing links."""
    frames = tuple(sorted(paths))
    if frames[0] >= 0:
        return Sequence(paths[frames[0]], frames)
    shift = 1 - frames[0]
    return Sequence(links / f"0001{paths[frames[0]].suffix}", frames, shift)


def is_current(sequence: Sequence, paths: Mapping[int, Path]) -> bool:
    """Return whether the links of a sequence show the files as they are now."""
    return not sequence.shift or all(
        _is_current(sequence_path(sequence, frame), path) for frame, path in paths.items()
    )


def sequence_path(sequence: Sequence, frame: int) -> Path:
    """Return the path of a frame's file, or of the link to it."""
    name = f"{frame + sequence.shift:04d}{sequence.first.suffix}"
    return sequence.first.with_name(name)


def _is_current(link: Path, path: Path) -> bool:
    try:
        there, here = link.stat(), path.stat()
    except OSError:
        return False
    return (there.st_mtime_ns, there.st_size) == (here.st_mtime_ns, here.st_size)


def _link(link: Path, path: Path) -> None:
    """Make a symbolic link, or a copy where the system or the drive has no such links."""
    temporary = free_name(link)
    try:
        temporary.symlink_to(os.path.relpath(path, link.parent))
        temporary.replace(link)
    except (OSError, ValueError):
        temporary.unlink(missing_ok=True)
        with temporary_file(link) as copied:
            shutil.copy2(path, copied)
            copied.replace(link)


def load(existing: Any | None, name: str, path: Path, shot: Shot) -> Any:
    """Return an image sequence, reloaded, that shows the codes of its files unchanged.

    Args:
        existing: image to reuse; None makes a new one.
        name: name of the image.
        path: one of the files: PNG with straight alpha, or EXR, linear and premultiplied.
        shot: the shot that they belong to.

    Raises:
        PaintoverError: Blender's color configuration cannot show such files, or it must not load
            one of them.
    """
    check_files(path, shot)
    linear = path.suffix == ".exr"
    space = colour_names.linear() if linear else colour_names.plain_output().space
    image: Any = existing or bpy.data.images.load(str(path), check_existing=False)
    image.name = name
    image.filepath = str(path)
    image.source = "SEQUENCE"
    image.colorspace_settings.name = space
    image.alpha_mode = "PREMUL" if linear else "STRAIGHT"
    image.use_view_as_render = False
    if bpy.data.filepath:
        with contextlib.suppress(ValueError):  # there is no relative path to another drive
            image.filepath = bpy.path.relpath(str(path))
    _reread(image)
    return image


def check_files(path: Path, shot: Shot) -> None:
    """Raise PaintoverError if Blender must not load a file of the sequence that this one is of."""
    for found in sorted(path.parent.glob(f"*{path.suffix}")):
        if not _FRAME.fullmatch(found.stem):
            continue
        try:
            check_before_loading(found, shot.manifest.size, to_end=False)
        except PaintoverError:
            if is_file(found):  # else it is a link to a frame that is gone
                raise


def check_sizes(paths: Iterable[Path], shot: Shot) -> None:
    """Check pictures before Blender loads them; only of the first, all of the file is read.

    Raises:
        PaintoverError: one is damaged, has another size, or asks for more than pictures have.
    """
    for number, path in enumerate(paths):
        try:
            check_before_loading(path, to_end=number == 0)
        except PaintoverError as error:
            raise _damaged(path) from error
        size = painting_size(path)
        if size is None or (size == shot.manifest.size and number == 0 and path.suffix != ".png"):
            check_before_loading(path, shot.manifest.size)
            size = _size_in_blender(path)
        if size == DAMAGED:
            raise _damaged(path)
        if size != shot.manifest.size:
            width, height = shot.manifest.size
            raise PaintoverError(
                f"{path} is {size[0]}×{size[1]}, but the shot is {width}×{height}; stylize again."
            )


def _damaged(path: Path) -> PaintoverError:
    return PaintoverError(f"{path} is damaged; delete it and stylize again.")


def _size_in_blender(path: Path) -> tuple[int, int]:
    image: Any = bpy.data.images.load(str(path), check_existing=False)
    try:
        return tuple(image.size)
    finally:
        bpy.data.images.remove(image)


def path_of(image: Any) -> Path:
    """Return the absolute path of an image's file; a link is not followed."""
    return Path(bpy.path.abspath(image.filepath, library=image.library))


def folder_of(image: Any) -> Path:
    """Return the folder of an image's files."""
    return real_path(path_of(image).parent)


def find(folder: Path) -> Any | None:
    """Return the image sequence with files in a folder, or None."""
    for image in bpy.data.images:
        if image.source == "SEQUENCE" and folder_of(image) == real_path(folder):
            return image
    return None


def shot_folder(image: Any) -> Path | None:
    """Return the shot whose stylized frames, or links to them, an image shows; None if none."""
    if image.source != "SEQUENCE" or not image.filepath:
        return None
    folder = folder_of(image).parent
    if folder.name == "out":
        found = folder.parent
    elif folder.parts[-2:] == ("cache", FOLDER):
        found = folder.parents[1]
    else:
        return None
    return found if Shot.exists(found) else None


def reload_all(folder: Path, shot: Shot) -> None:
    """Reload all image sequences with files in a folder.

    Raises:
        PaintoverError: as ``reload``.
    """
    for image in bpy.data.images:
        if image.source == "SEQUENCE" and folder_of(image) == real_path(folder):
            reload(image, shot)


def reload(image: Any, shot: Shot) -> None:
    """Reload the files, and tag the image so that the compositor's backdrop updates.

    Raises:
        PaintoverError: Blender must not load one of the files; the image is unchanged.
    """
    check_files(path_of(image), shot)
    _reread(image)


def _reread(image: Any) -> None:
    image.reload()
    image.update_tag()


def play(user: Any, sequence: Sequence) -> None:
    """Show each file of a sequence at its frame of the scene.

    Args:
        user: an Image node, or the image user of an editor.
        sequence: of the image's files.
    """
    first, last = sequence.frames[0], sequence.frames[-1]
    # Blender shows file number = scene frame - frame_start + 1 + frame_offset.
    user.frame_start, user.frame_offset = first, first + sequence.shift - 1
    user.frame_duration = last - first + 1
    user.use_cyclic, user.use_auto_refresh = False, True
