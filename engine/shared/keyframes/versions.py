# SPDX-License-Identifier: GPL-3.0-or-later
"""Earlier paintings of a keyframe in ``keys/versions/``, and a new painting in place of one."""

from __future__ import annotations

import dataclasses
import datetime
import re
import shutil
from pathlib import Path

from ..errors import PaintoverError
from ..files import delete, written_beside
from ..frame_lists import frame_name
from ..pictures.digests import digest_picture
from ..shot import Shot
from ..shot_paths import KEY_SUFFIXES

_NAME = re.compile(r"\.(?P<date>\d{8}-\d{6})(?:-(?P<serial>[0-9]{1,4}))?(?P<kind>\.png|\.exr)")


@dataclasses.dataclass(frozen=True)
class Version:
    """An earlier painting of a keyframe."""

    path: Path
    date: datetime.datetime
    """When its file was written, in local time."""
    serial: int
    """Counts the versions of one second, from 1 on."""


def versions_of(shot: Shot, frame: int) -> list[Version]:
    """Return the earlier paintings of a frame, the latest first; masks are left out."""
    folder, name = shot.folder / "keys" / "versions", frame_name(frame)
    found = []
    for path in folder.iterdir() if folder.is_dir() else ():
        match = _NAME.fullmatch(path.name.removeprefix(name))
        if match is None or not path.name.startswith(name) or not path.is_file():
            continue
        try:
            date = datetime.datetime.strptime(match["date"], "%Y%m%d-%H%M%S")
        except ValueError:
            continue
        found.append(Version(path, date, int(match["serial"] or 1)))
    return sorted(found, key=lambda version: (version.date, version.serial), reverse=True)


def find_version(shot: Shot, frame: int, name: str) -> Version:
    """Return the version with a file name. Raises PaintoverError if there is none."""
    for version in versions_of(shot, frame):
        if version.path.name == name:
            return version
    raise PaintoverError(
        f"{shot.folder / 'keys/versions' / name} is not there any more; choose another version."
    )


def put_painting(shot: Shot, frame: int, source: Path, suffix: str) -> Path | None:
    """Make a copy of a file the painting of a frame; the one before is kept as a version.

    Args:
        shot: the shot; its manifest stays as it is.
        frame: the frame.
        source: the file.
        suffix: that of the painting, in ``KEY_SUFFIXES``.

    Returns:
        The version of the painting before, None if there was none or nobody had painted on it.

    Raises:
        PaintoverError: a file cannot be written; the painting is as before. Or that of the one
            before, in another format, cannot be deleted.
    """
    old = [shot.key_path(frame).with_suffix(each) for each in KEY_SUFFIXES]
    target = shot.key_path(frame).with_suffix(suffix)
    with written_beside(target) as temporary:
        shutil.copyfile(source, temporary)
        kept = [
            version for version in (keep_painting(shot, frame, path) for path in old) if version
        ]
    for path in set(old) - {target}:
        delete(path)
    return kept[0] if kept else None


def put_mask(shot: Shot, frame: int, source: Path) -> None:
    """Make a copy of a file the mask of a frame, or take the mask away if there is no such file.

    The mask before is kept as a version. Raises PaintoverError if a file cannot be written.
    """
    target = shot.key_mask_path(frame)
    if not source.is_file():
        shot.keep_version(target)
        return
    with written_beside(target) as temporary:
        shutil.copyfile(source, temporary)
        if digest_picture(target) != digest_picture(source):
            shot.link_version(target)


def keep_painting(shot: Shot, frame: int, path: Path) -> Path | None:
    """Give a painting of a frame a second name among its versions, unless it has one.

    Returns:
        The version with these pixels; None if there is no such file, or if it is blank.

    Raises:
        PaintoverError: as ``Shot.link_version``.
    """
    digest = digest_picture(path)
    blank = digest_picture(shot.image_path(frame)), shot.manifest.blank_keys.get(frame)
    if not digest or digest in blank:
        return None
    for version in versions_of(shot, frame):
        if version.path.suffix == path.suffix and digest_picture(version.path) == digest:
            return version.path
    return shot.link_version(path)
