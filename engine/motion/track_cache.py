# SPDX-License-Identifier: GPL-3.0-or-later
"""Chains of motion: where a keyframe shows what any frame shows, kept in the shot's cache."""

from __future__ import annotations

import itertools
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ..images.types import ByteArray
from ..shared.errors import Cancelled
from ..shared.files import digest_json, written_beside
from ..shared.frame_lists import frame_name
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from .optical_flow import step
from .tracking import Places, begin, follow

VERSION = 1
"""Changes whenever the same shot would give other places."""
UNKNOWN = 65535


class MotionChain:
    """The places of one keyframe in every frame of a shot, in any order.

    Those of a frame follow from the frames between the keyframe and it alone, in that order, so it
    does not matter which frames are asked for. They are kept in ``cache/chains`` of the shot under
    digests of those frames.

    Args:
        shot: any shot; its motion is exact where it has ``motion``, else estimated.
        keyframe: where the chain begins.
        report: hears how far ``prepare`` is, and may cancel it.
    """

    def __init__(self, shot: Shot, keyframe: int, report: Reporter) -> None:
        self._shot, self._keyframe, self._report = shot, keyframe, report
        self._shape = (shot.manifest.height, shot.manifest.width)
        self._steps = 1 << max(0, 15 - (max(self._shape) - 1).bit_length())
        self._keys = {keyframe: digest_json([VERSION, keyframe, shot.frame_digest(keyframe)])}

    def prepare(self, task: str, frames: Iterable[int]) -> None:
        """Follow the motion to the outermost of some frames, reporting progress.

        Args:
            task: the step of the progress, such as ``train``.
            frames: of the shot.

        Raises:
            PaintoverError: a frame on the way cannot be read, or the cache cannot be written.
            Cancelled: the reporter asked to stop; what was found is kept.
        """
        wanted = sorted(frames)
        for end in wanted[:1] + wanted[-1:]:
            missing = self._missing(end)
            for done, frame in enumerate(missing):
                if self._report.cancelled():
                    raise Cancelled
                text = f"Following keyframe {self._keyframe} to frame {end}: {done} of "
                self._report.progress(task, 0.0, -1.0, f"{text}{len(missing)}")
                self._follow(frame)

    def places(self, frame: int) -> Places:
        """Return the places of a frame of the shot. Raises PaintoverError as ``prepare``."""
        for missing in self._missing(frame):
            self._follow(missing)
        found = self._load(frame)
        assert found is not None
        return found

    def _way(self, frame: int) -> list[int]:
        """Return the frames from the keyframe to a frame, both included."""
        low, high = sorted((self._keyframe, frame))
        way = [number for number in self._shot.frames if low <= number <= high]
        return way if frame >= self._keyframe else way[::-1]

    def _missing(self, frame: int) -> list[int]:
        """Return the frames whose places have yet to be found to know those of a frame."""
        way = self._way(frame)
        for before, here in itertools.pairwise(way):
            if here not in self._keys:
                self._keys[here] = digest_json([self._keys[before], self._shot.frame_digest(here)])
        missing: list[int] = []
        for number in reversed(way[1:]):
            if self._load(number) is not None:
                break
            missing.append(number)
        return missing[::-1]

    def _follow(self, frame: int) -> None:
        """Find the places of a frame from those of the frame before it on the way."""
        before = self._way(frame)[-2]
        earlier = self._load(before)
        assert earlier is not None
        self._save(frame, follow(earlier, step(self._shot, frame, before)))

    def _path(self, frame: int) -> Path:
        name = f"{frame_name(frame)}.from.{frame_name(self._keyframe)}.npz"
        return self._shot.cache_folder("chains") / name

    def _save(self, frame: int, places: Places) -> None:
        at = np.rint(np.nan_to_num(places.at, nan=0) * self._steps) + self._steps
        at[np.isnan(places.at)] = UNKNOWN
        with written_beside(self._path(frame)) as path:
            np.savez(
                path,
                key=np.frombuffer(self._keys[frame].encode(), np.uint8),
                x=_packed(at[..., 0].astype(np.uint16)),
                y=_packed(at[..., 1].astype(np.uint16)),
                presence=_packed(np.rint(places.presence * 255).astype(np.uint16)),
                exact=_packed(places.exact.astype(np.uint16)),
            )

    def _load(self, frame: int) -> Places | None:
        """Return the places of a frame as found earlier; None if not found, stale or damaged."""
        if frame == self._keyframe:
            return begin(self._shape)
        try:
            with np.load(self._path(frame), allow_pickle=False) as file:
                if file["key"].tobytes().decode() != self._keys[frame]:
                    return None
                x, y, presence, exact = (
                    _unpacked(file[name], self._shape) for name in ("x", "y", "presence", "exact")
                )
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
            return None
        at = (np.stack([x, y], -1).astype(np.float32) - self._steps) / self._steps
        at[(x == UNKNOWN) | (y == UNKNOWN)] = np.nan
        return Places(at, presence.astype(np.float32) / 255, exact > 0)


def _packed(values: npt.NDArray[np.uint16]) -> ByteArray:
    """Compress (H, W), by the differences along the rows."""
    steps = np.diff(values, axis=1, prepend=np.uint16(0))
    planes = np.stack([steps & 255, steps >> 8]).astype(np.uint8)
    return np.frombuffer(zlib.compress(planes.tobytes(), 1), np.uint8)


def _unpacked(packed: ByteArray, shape: tuple[int, int]) -> npt.NDArray[np.uint16]:
    planes = np.frombuffer(zlib.decompress(packed.tobytes()), np.uint8).reshape(2, *shape)
    steps = planes[0] | (planes[1].astype(np.uint16) << 8)
    return np.asarray(np.cumsum(steps, axis=1, dtype=np.uint16))
