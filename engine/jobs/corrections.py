# SPDX-License-Identifier: GPL-3.0-or-later
"""Imported pictures that a person has corrected since: they are kept as versions, and told."""

from __future__ import annotations

from pathlib import Path

from ..shared.frame_lists import name_frames
from ..shared.pictures.digests import digest_picture, is_picture
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from .import_note import noted


class Corrections:
    """Keeps the corrected pictures among those that a job replaces or deletes.

    A picture is corrected if it has another digest than the one that the manifest notes, unless an
    import that was killed has put it there. Where none is noted, as earlier versions did for
    guides and mattes, it counts as a copy.

    Args:
        shot: the shot as it was before the job.
    """

    def __init__(self, shot: Shot) -> None:
        self._shot = shot
        self._of_killed = noted(shot.folder)
        self._kept: dict[Path, set[int]] = {}

    def keep(self, frame: int, path: Path, new: Path | None = None) -> None:
        """Keep a frame, guide or matte as a version if it is corrected.

        Args:
            frame: its frame.
            path: the picture.
            new: the picture that replaces it; one of the same pixels needs no version.

        Raises:
            PaintoverError: the version cannot be written.
        """
        known = self._shot.copy_digest(frame, path)
        if not known or path in self._of_killed or is_picture(path, known):
            return
        if new and digest_picture(path) == digest_picture(new):
            return
        if self._shot.link_version(path):
            self._kept.setdefault(path.parent, set()).add(frame)

    def tell(self, report: Reporter) -> None:
        """Tell what was kept."""
        for folder, frames in self._kept.items():
            report.warned(
                f"Pictures in {folder} that were changed since they were imported are replaced or "
                f"removed: {name_frames(sorted(frames))}; what was there is in "
                f"{folder / 'versions'}."
            )
        self._kept.clear()
