# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads stylized frames to be measured: the picture's path, its colours, and the mask.

The mask is the guide folder ``mask`` where the shot has one, else alpha above 0.5 inside the matte.
"""

from __future__ import annotations

from pathlib import Path

from ..frames.frame import EXTRA_GUIDE, MATTE, Frame
from ..images.given_pictures import given_size, read_given
from ..images.types import BoolArray, FloatArray
from ..shared.errors import PaintoverError
from ..shared.shot import Shot
from ..shared.shot_paths import OUT_SUFFIXES

MASK_GUIDE = "mask"


def mask_guides(shot: Shot) -> list[str]:
    """Return what ``read_frame`` must read for ``mask_of``."""
    return [EXTRA_GUIDE + MASK_GUIDE if MASK_GUIDE in shot.manifest.guides else MATTE]


def mask_of(frame: Frame) -> BoolArray:
    """Return (H, W) bool, the pixels of a frame to measure."""
    if MASK_GUIDE in frame.guides:
        mask: BoolArray = frame.guides[MASK_GUIDE].mean(axis=2) > 0.5
        return mask
    return frame.subject


def result_path(shot: Shot, style: str, frame: int) -> Path | None:
    """Return the path of a stylized frame's picture, None if it is not stylized."""
    record = shot.read_out_record(style, frame)
    if record is not None:
        return shot.out_path(style, frame).parent / record.file
    paths = [shot.out_path(style, frame, suffix) for suffix in OUT_SUFFIXES]
    return next((path for path in paths if path.is_file()), None)


def read_in_size(shot: Shot, path: Path) -> FloatArray:
    """Read the colours (H, W, 3) float32, 0..1, display-referred, of a picture of a shot.

    Raises:
        PaintoverError: the file is missing, damaged or of another size than the shot.
    """
    width, height = given_size(path)
    if (width, height) != (shot.manifest.width, shot.manifest.height):
        raise PaintoverError(
            f"{path} is {width}×{height}, but the shot is {shot.manifest.width}×"
            f"{shot.manifest.height}; make it again in that size."
        )
    return read_given(path).picture.rgb
