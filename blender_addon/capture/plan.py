# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames and mattes of a shot are up to date, and which mattes it uses."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterable
from typing import Any

from .. import mattes
from ..engine.shared.corrections import Corrections
from ..engine.shared.errors import PaintoverError
from ..engine.shared.manifest import FrameRecord
from ..engine.shared.pictures.digests import is_picture
from ..engine.shared.places import check_place
from ..engine.shared.shot import Shot
from . import own_files

_NOTE = "matte"
"""In ``Manifest.source``: what the mattes show."""


@dataclasses.dataclass(frozen=True)
class Plan:
    """What the frames of a capture shall be."""

    digest: str
    """Of the render settings now."""
    current: set[str]
    """Digests of render settings that frames may have to be up to date."""
    matte: str
    """Name of the mattes' folder; "" if the whole picture is painted."""
    note: dict[str, Any]
    """What the mattes show."""
    corrections: Corrections
    """Keeps files that were corrected and are replaced, or not wanted any more."""

    def has_frame(self, shot: Shot, frame: int) -> bool:
        """Return whether a frame of a shot is up to date, whatever its matte is."""
        record = shot.manifest.frames.get(frame)
        return (
            record is not None
            and record.settings in self.current
            and is_picture(shot.image_path(frame), record.image)
            and is_picture(shot.passes_path(frame), record.passes)
        )

    def has_matte(self, shot: Shot, frame: int) -> bool:
        """Return whether the matte of a frame was rendered with it; True if none is wanted."""
        record = shot.manifest.frames[frame]
        return not self.matte or is_picture(shot.matte_path(frame, self.matte), record.matte)

    def note_matte(self, shot: Shot, record: FrameRecord, digest: str) -> None:
        """Note the matte that was rendered of a frame, without those of earlier choices."""
        record.matte = digest
        copies = {
            folder: known
            for folder, known in record.copies.items()
            if folder == f"mattes/{shot.manifest.matte}"
            or not mattes.is_captured(folder.removeprefix("mattes/"))
        }
        record.copies = {**copies, f"mattes/{self.matte}": digest}

    def complete(self, shot: Shot, wanted: Iterable[int]) -> list[int]:
        """Return the wanted frames that are up to date with their mattes, sorted."""
        return [
            frame
            for frame in sorted(set(wanted))
            if self.has_frame(shot, frame) and self.has_matte(shot, frame)
        ]

    def settle(self, shot: Shot) -> None:
        """Let the shot use the wanted mattes once all its frames have them; save the manifest.

        Mattes that the shot had from files stay if the whole picture is wanted: they say more.

        Raises:
            PaintoverError: the manifest cannot be written.
        """
        manifest = shot.manifest
        before = manifest.matte, manifest.source.get(_NOTE)
        if self.matte and all(self.has_matte(shot, frame) for frame in shot.frames):
            manifest.matte, manifest.source[_NOTE] = self.matte, self.note
        elif not self.matte and mattes.is_captured(manifest.matte):
            manifest.matte = ""
            manifest.source.pop(_NOTE, None)
        if (manifest.matte, manifest.source.get(_NOTE)) != before:
            shot.save()
        # Always: a capture that was killed may have left some. Wanted ones may lack frames yet.
        for folder in (shot.folder / "mattes").glob("*"):
            if mattes.is_captured(folder.name) and folder.name not in (manifest.matte, self.matte):
                with contextlib.suppress(PaintoverError):
                    check_place(folder / "0001.png")
                    for frame in shot.frames:
                        self.corrections.keep(frame, shot.matte_path(frame, folder.name))
                    own_files.remove_matte(folder)


def keep_note(source: dict[str, Any], before: dict[str, Any]) -> None:
    """Take over what the shot's mattes show into the source of its manifest."""
    if _NOTE in before:
        source[_NOTE] = before[_NOTE]
