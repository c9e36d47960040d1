# SPDX-License-Identifier: GPL-3.0-or-later
"""A motion-compensated bilateral filter over time, which removes noise and flicker from a shot.

Each pixel becomes a weighted mean of the same scene point in the frames before and after. Frames
that are nearer in time and colours that are more alike weigh more. Texler et al. filter their input
this way ("Interactive Video Stylization Using Few-Shot Patch-Based Training", ACM TOG 39(4):73,
2020); compare Bennett, McMillan 2005, "Video Enhancement Using Per-Pixel Virtual Exposures".
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..frames.frame import read_frame
from ..images.pictures import picture_size, read_picture, write_picture
from ..images.types import FloatArray
from ..shared.errors import Cancelled, PaintoverError
from ..shared.files import cannot_write, digest_json
from ..shared.frame_lists import frame_name
from ..shared.places import check_place
from ..shared.reporter import Reporter, Silent
from ..shared.shot import Shot
from ..shared.temporary import temporary_folder
from ..shared.training_settings import FILTER_RADIUS
from .optical_flow import both_ways, occluded, warp

VERSION = 1
"""Raised whenever the same shot would give other pictures, so that caches are not reused."""
STEPS = 64
"""Steps a pixel in which scratch files store motion, as int16; it reaches 511 pixels."""
HIDDEN = -32768
"""Stored instead of motion where the other frame hides the point."""


@dataclasses.dataclass(frozen=True)
class FilterSettings:
    """The filter's reach and its standard deviations.

    Attributes:
        radius: how many frames before and after are averaged.
        time: standard deviation over time, as a share of the radius.
        colour: standard deviation over colour distance, as a share of the diagonal of RGB.
    """

    radius: int = FILTER_RADIUS
    time: float = 1 / 3
    colour: float = 1 / 16


class TemporalFilter:
    """Filters frames of a shot, in any order.

    Results are cached in ``cache/filter`` with digests of the frames that they depend on. Pictures
    and motion of neighbouring frames are stored in a scratch folder there while they are needed, so
    memory holds only a few frames.

    Args:
        shot: any shot; its motion is exact where it has ``motion``, otherwise estimated.
        settings: the filter's reach and its standard deviations.
        report: may cancel the work.
    """

    def __init__(
        self, shot: Shot, settings: FilterSettings | None = None, report: Reporter | None = None
    ) -> None:
        self._shot = shot
        self._settings = settings or FilterSettings()
        self._report = report or Silent()
        self._frames = shot.frames
        self._scratch: Path | None = None

    def picture(self, frame: int) -> FloatArray:
        """Return a frame's filtered picture, (H, W, 3) float32, 0..1, display-referred, straight.

        Raises:
            PaintoverError: one of the averaged frames cannot be read, or the cache cannot be
                written.
            Cancelled: the reporter asked to stop.
        """
        path, manifest = self._path(frame), self._shot.manifest
        with contextlib.suppress(PaintoverError):
            if picture_size(path) == (manifest.width, manifest.height):
                return read_picture(path).rgb
        write_picture(path, self._filter(frame), 16)
        for other in path.parent.glob(f"{frame_name(frame)}.*.png"):
            if other != path:
                other.unlink(missing_ok=True)
        return read_picture(path).rgb

    def _path(self, frame: int) -> Path:
        index, radius = self._frames.index(frame), self._settings.radius
        around = self._frames[max(0, index - radius) : index + radius + 1]
        digest = digest_json(
            [
                VERSION,
                dataclasses.astuple(self._settings),
                *(self._shot.frame_digest(number) for number in around),
            ]
        )
        return self._shot.cache_folder("filter") / f"{frame_name(frame)}.{digest}.png"

    def _filter(self, frame: int) -> FloatArray:
        settings = self._settings
        index = self._frames.index(frame)
        own = read_frame(self._shot, frame, ()).image
        total, weights = own.copy(), np.ones(own.shape[:2], np.float32)
        spread = 2 * 3 * settings.colour**2
        for direction in (1, -1):
            offsets = np.zeros((*own.shape[:2], 2), np.float32)
            here = frame
            for distance in range(1, settings.radius + 1):
                if not 0 <= index + direction * distance < len(self._frames):
                    break
                if self._report.cancelled():
                    raise Cancelled
                there = self._frames[index + direction * distance]
                step, valid = warp(self._motion(here, there), offsets)
                offsets += step
                offsets[~valid] = np.nan
                fetched, valid = warp(self._premultiplied(there), offsets)
                alpha = fetched[..., 3]
                colours = fetched[..., :3] / np.maximum(alpha, 1e-6)[..., None]
                apart = ((colours - own) ** 2).sum(axis=2)
                late = (distance / (settings.radius * settings.time)) ** 2 / 2
                weight = np.exp(-apart / spread - late) * alpha * valid
                total += weight[..., None] * colours
                weights += weight
                here = there
        self._delete_far_from(index)
        return np.clip(total / weights[..., None], 0, 1)

    def _motion(self, here: int, there: int) -> FloatArray:
        """Return the offsets (H, W, 2) to a neighbouring frame, NaN where it hides the point."""
        path = self._scratch_file("motion", here, there)
        if not path.is_file():
            low, high = sorted((here, there))
            forward, backward = both_ways(self._shot, low, high)
            _write(self._scratch_file("motion", low, high), _packed(forward, backward))
            _write(self._scratch_file("motion", high, low), _packed(backward, forward))
        packed: npt.NDArray[np.int16] = np.load(path)
        offsets = packed.astype(np.float32) / STEPS
        offsets[packed == HIDDEN] = np.nan
        return offsets

    def _premultiplied(self, frame: int) -> FloatArray:
        """Return a frame as (H, W, 4) float32, colours premultiplied by alpha."""
        path = self._scratch_file("picture", frame)
        if not path.is_file():
            read = read_frame(self._shot, frame, ())
            alpha = read.alpha[..., None]
            _write(path, np.concatenate([read.image * alpha, alpha], 2).astype(np.float16))
        return np.asarray(np.load(path), np.float32)

    def _scratch_file(self, what: str, *frames: int) -> Path:
        if self._scratch is None:
            folder = self._shot.cache_folder("filter")
            check_place(folder / "scratch")
            held = contextlib.ExitStack()
            try:
                folder.mkdir(parents=True, exist_ok=True)
                self._scratch = held.enter_context(temporary_folder(folder / "scratch"))
            except OSError as error:
                raise cannot_write(folder, error) from error
            weakref.finalize(self, held.close)
        names = ".".join(frame_name(frame) for frame in frames)
        return self._scratch / f"{what}.{names}.npy"

    def _delete_far_from(self, index: int) -> None:
        """Delete the scratch files that the next frame does not need."""
        if self._scratch is None:
            return
        reach = self._settings.radius + 1
        near = {frame_name(n) for n in self._frames[max(0, index - reach) : index + reach + 1]}
        for path in self._scratch.iterdir():
            if not near.issuperset(path.name.split(".")[1:-1]):
                path.unlink(missing_ok=True)


def _write(path: Path, values: npt.NDArray[Any]) -> None:
    """Write a scratch file. Raises PaintoverError if it cannot be written."""
    data = io.BytesIO()  # NumPy does not tell why it cannot write a file
    np.save(data, values)
    try:
        path.write_bytes(data.getbuffer())
    except OSError as error:
        raise cannot_write(path.parents[1], error) from error


def _packed(offsets: FloatArray, back: FloatArray) -> npt.NDArray[np.int16]:
    """Convert offsets (H, W, 2) to ``STEPS`` a pixel; ``HIDDEN`` where the other frame hides it."""
    steps = np.rint(offsets * STEPS)
    lost = occluded(offsets, back) | (np.abs(steps) > -HIDDEN - 1).any(axis=2)
    steps[lost] = HIDDEN
    return np.asarray(steps, np.int16)
