# SPDX-License-Identifier: GPL-3.0-or-later
"""The frames that a job writes to ``out/STYLE``: which are out of date, and writing them."""

from __future__ import annotations

import dataclasses
import functools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from ..images.pictures import picture_size, read_picture, write_picture
from ..images.types import FloatArray
from ..images.window import Window
from ..shared import protocol
from ..shared.errors import Cancelled, PaintoverError
from ..shared.expected_records import ExpectedRecords, ReadDigests
from ..shared.files import digest_json
from ..shared.frame_lists import format_frames
from ..shared.out_records import OutRecord, read_record
from ..shared.pictures.digests import digest_once, digest_picture
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.shot_paths import OUT_SUFFIXES
from ..shared.style_header import StyleHeader

_Picture = TypeVar("_Picture")


class OutputFrames:
    """The frames of one request, their pictures and records in ``out/STYLE``.

    Args:
        shot: the shot.
        request: the job's request: style, frames, file format and ``force``.
        header: the style's header, or one that stands for it.
        style_digest: of the style file as it was read, or what stands for it in records.
        light: ``protocol.Stylize.light``.
        keys: keyframes that the job was asked to use, part of its settings; None: not a setting.

    Attributes:
        key_digests: keyframe → digest of what was read; at first of what lies on the disk.
        painted: frames that were written.

    Raises:
        PaintoverError: the shot lacks one of the frames, or the file format cannot be written.
    """

    def __init__(
        self,
        shot: Shot,
        request: protocol.Stylize | protocol.Preview,
        header: StyleHeader,
        style_digest: str,
        *,
        light: float = 0.5,
        keys: Sequence[int] | None = None,
    ) -> None:
        check_format(request.format, request.depth)
        check_unpainted(request.unpainted)
        self._shot, self._request = shot, request
        self._expected = ExpectedRecords(shot, request.style, header)
        self._light, self._style_digest = light, style_digest
        self.key_digests: Mapping[int, str] = {
            key: shot.key_digest(key) for key in header.trained_on
        }
        settings: dict[str, object] = {
            "format": request.format,
            "depth": request.depth if request.format == "png" else 0,
        }
        if keys is not None:
            settings["keys"] = list(keys)
        self._settings = digest_json(settings)
        self.wanted = _wanted_frames(shot, request.frames)
        self.painted: list[int] = []
        self._changed: list[int] = []

    @functools.cached_property
    def outdated(self) -> list[int]:
        """The wanted frames to paint: with ``force`` all, else those that were not up to date."""
        force = self._request.force
        return [frame for frame in self.wanted if force or not self.is_up_to_date(frame)]

    @property
    def counts(self) -> dict[str, int]:
        """Results of the job: ``frames`` painted, ``skipped`` because they were up to date."""
        return {"frames": len(self.painted), "skipped": len(self.wanted) - len(self.painted)}

    def is_up_to_date(self, frame: int) -> bool:
        """Return whether the frame's picture exists, opens, and is what the job would make."""
        expected = self._record(frame, self._shot.input_digest(frame))
        if self._shot.read_out_record(self._request.style, frame) != expected:
            return False
        path, manifest = self._path(frame), self._shot.manifest
        try:
            is_right = picture_size(path) == (manifest.width, manifest.height)
        except PaintoverError:
            return False
        return is_right and _opens(path)

    def write(
        self, frame: int, digest: str, pixels: FloatArray, window: Window | None = None
    ) -> FloatArray:
        """Write a frame's picture, then the record of what it was made from.

        A file that no job is known to have written, such as a retouched frame, is kept as a
        version, unless it shows the same.

        Args:
            frame: its number.
            digest: ``Shot.input_digest`` of the frame as it was read.
            pixels: (H, W, 4) float32, 0..1, display-referred, straight alpha.
            window: the part of the frame that the pixels show; it is 0 elsewhere. None: all.

        Returns:
            The colours (H, W, 3) of the window as ``read_picture`` returns them from now on.

        Raises:
            PaintoverError: a file cannot be written.
        """
        path, style = self._path(frame), self._request.style
        record = self._record(frame, digest)
        known: dict[str, list[str]] = {}

        def note(temporary: Path) -> None:
            """Note the picture before it is there: a run that is killed knows it as its own."""
            known.update(self._known_pictures(frame))  # now, as another job may have written
            new = digest_once(temporary)
            here = self._keep_changed(frame, [*known.get(path.name, []), new])
            known[path.name] = [*here, new]
            interim = dataclasses.replace(record, input="", pictures=known)  # not up to date
            self._shot.write_out_record(style, frame, interim)

        colours = write_picture(path, pixels, self._request.depth, window, note)
        known[path.name] = known[path.name][-1:]
        self._shot.write_out_record(style, frame, dataclasses.replace(record, pictures=known))
        return colours

    def _known_pictures(self, frame: int) -> dict[str, list[str]]:
        """Return ``OutRecord.pictures`` of a frame; of an earlier version, what there is."""
        record = read_record(self._shot.out_record_path(self._request.style, frame))
        if record is None:
            return {}
        if record.pictures or not record.input:
            return dict(record.pictures)
        paths = [self._shot.out_path(self._request.style, frame, end) for end in OUT_SUFFIXES]
        return {path.name: [digest_picture(path)] for path in paths if path.is_file()}

    def _keep_changed(self, frame: int, known: Sequence[str]) -> list[str]:
        """Keep a frame's file as a version unless it is known.

        Returns:
            The digest of the file if it is known.
        """
        path = self._path(frame)
        digest = digest_picture(path)
        if digest in known:
            return [digest]
        if _opens(path) and self._shot.link_version(path):
            self._changed.append(frame)
        return []

    def _tell_changed(self, report: Reporter) -> None:
        """Tell the frames that somebody had changed and that are painted anew."""
        if self._changed:
            folder = self._path(0).parent / "versions"
            report.warned(
                f"Frames that were changed since they were painted are painted anew: "
                f"{format_frames(self._changed)}; what was there is in {folder}."
            )
            self._changed = []

    def write_all(
        self,
        pictures: Iterator[tuple[int, _Picture]],
        write: Callable[[int, _Picture], object],
        step: str,
        report: Reporter,
        *,
        overlap: bool = True,
    ) -> None:
        """Write outdated frames, each while the next is painted, and report progress.

        Args:
            pictures: yields each frame's number and picture.
            write: writes one of them; called in a separate thread, in order.
            step: name of the progress, such as ``stylize``.
            report: receives progress and each written frame; may cancel.
            overlap: False writes each frame before the next is painted, to bound memory.

        Raises:
            Cancelled: the reporter asked to stop; frames whose writing has begun are written.
        """
        began, before = time.monotonic(), len(self.painted)
        count = len(self.outdated)

        def finished(frame: int) -> None:
            self.painted.append(frame)
            done = len(self.painted)
            report.frame_done(frame, self._path(frame))
            left = (time.monotonic() - began) / (done - before) * (count - done)
            report.progress(step, done / count, left, f"Frame {done} of {count}")

        with ThreadPoolExecutor(1) as writer:
            pending: tuple[int, Future[object]] | None = None
            try:
                for frame, picture in pictures:
                    earlier, pending = pending, (frame, writer.submit(write, frame, picture))
                    del picture
                    if not overlap:
                        pending[1].result()
                    if earlier:
                        earlier[1].result()
                        finished(earlier[0])
                    if report.cancelled():
                        raise Cancelled
            finally:
                try:
                    if pending:
                        pending[1].result()
                        finished(pending[0])
                finally:
                    self._tell_changed(report)

    def _path(self, frame: int) -> Path:
        return self._shot.out_path(self._request.style, frame, "." + self._request.format)

    def _record(self, frame: int, digest: str) -> OutRecord:
        """Return the record of a frame that was read with this digest."""
        return self._expected.record(
            frame,
            self._path(frame).name,
            self._settings,
            self._light,
            self._request.unpainted,
            ReadDigests(self._style_digest, self.key_digests, digest),
        )


def _opens(path: Path) -> bool:
    try:
        read_picture(path)
    except PaintoverError:
        return False
    return True


def check_format(name: str, depth: int) -> None:
    """Raise PaintoverError for a file format, or bits a channel of PNG, that cannot be written."""
    if name not in ("png", "exr") or depth not in (8, 16):
        raise PaintoverError("Frames can be written as PNG with 8 or 16 bits, or as EXR.")


def check_unpainted(value: str) -> None:
    """Raise PaintoverError unless ``protocol.Stylize.unpainted`` is allowed."""
    allowed = (protocol.UNPAINTED_FRAME, protocol.UNPAINTED_NOTHING)
    if value not in allowed:
        raise PaintoverError(
            f'Unpainted parts can show "{allowed[0]}" or "{allowed[1]}", not "{value}".'
        )


def _wanted_frames(shot: Shot, frames: list[int]) -> list[int]:
    """Return the frames of a request without repetitions; an empty request means all frames.

    Raises:
        PaintoverError: the shot lacks some of them.
    """
    wanted = list(dict.fromkeys(frames)) or shot.frames
    unknown = set(wanted) - set(shot.frames)
    if unknown:
        raise PaintoverError(
            f"{shot.folder} has no frame {format_frames(unknown)}, only "
            f"{format_frames(shot.frames)}; capture it, or leave it out."
        )
    return wanted
