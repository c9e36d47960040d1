# SPDX-License-Identifier: GPL-3.0-or-later
"""A moving picture of a shot: the render, the one painted frame, the result.

python -m demo.moving_picture SHOT --key 13 --out docs/pictures/demo.webp
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from engine.shared.shot import Shot

from .contact_sheet import PAPER, over_paper, write_text
from .scene import FPS

WIDTH, GAP, EDGE, CAPTION = 296, 8, 8, 26
"""Of a column, between columns, around them, and above them, in pixels."""
CAPTIONS = ("Rendered", "Painted: this frame alone", "What comes out")
QUALITY = 62
"""Of the WebP: about 1 MB for the demo's shot."""


def pages(
    rendered: Sequence[npt.NDArray[Any]],
    painting: npt.NDArray[Any],
    results: Sequence[npt.NDArray[Any]],
) -> list[npt.NDArray[np.uint8]]:
    """Return the pictures in turn, forward and back again: (H, W, 3) uint8, RGB.

    Args:
        rendered, results: the frames, RGB or straight RGBA, uint8, all of one size.
        painting: the painting, of the same size.
    """
    height = round(painting.shape[0] * WIDTH / painting.shape[1])
    size = (2 * EDGE + CAPTION + height, 2 * EDGE + 3 * WIDTH + 2 * GAP, 3)
    empty = np.full(size, PAPER, np.uint8)
    lefts = [EDGE + number * (WIDTH + GAP) for number in range(3)]
    for left, words in zip(lefts, CAPTIONS, strict=True):
        write_text(empty, words, (left, EDGE), 18)
    made = []
    for pictures in zip(rendered, [painting] * len(rendered), results, strict=True):
        page = empty.copy()
        for left, picture in zip(lefts, pictures, strict=True):
            small = cv2.resize(over_paper(picture), (WIDTH, height), interpolation=cv2.INTER_AREA)
            page[EDGE + CAPTION : EDGE + CAPTION + height, left : left + WIDTH] = small
        made.append(page)
    return made + made[-2:0:-1]


def write(path: Path, pictures: Sequence[npt.NDArray[np.uint8]], fps: float) -> None:
    """Write pictures as an animated WebP that goes on for ever."""
    first, *others = [Image.fromarray(picture) for picture in pictures]
    first.save(
        path,
        save_all=True,
        append_images=others,
        duration=round(1000 / fps),
        loop=0,
        quality=QUALITY,
        method=4,
    )


def main() -> int:
    """Run the command line; see the docstring of the module."""
    parser = argparse.ArgumentParser(prog="python -m demo.moving_picture", description=__doc__)
    parser.add_argument("shot", metavar="SHOT", type=Path)
    parser.add_argument("--key", metavar="N", type=int, required=True, help="the painted frame")
    parser.add_argument("--style", default="style")
    parser.add_argument("--out", metavar="FILE", type=Path, required=True)
    options = parser.parse_args()
    shot = Shot.open(options.shot)
    rendered = [_read(shot.image_path(frame)) for frame in shot.frames]
    results = [_read(shot.out_path(options.style, frame)) for frame in shot.frames]
    painting = _read(shot.key_path(options.key))
    write(options.out, pages(rendered, painting, results), FPS)
    print(f"{options.out}: {options.out.stat().st_size // 1000} kB")
    return 0


def _read(path: Path) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(path).convert("RGBA"))


if __name__ == "__main__":
    sys.exit(main())
