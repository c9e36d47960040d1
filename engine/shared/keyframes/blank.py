# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes that nobody has painted on yet: copies of their frame.

The manifest notes the digest of such a file, so that it stays blank when its frame is captured
anew, even if no byte is as before.
"""

from __future__ import annotations

import contextlib
import shutil

from ..errors import PaintoverError
from ..files import written_beside
from ..pictures.digests import digest_picture
from ..shot import Shot


class _PaintedError(Exception):
    """The painting file is another than the one that may be replaced."""


def is_blank(shot: Shot, frame: int) -> bool:
    """Return whether a frame has a painting file that nobody has painted on."""
    return shot.key_path(frame).is_file() and not shot.key_is_painted(frame)


def blank_digest(shot: Shot, frame: int) -> str:
    """Return the digest of a frame's painting file if nobody has painted on it, else ""."""
    digest = digest_picture(shot.key_path(frame))
    return digest if is_blank(shot, frame) else ""


def copy_frame(shot: Shot, frame: int, replaced: str = "") -> None:
    """Make a blank keyframe of a frame; the manifest notes it, but is not saved.

    A painting that was saved meanwhile stays as it is, and is not noted.

    Args:
        shot: the shot.
        frame: the frame.
        replaced: digest of the file that may be replaced, as of ``blank_digest``; "": none.

    Raises:
        PaintoverError: the file cannot be written.
    """
    path, image = shot.key_path(frame), shot.image_path(frame)
    try:
        if path.suffix == image.suffix:
            with written_beside(path) as temporary:
                shutil.copyfile(image, temporary)
                copied = digest_picture(temporary)
                _check_still(shot, frame, replaced)
            note_blank(shot, frame, copied)
        else:
            _check_still(shot, frame, replaced)
            note_blank(shot, frame, replaced)
    except _PaintedError:
        return


def _check_still(shot: Shot, frame: int, digest: str) -> None:
    if digest_picture(shot.key_path(frame)) != digest:
        raise _PaintedError


def note_blank(shot: Shot, frame: int, digest: str) -> None:
    """Note in the manifest, which is not saved, that a painting file of a digest is blank."""
    shot.manifest.blank_keys[frame] = digest


def remember_blank(shot: Shot, frame: int, digest: str) -> None:
    """Note in the manifest on disk, where it can be written, that a painting file is blank.

    Args:
        shot: the shot.
        frame: the frame.
        digest: of the file before its pixels were read; one that was saved since is another.
    """
    note_blank(shot, frame, digest)
    with contextlib.suppress(PaintoverError):
        saved = Shot.open(shot.folder)
        note_blank(saved, frame, digest)
        saved.save()
