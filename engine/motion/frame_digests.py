# SPDX-License-Identifier: GPL-3.0-or-later
"""Digests of a shot's frames, kept in its cache with the sizes and dates of the files.

Who follows the motion from a keyframe must know whether a frame on the way has changed. A farm's
task would else read every frame from there on, however few it paints.
"""

from __future__ import annotations

import dataclasses
import json
import os
import time
from contextlib import suppress
from pathlib import Path

from ..shared.checked import Digest, Frame, from_data
from ..shared.errors import PaintoverError
from ..shared.files import digest_json, read_by_state, write_bytes
from ..shared.reading import read_json
from ..shared.shot import Shot

YOUNG = 5.0
"""Seconds after a file was changed in which it may be changed again without another date."""
WORTH = 8
"""New digests that are worth writing the file again."""


@dataclasses.dataclass
class _Known:
    """What the file holds.

    Attributes:
        states: frame → digest of the sizes and dates of its files.
        digests: frame → ``Shot.frame_digest`` in that state.
    """

    states: dict[Frame, Digest] = dataclasses.field(default_factory=dict)
    digests: dict[Frame, Digest] = dataclasses.field(default_factory=dict)


class FrameDigests:
    """The digests of the frames of a shot.

    Args:
        shot: the shot.
    """

    def __init__(self, shot: Shot) -> None:
        self._shot = shot
        self._path = shot.cache_folder("digests") / "frames.json"
        self._new = _Known()

    def of(self, frame: int) -> str:
        """Return ``Shot.frame_digest``, from the cache where no file of the frame has changed."""
        state, changed = self._state(frame)
        kept = _read(self._path)
        if kept.states.get(frame) == state and frame in kept.digests:
            return kept.digests[frame]
        digest = self._shot.frame_digest(frame)
        if time.time() - changed > YOUNG and state == self._state(frame)[0]:
            self._new.states[frame], self._new.digests[frame] = state, digest
        return digest

    def keep(self) -> None:
        """Write new digests, if there are enough of them, beside those that others have written.

        Nothing is written where the cache cannot be.
        """
        if len(self._new.digests) < WORTH:
            return
        there, self._new = self._new, _Known()
        kept = _read(self._path)
        data = {
            "states": {**kept.states, **there.states},
            "digests": {**kept.digests, **there.digests},
        }
        with suppress(PaintoverError):
            write_bytes(self._path, json.dumps(data).encode())

    def _state(self, frame: int) -> tuple[str, float]:
        """Return a digest of sizes and dates of a frame's files, and when one was changed last."""
        shot, changed = self._shot, 0.0
        found: list[list[int]] = []
        guides = [shot.guide_path(name, frame) for name in shot.manifest.guides]
        for path in [shot.image_path(frame), shot.passes_path(frame), *guides]:
            try:
                now = os.stat(path)  # noqa: PTH116 - a tenth of the time of pathlib's
            except OSError:
                found.append([])
                continue
            found.append([now.st_size, now.st_mtime_ns, now.st_ctime_ns])
            changed = max(changed, now.st_mtime, now.st_ctime)
        return digest_json(found), changed


def _parse(path: Path) -> _Known:
    try:
        return from_data(_Known, read_json(path))
    except (OSError, ValueError):
        return _Known()


_read = read_by_state(_parse, _Known())
