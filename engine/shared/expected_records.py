# SPDX-License-Identifier: GPL-3.0-or-later
"""The records of stylized frames as they would be written now, to compare with those on disk."""

from __future__ import annotations

import bisect
import dataclasses
import functools
from collections.abc import Iterable, Mapping

from .files import digest_file, digest_json
from .keyframes.weights import weights_at
from .out_records import OutRecord
from .shot import Shot
from .style_header import (
    ALPHA_LEARNT,
    FILTER,
    GAUSSIANS,
    PROJECTION,
    StyleHeader,
    has_surface,
)


@dataclasses.dataclass(frozen=True)
class ReadDigests:
    """Digests of what a job has read; other files may lie there by now.

    Attributes:
        style: of the style file, or what stands for it in records.
        keys: keyframe → ``Shot.key_digest``.
        frame: ``Shot.input_digest`` of the stylized frame.
    """

    style: str
    keys: Mapping[int, str]
    frame: str


def expected_out_record(
    shot: Shot,
    style: str,
    header: StyleHeader,
    frame: int,
    file: str,
    settings: str,
    light: float = 0.5,
    unpainted: str = "frame",
) -> OutRecord:
    """Return the record that stylizing one frame would write now; see ``ExpectedRecords``."""
    return ExpectedRecords(shot, style, header).record(frame, file, settings, light, unpainted)


class ExpectedRecords:
    """The records that stylizing frames of a shot would write now.

    What many frames depend on is computed once: the style's digest, those of the keyframes, and
    running digests along the shot, so that all frames of a shot cost as much as they are many.

    Args:
        shot: the shot; its manifest is not to be changed.
        style: name of the style.
        header: of the style file.
    """

    def __init__(self, shot: Shot, style: str, header: StyleHeader) -> None:
        self._shot, self._style, self._header = shot, style, header
        self._frames = shot.frames
        self._keys = sorted(header.trained_on)
        self._projects = PROJECTION in header.guides
        self._radius = int(header.settings.get(FILTER, 0))
        is_learnt = header.alpha == ALPHA_LEARNT
        self._leaves_parts = bool(shot.manifest.matte) or is_learnt

    def record(
        self,
        frame: int,
        file: str,
        settings: str,
        light: float = 0.5,
        unpainted: str = "frame",
        read: ReadDigests | None = None,
    ) -> OutRecord:
        """Return the record of a frame.

        Args:
            frame: the stylized frame.
            file: name of its file.
            settings: digest of the file's settings (format, depth).
            light: as ``protocol.Stylize.light``.
            unpainted: as ``protocol.Stylize.unpainted``.
            read: what the frame was made from; None: what lies on the disk.
        """
        if read is None:
            read = ReadDigests(self._read_style, self._read_keys, self._shot.input_digest(frame))
        parts = [read.frame, *(read.keys[key] for key in self._header.trained_on)]
        parts += [self._along.get(frame, ""), *self._windows(frame)]
        if self._projects:
            weights = weights_at(self._shot.manifest.weights, frame, self._header.trained_on)
            parts += [str(sorted(weights.items())) if weights else ""]
        return OutRecord(
            file=file,
            input=digest_json(parts),
            style=read.style,
            settings=settings,
            light=light if self._projects else 0.5,
            unpainted=unpainted if self._leaves_parts else "frame",
        )

    @functools.cached_property
    def _read_style(self) -> str:
        return digest_file(self._shot.style_path(self._style))

    @functools.cached_property
    def _read_keys(self) -> dict[int, str]:
        return {key: self._shot.key_digest(key) for key in self._header.trained_on}

    @functools.cached_property
    def _along(self) -> dict[int, str]:
        """Frame → digest of all frames from the keyframes to it, where it depends on them.

        Drawn frames count as keyframes here, since their paint is carried, too.
        """
        follows = self._projects and not has_surface(self._shot.manifest.passes)
        starts = sorted({*self._keys, *self._header.drawn}) if follows else []
        if not starts and GAUSSIANS in self._header.guides:
            starts = self._keys[:1]
        if not starts:
            return {}
        first = bisect.bisect_left(self._frames, starts[0])
        last = bisect.bisect_right(self._frames, starts[-1])
        inner = self._digest(self._frames[first:last])
        found = dict.fromkeys(self._frames[first:last], inner)
        for outer in (self._frames[last:], self._frames[:first][::-1]):
            running = inner
            for frame in outer:
                found[frame] = running = digest_json([running, self._digest([frame])])
        return found

    def _windows(self, frame: int) -> list[str]:
        """Return the digests of the frames that the filter averages, around a frame and keys."""
        if not self._radius:
            return []
        return [self._around_keys, self._around(frame)]

    @functools.cached_property
    def _around_keys(self) -> str:
        return digest_json([self._around(key) for key in self._keys])

    def _around(self, frame: int) -> str:
        index = bisect.bisect_left(self._frames, frame)
        return self._digest(self._frames[max(0, index - self._radius) : index + self._radius + 1])

    def _digest(self, frames: Iterable[int]) -> str:
        records = [self._shot.manifest.frames[frame] for frame in frames]
        return digest_json([[record.image, record.passes] for record in records])
