# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture of the manual's page on how it works: what one frame of a shot is made from.

python -m demo.explanation SHOT --key 13 --frame 26 --out docs/pictures/how.jpg
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.frames.frame import Frame, read_frame
from engine.frames.keyframe import read_keyframe
from engine.projection.channels import PAINT, VALID
from engine.projection.keyframe_projection import Projection
from engine.shared.shot import Shot

from .contact_sheet import PAPER, over_paper, write_text

WIDTH, GAP, CAPTION = 380, 10, 26
Picture = npt.NDArray[np.uint8]


def surface_colours(frame: Frame) -> Picture:
    """Return the passes ``surface`` and ``object`` as colours, (H, W, 3) uint8."""
    assert frame.surface is not None and frame.object is not None
    fine = np.nan_to_num(frame.surface) * 9.0
    waves = 0.5 + 0.5 * np.sin(fine + (frame.object[..., None] * np.array([1.7, 2.9, 4.1])))
    return np.round(255 * (0.25 + 0.65 * waves)).astype(np.uint8)


def carried_paint(shot: Shot, key: int, frame: Frame) -> Picture:
    """Return the paint that a keyframe gives to a frame; paper where it gives none."""
    keyframe = read_keyframe(shot, key)
    projection = Projection(shot, [(keyframe, read_frame(shot, key))])
    channels = projection.compute(frame)
    paint = np.moveaxis(channels[PAINT], 0, -1) * 0.5 + 0.5
    share = (channels[VALID] > 0.3)[..., None]
    return np.where(share, np.round(255 * paint), PAPER).clip(0, 255).astype(np.uint8)


def sheet(pictures: list[tuple[str, Picture]], columns: int = 3) -> Picture:
    """Lay out pictures of one size with their captions."""
    first = pictures[0][1]
    height = round(first.shape[0] * WIDTH / first.shape[1])
    rows = -(-len(pictures) // columns)
    size = (rows * (height + CAPTION + GAP) + GAP, columns * (WIDTH + GAP) + GAP, 3)
    page = np.full(size, PAPER, np.uint8)
    for number, (words, picture) in enumerate(pictures):
        x = GAP + number % columns * (WIDTH + GAP)
        y = GAP + number // columns * (height + CAPTION + GAP)
        write_text(page, words, (x, y), 18)
        small = cv2.resize(over_paper(picture), (WIDTH, height), interpolation=cv2.INTER_AREA)
        page[y + CAPTION : y + CAPTION + height, x : x + WIDTH] = small
    return page


def main() -> int:
    """Run the command line; see the docstring of the module."""
    parser = argparse.ArgumentParser(prog="python -m demo.explanation", description=__doc__)
    parser.add_argument("shot", metavar="SHOT", type=Path)
    parser.add_argument("--key", metavar="N", type=int, required=True, help="the painted frame")
    parser.add_argument(
        "--frame", metavar="N", type=int, required=True, help="the frame to explain"
    )
    parser.add_argument("--style", default="style")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True)
    options = parser.parse_args()
    shot = Shot.open(options.shot)
    frame = read_frame(shot, options.frame)
    page = sheet(
        [
            (f"Frame {options.key}, rendered", _read(shot.image_path(options.key))),
            (f"Frame {options.key}, painted", _read(shot.key_path(options.key))),
            (f"Frame {options.frame}, rendered", _read(shot.image_path(options.frame))),
            ("What surface each pixel shows", surface_colours(frame)),
            ("Paint carried along", carried_paint(shot, options.key, frame)),
            ("What comes out", _read(shot.out_path(options.style, options.frame))),
        ]
    )
    Image.fromarray(page).save(options.out, quality=85, optimize=True, progressive=True)
    print(f"{options.out}: {options.out.stat().st_size // 1000} kB")
    return 0


def _read(path: Path) -> Any:
    return np.asarray(Image.open(path).convert("RGBA"))


if __name__ == "__main__":
    sys.exit(main())
