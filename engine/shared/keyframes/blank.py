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


def is_blank(shot: Shot, frame: int) -> bool:
    """Return whether a frame has a painting file that nobody has painted on."""
    return shot.key_path(frame).is_file() and not shot.key_is_painted(frame)


def copy_frame(shot: Shot, frame: int) -> None:
    """Make a blank keyframe of a frame; the manifest notes it, but is not saved.

    Raises:
        PaintoverError: the file cannot be written.
    """
    path = shot.key_path(frame)
    if path.suffix == shot.image_path(frame).suffix:
        with written_beside(path) as temporary:
            shutil.copyfile(shot.image_path(frame), temporary)
    note_blank(shot, frame)


def note_blank(shot: Shot, frame: int) -> None:
    """Note in the manifest, which is not saved, that a painting file is blank as it is now."""
    shot.manifest.blank_keys[frame] = digest_picture(shot.key_path(frame))


def remember_blank(shot: Shot, frame: int) -> None:
    """Note in the manifest on disk, where it can be written, that a painting file is blank."""
    note_blank(shot, frame)
    with contextlib.suppress(PaintoverError):
        saved = Shot.open(shot.folder)
        note_blank(saved, frame)
        saved.save()
