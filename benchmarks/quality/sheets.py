# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets: a row for the render, the truth and each method; columns are frames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

from engine.evaluation.scores import gradient
from engine.frames.frame import read_frame
from engine.images.pictures import read_picture
from engine.images.types import ByteArray
from engine.shared.frame_lists import frame_name
from engine.shared.shot import Shot
from engine.shared.shot_paths import OUT_SUFFIXES

PAPER = (235, 235, 235)
INK = (30, 30, 30)
GAP, LEFT, TOP = 8, 210, 30
COLUMNS = 4
ZOOM = 3
"""Magnification of the detail, which is as large as a frame."""
STEPS = 8
"""Candidate places for the detail in x and in y."""


def write_sheet(
    path: Path, shot: Shot, truth: Path, keys: list[int], rows: Sequence[tuple[str, str]]
) -> None:
    """Write a contact sheet.

    Args:
        path: the picture to write, PNG.
        shot: a shot with frames in ``out``.
        truth: the folder of true paintings.
        keys: the painted frames; the last frame shown is far from them.
        rows: label, and name in ``out``, of each method.
    """
    shown = _choose(shot.frames, keys)
    close = shown[-1]
    window = _window(shot, truth, close)
    sources = [("render", {f: shot.image_path(f) for f in shown})]
    sources.append(("truth", {f: truth / f"{frame_name(f)}.png" for f in shown}))
    for label, name in rows:
        sources.append((label, {f: _result(shot, name, f) for f in shown}))
    height, width = shot.manifest.height, shot.manifest.width
    sheet = np.full(
        (TOP + len(sources) * (height + GAP), LEFT + (len(shown) + 1) * (width + GAP), 3),
        PAPER,
        np.uint8,
    )
    captions = [f"frame {f}" + (" (painted)" if f in keys else "") for f in shown]
    for column, caption in enumerate([*captions, f"frame {close}, closer"]):
        _text(sheet, caption, LEFT + column * (width + GAP), TOP - 10)
    for row, (label, paths) in enumerate(sources):
        y = TOP + row * (height + GAP)
        _text(sheet, label, 6, y + 24)
        for column, f in enumerate([*shown, close]):
            picture = _over_paper(paths[f])
            if column == len(shown):
                enlarged = cv2.resize(
                    picture[window], (width, height), interpolation=cv2.INTER_NEAREST
                )
                picture = np.asarray(enlarged, np.uint8)
            x = LEFT + column * (width + GAP)
            sheet[y : y + height, x : x + width] = picture
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(cv2.imencode(".png", sheet[..., ::-1])[1].tobytes())


def _choose(frames: list[int], keys: list[int]) -> list[int]:
    """Choose frames spread over the shot, and last the one farthest from the keyframes."""
    spread = {frames[round(share * (len(frames) - 1))] for share in np.linspace(0, 1, COLUMNS)}
    return sorted(spread, key=lambda f: (min(abs(f - key) for key in keys), f))


def _window(shot: Shot, truth: Path, frame: int) -> tuple[slice, slice]:
    """Return rows and columns of the detail: where the truth has the strongest gradients."""
    picture = read_picture(truth / f"{frame_name(frame)}.png").rgb
    mask = read_frame(shot, frame, ()).alpha > 0.5
    height, width = picture.shape[0] // ZOOM, picture.shape[1] // ZOOM
    best, found = -1.0, (0, 0)
    for top in np.linspace(0, picture.shape[0] - height, STEPS).astype(int):
        for left in np.linspace(0, picture.shape[1] - width, STEPS).astype(int):
            part = np.s_[top : top + height, left : left + width]
            drawn = gradient(picture[part], mask[part]) * float(mask[part].mean())
            if drawn > best:
                best, found = drawn, (int(top), int(left))
    return slice(found[0], found[0] + height), slice(found[1], found[1] + width)


def _result(shot: Shot, name: str, frame: int) -> Path:
    paths = [shot.out_path(name, frame, suffix) for suffix in OUT_SUFFIXES]
    return next((path for path in paths if path.is_file()), paths[0])


def _over_paper(path: Path) -> ByteArray:
    picture = read_picture(path)
    alpha = 1.0 if picture.alpha is None else picture.alpha[..., None]
    shown = picture.rgb * alpha + np.array(PAPER) / 255 * (1 - alpha)
    return np.asarray(np.rint(shown * 255), np.uint8)


def _text(sheet: ByteArray, words: str, x: int, y: int) -> None:
    cv2.putText(sheet, words, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.55, INK, 1, cv2.LINE_AA)
