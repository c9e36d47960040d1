# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores stylized frames against ground truth: PSNR, SSIM, FLIP, texture, flicker, strokes, JOD.

Scores are means over the mask (see ``results``), of frames that are not keyframes. Outside the mask
the result is replaced by the truth, so that windowed metrics see no difference there. Colours are
display-referred with straight alpha.
"""

from __future__ import annotations

import dataclasses
import importlib
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..frames.frame import read_frame
from ..images.picture_folders import numbered_pictures
from ..images.types import BoolArray, ByteArray, FloatArray
from ..motion.optical_flow import to_previous
from ..shared.errors import Cancelled, PaintoverError
from ..shared.frame_lists import format_frames
from ..shared.reporter import Reporter, Silent
from ..shared.shot import Shot
from .flicker import flicker
from .painting_strokes import PaintingStrokes, keys_of
from .results import mask_guides, mask_of, read_in_size, result_path

FLIP_PIXELS_PER_DEGREE = 67.0
"""FLIP's default: a monitor 0.7 m and 3840 pixels wide, seen from 0.7 m."""

_MISSING_PACKAGES = (
    "Scores need scikit-image and flip-evaluator; get them by “pip install scikit-image==0.26.0 "
    "flip-evaluator==1.7” in the engine's Python."
)


@dataclasses.dataclass(frozen=True)
class FrameScores:
    """The scores of one frame; None where no pixel counts."""

    psnr: float | None = None
    """Peak signal-to-noise ratio in decibels; infinite for equal pictures."""
    ssim: float | None = None
    """Structural similarity (7×7 windows, mean of the channels); 1 for equal pictures."""
    flip: float | None = None
    """FLIP (Andersson et al. 2020); 0 for equal pictures."""
    texture: float | None = None
    """Mean absolute gradient relative to that of the truth; below 1 is blurred."""
    flicker: float | None = None
    """Mean |difference| along the motion to the previous frame, in 8-bit codes."""
    flicker_truth: float | None = None
    """Flicker of the truth."""
    strokes: float | None = None
    """Distance from the strokes of the nearest painting, in 8-bit codes (see ``strokes``)."""
    strokes_truth: float | None = None
    """The same of the truth: about the least that can be reached."""


NAMES = tuple(field.name for field in dataclasses.fields(FrameScores))


@dataclasses.dataclass(frozen=True)
class Scores:
    """The scores of a stylized shot.

    Attributes:
        style: the style's name.
        frames: frame → its scores.
        jod: JOD of the clip; None: not computed.
    """

    style: str
    frames: dict[int, FrameScores]
    jod: float | None = None

    @property
    def mean(self) -> FrameScores:
        """Mean of each score over the frames that have it."""
        return FrameScores(**{name: _mean(self._column(name)) for name in NAMES})

    def as_data(self) -> dict[str, Any]:
        """Return plain data for JSON, with None for an infinite PSNR."""
        return {
            "style": self.style,
            "mean": _plain(self.mean) | {"jod": self.jod},
            "frames": {str(frame): _plain(scores) for frame, scores in self.frames.items()},
        }

    def as_table(self) -> str:
        """Return a table for people, one line per frame and the means at the end."""
        rows = [["frame", *NAMES]]
        rows += [_row(str(frame), scores) for frame, scores in self.frames.items()]
        rows.append(_row("mean", self.mean))
        heads = {"flicker_truth": "(truth)", "strokes_truth": "(truth)"}
        rows[0] = [heads.get(name, name) for name in rows[0]]
        lines = ["".join(f"{cell:>9}" for cell in row) for row in rows]
        if self.jod is not None:
            lines.append(f"JOD {self.jod:.2f} (10 cannot be told apart)")
        return "\n".join(lines)

    def _column(self, name: str) -> list[float]:
        values = [getattr(scores, name) for scores in self.frames.values()]
        return [value for value in values if value is not None]


@dataclasses.dataclass(frozen=True)
class _Pair:
    """Result (the truth outside the mask), truth, both (H, W, 3), and mask (H, W) of a frame."""

    result: FloatArray
    truth: FloatArray
    mask: BoolArray


def score(
    shot: Shot,
    truth: Path,
    style: str = "style",
    frames: Sequence[int] = (),
    *,
    with_jod: bool = False,
    report: Reporter | None = None,
) -> Scores:
    """Score stylized frames of a shot against ground truth.

    Args:
        shot: the shot.
        truth: a folder of pictures with frame numbers in their names, as for ``import``.
        style: the style whose frames are scored.
        frames: numbers of the frames; empty: all that have a truth. The style's keyframes are left
            out, except for JOD, which needs consecutive frames.
        with_jod: whether to compute JOD.
        report: receives progress, and may cancel.

    Raises:
        PaintoverError: a picture is missing, damaged or of another size, no frame is left to
            score, or an optional package is missing.
        Cancelled: the reporter asked to stop.
    """
    report = report or Silent()
    truths = numbered_pictures(truth, report).files
    chosen = sorted(frames) or [frame for frame in shot.frames if frame in truths]
    keys = keys_of(shot, style)
    wanted = [frame for frame in chosen if frame not in keys]
    if not wanted:
        raise PaintoverError(
            f"There is no frame to score in {truth}; it needs pictures of frames that are no "
            f"keyframes, such as {format_frames(set(shot.frames) - keys) or 'none in this shot'}."
        )
    pairs, paintings = _Pairs(shot, style, truths), PaintingStrokes(shot, style)
    found = {}
    for number, frame in enumerate(wanted):
        if report.cancelled():
            raise Cancelled
        report.progress("score", number / len(wanted), -1, f"Frame {frame}")
        found[frame] = _score_frame(shot, pairs, paintings, frame)
    if all(scores.psnr is None for scores in found.values()):
        raise PaintoverError(f"The mask of {shot.folder} is empty in every frame; widen it.")
    return Scores(style, found, _clip_jod(shot, pairs, chosen) if with_jod else None)


def psnr(result: FloatArray, truth: FloatArray, mask: BoolArray) -> float:
    """Return the peak signal-to-noise ratio of (H, W, 3), 0..1, over a mask (H, W), in decibels."""
    error = float(np.square(result[mask] - truth[mask], dtype=np.float64).mean())
    return -10 * math.log10(error) if error > 0 else math.inf


def ssim(result: FloatArray, truth: FloatArray, mask: BoolArray) -> float:
    """Return the mean structural similarity (Wang et al. 2004) of (H, W, 3), 0..1, over a mask."""
    try:
        metrics: Any = importlib.import_module("skimage.metrics")  # an optional extra
    except ImportError:
        raise PaintoverError(_MISSING_PACKAGES) from None
    _, similarity = metrics.structural_similarity(
        result, truth, channel_axis=2, data_range=1.0, full=True
    )
    return float(similarity[mask].mean())


def flip(result: FloatArray, truth: FloatArray, mask: BoolArray) -> float:
    """Return the mean LDR-FLIP (Andersson et al. 2020) of (H, W, 3), 0..1, over a mask."""
    try:
        evaluator: Any = importlib.import_module("flip_evaluator")  # an optional extra
    except ImportError:
        raise PaintoverError(_MISSING_PACKAGES) from None
    difference, _, _ = evaluator.evaluate(
        np.ascontiguousarray(truth),
        np.ascontiguousarray(result),
        "LDR",
        applyMagma=False,
        computeMeanError=False,
        parameters={"ppd": FLIP_PIXELS_PER_DEGREE},
    )
    return float(np.asarray(difference).reshape(mask.shape)[mask].mean())


def gradient(picture: FloatArray, mask: BoolArray) -> float:
    """Return the mean |difference| of horizontal and vertical neighbours, both in the mask."""
    across = np.abs(np.diff(picture, axis=1))[mask[:, 1:] & mask[:, :-1]]
    down = np.abs(np.diff(picture, axis=0))[mask[1:] & mask[:-1]]
    steps = np.concatenate([across, down])
    return float(steps.mean(dtype=np.float64)) if steps.size else 0.0


class _Pairs:
    """Reads results and truths; keeps the last two frames, since flicker compares them."""

    def __init__(self, shot: Shot, style: str, truths: dict[int, Path]) -> None:
        self._shot, self._style, self._truths = shot, style, truths
        self._frames: dict[int, _Pair] = {}

    def has(self, frame: int) -> bool:
        """Return whether a frame of the shot has a result and a truth."""
        exists = frame in self._shot.manifest.frames and frame in self._truths
        return exists and result_path(self._shot, self._style, frame) is not None

    def read(self, frame: int) -> _Pair:
        """Read a frame. Raises PaintoverError if a file is missing, damaged or of another size."""
        if frame not in self._frames:
            while len(self._frames) > 1:
                del self._frames[next(iter(self._frames))]
            self._frames[frame] = self._read(frame)
        return self._frames[frame]

    def _read(self, frame: int) -> _Pair:
        shot = self._shot
        path = result_path(shot, self._style, frame)
        if path is None:
            raise PaintoverError(
                f"{shot.out_path(self._style, frame)} is not there; stylize frame {frame} first."
            )
        if frame not in self._truths:
            raise PaintoverError(
                f"The folder of right pictures has none of frame {frame}; add it, or choose other "
                "frames."
            )
        truth, result = (read_in_size(shot, found) for found in (self._truths[frame], path))
        mask = mask_of(read_frame(shot, frame, mask_guides(shot)))
        return _Pair(np.where(mask[..., None], result, truth), truth, mask)


def _score_frame(shot: Shot, pairs: _Pairs, paintings: PaintingStrokes, frame: int) -> FrameScores:
    before = pairs.read(frame - 1) if pairs.has(frame - 1) else None
    now = pairs.read(frame)
    if not now.mask.any():
        return FrameScores()
    images = now.result, now.truth
    truth_gradient = gradient(now.truth, now.mask)
    change = None
    if before is not None:
        offsets, visible = to_previous(shot, frame)
        change = flicker(
            (before.result, now.result), (before.truth, now.truth), now.mask & visible, offsets
        )
    return FrameScores(
        psnr(*images, now.mask),
        ssim(*images, now.mask),
        flip(*images, now.mask),
        gradient(now.result, now.mask) / truth_gradient if truth_gradient > 0 else None,
        *(change or (None, None)),
        *(paintings.distance(frame, picture, now.mask) for picture in images),
    )


def _clip_jod(shot: Shot, pairs: _Pairs, frames: Iterable[int]) -> float:
    from .jod import jod  # noqa: PLC0415  (an optional extra, and slow to load)

    clip = [pairs.read(frame) for frame in frames]
    test, truth = (
        [_codes(picture) for picture in pictures]
        for pictures in zip(*((pair.result, pair.truth) for pair in clip), strict=True)
    )
    return jod(test, truth, shot.manifest.fps)


def _codes(picture: FloatArray) -> ByteArray:
    codes: ByteArray = np.rint(picture * 255).astype(np.uint8)
    return codes


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _plain(scores: FrameScores) -> dict[str, float | None]:
    plain = dataclasses.asdict(scores)
    return {name: None if value == math.inf else value for name, value in plain.items()}


def _row(name: str, scores: FrameScores) -> list[str]:
    values = [getattr(scores, column) for column in NAMES]
    decimals = {"psnr": 2, "flicker": 2, "flicker_truth": 2}
    cells = [
        "–" if value is None else f"{value:.{decimals.get(column, 3)}f}"
        for column, value in zip(NAMES, values, strict=True)
    ]
    return [name, *cells]
