# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures in ``keys/`` that are not used because of their names, and the names that work."""

from __future__ import annotations

import re
from pathlib import Path

from ..frame_lists import format_frames, frame_name
from ..pictures.frame_numbers import NamePattern, frame_named
from ..pictures.kinds import MOVIE_SUFFIXES, OTHER_SUFFIXES, PICTURE_SUFFIXES
from ..shot import Shot
from ..shot_paths import KEY_SUFFIXES

_MOST_NAMED = 4
_MASK = re.compile("(?<![a-z])(?:masks?|mattes?)(?![a-z])", re.I)


def unused_key_files(shot: Shot) -> dict[Path, str]:
    """Return the pictures in ``keys/`` that are not used, with what to do about each.

    Documents of paint programs, and pictures of other kinds with the same name, are normal beside
    a painting that is used, and are not listed there.
    """
    folder = shot.folder / "keys"
    found = sorted(folder.iterdir()) if folder.is_dir() and shot.frames else []
    advice = {path: _advice(shot, path) for path in found if _is_picture(path)}
    return {path: words for path, words in advice.items() if words}


def describe_unused(shot: Shot) -> str:
    """Return ``unused_key_files`` as the end of a sentence, without its full stop; "" if none."""
    unused = list(unused_key_files(shot).items())
    if not unused:
        return ""
    (first, words), *others = unused
    parts = [f"keys/{first.name} is not used: {words}"]
    parts += [f"nor is {path.name}: {words}" for path, words in others[: _MOST_NAMED - 1]]
    more = len(unused) - _MOST_NAMED
    return "; ".join(parts) + (f"; and {more} more" if more > 0 else "")


def _is_picture(path: Path) -> bool:
    suffixes = (*PICTURE_SUFFIXES, *OTHER_SUFFIXES, *MOVIE_SUFFIXES)
    is_there = path.is_file() or _is_broken_link(path)
    return path.suffix.lower() in suffixes and path.name[0] != "." and is_there


def _is_broken_link(path: Path) -> bool:
    return path.is_symlink() and not path.exists()


def _advice(shot: Shot, path: Path) -> str:
    """Return what to do to have a picture used; "" if it is used, or is there for a reason."""
    if _is_broken_link(path):
        return "it is a link that leads to no file; replace it by the picture itself"
    is_mask = _MASK.search(path.stem) is not None
    frame = frame_named(path.stem, NamePattern())
    if frame is not None and frame not in shot.manifest.frames:
        return f"the shot has no frame {frame}, only {format_frames(shot.frames)}"
    suffix = ".mask.png" if is_mask else ".exr" if path.suffix.lower() == ".exr" else ".png"
    name = frame_name(shot.frames[0] if frame is None else frame) + suffix
    if frame is None:
        return f"name it after its frame, such as {name}"
    if path.name == name and (is_mask or path == shot.key_path(frame)):
        return ""
    used = shot.key_mask_path(frame) if is_mask else shot.key_path(frame)
    is_there = used.is_file() and not used.samefile(path)
    if is_there and (is_mask or shot.key_is_painted(frame)):
        is_export = (
            path.suffix.lower() not in KEY_SUFFIXES and path.stem == used.with_suffix("").name
        )
        is_document = path.suffix.lower() in OTHER_SUFFIXES
        return "" if is_export or is_document else f"{used.name} is used instead"
    verb = "rename" if path.suffix.lower() == Path(name).suffix else "save"
    return f"{verb} it {'to' if verb == 'rename' else 'as'} {name}"
