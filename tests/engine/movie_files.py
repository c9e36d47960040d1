# SPDX-License-Identifier: GPL-3.0-or-later
"""Movies that are written for tests, and their import."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.reformatter import ColorRange, Colorspace, Interpolation

from engine.jobs.import_pictures import import_pictures
from engine.shared.protocol import ImportPictures
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

EXACT = (
    Interpolation.BICUBIC
    | Interpolation.ACCURATE_RND
    | Interpolation.FULL_CHR_H_INP
    | Interpolation.FULL_CHR_H_INT
)
SIZE = (480, 270)
LOSSLESS: dict[str, Any] = {"codec": "ffv1", "kind": "yuv444p"}


class Report(Silent):
    """Remembers warnings; asks to stop after some steps of progress."""

    def __init__(self, stop_after: int = -1) -> None:
        self.warnings: list[str] = []
        self.shares: list[float] = []
        self.stop_after = stop_after

    def progress(self, step, fraction, seconds_left, text):
        self.shares.append(fraction)

    def warned(self, sentence):
        self.warnings.append(sentence)

    def cancelled(self):
        return 0 <= self.stop_after <= len(self.shares)


def picture(frame: int, size: tuple[int, int] = SIZE) -> np.ndarray:
    """Return a gradient with a red square that moves, (H, W, 3) uint8."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    codes = np.stack([40 + 150 * x / width, 60 + 120 * y / height, 200 - 100 * x / width], axis=-1)
    codes = np.rint(codes).astype(np.uint8)
    side = height // 3
    codes[side : 2 * side, 8 * frame : 8 * frame + side] = (220, 40, 30)
    return codes


def write_movie(
    path: Path,
    codec: str,
    kind: str,
    *,
    frames: int = 3,
    size: tuple[int, int] = SIZE,
    matrix: Colorspace | None = None,
    full: ColorRange | None = None,
    is_tagged: bool = True,
    rate: Fraction = Fraction(24),
    alpha: np.ndarray | None = None,
    times: tuple[int, ...] = (),
    **options: str,
) -> Path:
    """Write a movie of the pictures 1, 2, …; ``options`` are those of the codec and the format."""
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt, stream.options = kind, options
        container.options.update(options)
        if is_tagged and matrix:
            stream.codec_context.colorspace = matrix
            stream.codec_context.color_range = full
        for number in range(frames):
            codes = picture(number + 1, size)
            if alpha is not None:
                codes = np.concatenate([codes, alpha[..., None]], axis=2)
            frame = av.VideoFrame.from_ndarray(codes, "rgb24" if alpha is None else "rgba")
            frame = frame.reformat(
                format=kind, dst_colorspace=matrix, dst_color_range=full, interpolation=EXACT
            )
            frame.pts = times[number] if times else number
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def run(shot: Path, source: Path, report: Report | None = None, fps=0.0, **folders: object) -> Shot:
    painted, mask = (str(folders.pop(name, "")) for name in ("painted", "mask"))
    guides = {name: str(folder) for name, folder in folders.items()}
    request = ImportPictures(1, str(shot), str(source), painted, mask, guides, fps)
    import_pictures(request, report or Report())
    return Shot.open(shot)
