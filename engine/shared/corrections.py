# SPDX-License-Identifier: GPL-3.0-or-later
"""Captured and imported pictures that a person has corrected since are kept as versions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from .frame_lists import name_frames
from .pictures.digests import digest_picture, is_picture
from .shot import Shot


class Corrections:
    """Keeps the corrected files among those that a job replaces or deletes.

    A file is corrected if it has another digest than the one that the manifest notes, unless a job
    that was killed has put it there. Where none is noted, as earlier versions did for guides and
    mattes, it counts as ours.

    Args:
        shot: the shot as it was before the job.
        of_killed: file → digests of what jobs that were killed may have put there.
        is_damaged: whether the manifest was damaged, so that any file may be corrected.
    """

    def __init__(
        self, shot: Shot, of_killed: Mapping[Path, Collection[str]], *, is_damaged: bool = False
    ) -> None:
        self._shot, self._of_killed, self._is_damaged = shot, of_killed, is_damaged
        self._kept: dict[Path, set[int]] = {}
        self._painted: set[int] = set()

    def keep(self, frame: int, path: Path, new: Path | None = None) -> None:
        """Keep a frame, its passes, a guide or a matte as a version if it is corrected.

        Args:
            frame: its frame.
            path: the file.
            new: what replaces it; one of the same pixels needs no version.

        Raises:
            PaintoverError: the version cannot be written.
        """
        known = self._shot.copy_digest(frame, path)
        if not (known or self._is_damaged) or is_picture(path, known):
            return
        digest = digest_picture(path)
        if digest in self._of_killed.get(path, ()) or (new and digest == digest_picture(new)):
            return
        if self._shot.link_version(path):
            self._kept.setdefault(path.parent, set()).add(frame)

    def keep_painting(self, frame: int, path: Path) -> None:
        """Keep a painting or mask that is replaced as a version, if there is one.

        Raises:
            PaintoverError: the version cannot be written.
        """
        if self._shot.link_version(path):
            self._painted.add(frame)

    def told(self) -> list[str]:
        """Return sentences on what was kept."""
        which = (
            "of a shot whose shot.json was damaged"
            if self._is_damaged
            else "that were changed by hand"
        )
        keys = self._shot.folder / "keys"
        paintings = [
            f"Paintings or masks in {keys} are replaced by others: "
            f"{name_frames(sorted(self._painted))}; what was there is in {keys / 'versions'}."
        ]
        pictures = [
            f"Pictures in {folder} {which} are replaced or removed: "
            f"{name_frames(sorted(frames))}; what was there is in {folder / 'versions'}."
            for folder, frames in self._kept.items()
        ]
        return pictures + (paintings if self._painted else [])
