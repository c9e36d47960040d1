# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the parts of a shot to which no paint is carried, in a few frames.

There the network paints the mean of what the painter might do. Where its guides tell it little, as
in footage, this has the right tones and no brush marks. Patch synthesis puts pieces of the
paintings in its place. The paint of the drawn frames is then carried to the other frames like that
of keyframes, so it is as steady as theirs.
"""

from __future__ import annotations

import math
import time
from collections.abc import Collection
from typing import NamedTuple

import cv2
import numpy as np

from ..evaluation.scores import gradient
from ..evaluation.strokes import distance, stroke_quantiles
from ..frames.drawn_frame import DrawnFrame
from ..frames.frame import Frame
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..networks.style_file import MOST_DRAWN_PIXELS
from ..shared.frame_lists import spread
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import has_surface
from ..synthesis.patch_synthesis import Source, synthesize
from .frame_pipeline import FramePipeline
from .style_study import Study

LOOKED_AT = 8
"""Frames, spread evenly over the shot, of which the drawn ones are chosen."""
LOOKED_INTO = 768
"""Side in pixels of the part of a painting by which it is decided whether to draw at all."""
COMPARED = 200_000
"""Patches whose strokes are compared, at most."""
LEAST_SHARE = 0.01
"""Share of a frame's subject below which it is not worth drawing."""
MOST_SOURCES = 2
"""Paintings to take pieces of: those of the nearest keyframes."""
GUESSED = 0.55
"""Texture of what the network makes of a painted frame without its paint, relative to the painting,
below which it only guesses: then frames are drawn."""
NEARER = 0.7
"""A drawn frame is kept if the distance of its strokes from the painting's is at most this share of
the network's. Otherwise the network has drawn well enough, or there is nothing fit to draw with."""
AROUND = 3
"""Pixels drawn around what no paint is carried to, so that the seam lies in carried paint."""
PAINT_SIGMA, RESULT_SIGMA = 2.0, 1.0
"""Standard deviations in pixels by which paintings and results are blurred as guides; the results
have lost their marks already."""
PAINT_GUIDE, OWN_GUIDE, PICTURE_GUIDE, EXTRA_GUIDES = 2.0, 0.5, 0.3, 1.0
"""Weights of the guides: the paint, what the network paints without projection, the
picture, and each guide of the shot's own."""


def frames_to_look_at(shot: Shot, keys: Collection[int]) -> list[int]:
    """Return the frames of which the drawn ones are chosen.

    There are none in shots with a surface, where the network knows enough to draw by itself (see
    ``training/unpainted.py``), nor in very large ones.
    """
    manifest = shot.manifest
    if has_surface(manifest.passes):
        return []
    frames = [frame for frame in shot.frames if frame not in keys]
    if not frames or manifest.width * manifest.height > MOST_DRAWN_PIXELS:
        return []
    return spread(frames, LOOKED_AT)


def draw_frames(
    shot: Shot, pipeline: FramePipeline, most: int, seconds: float, seed: int, report: Reporter
) -> list[DrawnFrame]:
    """Draw frames of a shot, the emptiest first, as long as that makes them better.

    Args:
        shot: the shot.
        pipeline: of the style; the drawn frames are added to what it carries.
        most: frames to draw at most.
        seconds: stop after so many; a frame that was begun is finished.
        seed: of all random choices.
        report: receives the progress; when it is cancelled, what was drawn so far is returned.

    Raises:
        PaintoverError: a frame or a keyframe cannot be read.
    """
    keys = sorted(pipeline.key_digests)
    chosen = frames_to_look_at(shot, keys)
    if not chosen or not most or not _only_guesses(pipeline, keys[0], _middle(shot)):
        return []
    began = time.monotonic()
    sources: dict[int, Source] = {}
    drawn: list[DrawnFrame] = []
    while chosen and len(drawn) < most and time.monotonic() - began <= seconds:
        report.progress("train", 1.0, -1.0, "Drawing what the paintings do not show")
        found = _find_emptiest(pipeline, chosen)
        if found is None or report.cancelled():
            break
        chosen.remove(found)
        digest = shot.input_digest(found)
        study = pipeline.study.frame(found)
        nearest = sorted(keys, key=lambda key: abs(key - found))[:MOST_SOURCES]
        for key in nearest:
            if key not in sources:
                sources[key] = _source_of(pipeline, key)
        source = _joined([sources[key] for key in nearest])
        one = _draw(study, found, source, seed, digest)
        if not _is_nearer(one, study, source):
            break
        drawn.append(one)
        pipeline.add_drawn([one])
    return drawn


def _middle(shot: Shot) -> Window:
    """Return a window of at most ``LOOKED_INTO`` pixels a side in the middle of the frames."""
    height, width = shot.manifest.height, shot.manifest.width
    rows, columns = min(height, LOOKED_INTO), min(width, LOOKED_INTO)
    top, left = (height - rows) // 2, (width - columns) // 2
    return Window(top, left, top + rows, left + columns, height, width)


def _only_guesses(pipeline: FramePipeline, key: int, window: Window) -> bool:
    """Return whether the network makes little of a painting from a part of the frame alone."""
    study = pipeline.study.keyframe(key, window)
    if not study.learnt.any():
        return False
    texture = gradient(study.painting.paint, study.learnt)
    return gradient(study.own, study.learnt) < GUESSED * texture


def _find_emptiest(pipeline: FramePipeline, frames: list[int]) -> int | None:
    """Return the frame with the most to draw; None if there is little in all."""
    best, area = None, 0
    for frame in frames:
        subject, empty = pipeline.study.find_empty(frame)
        count = int(empty.sum())
        if count > max(area, LEAST_SHARE * subject.sum()):
            best, area = frame, count
    return best


class _Guides(NamedTuple):
    """Guides (H, W, 9) float32 and colours (H, W, 3), both in codes."""

    guide: FloatArray
    colours: FloatArray


def _source_of(pipeline: FramePipeline, key: int) -> Source:
    study = pipeline.study.keyframe(key)
    paint = study.painting.paint
    guides = _guides(paint, study.own, study.frame, study.learnt, PAINT_SIGMA)
    return Source(guides.colours, guides.guide, study.learnt)


def _guides(
    paint: FloatArray, own: FloatArray, frame: Frame, mask: BoolArray, sigma: float
) -> _Guides:
    """Return guides and colours of paint (H, W, 3), 0..1, in a frame."""
    colours = _extended(paint, mask)
    layers = [
        PAINT_GUIDE * cv2.GaussianBlur(colours, (0, 0), sigma),
        OWN_GUIDE * _extended(own, mask),
        PICTURE_GUIDE * _extended(frame.image, mask),
        *(EXTRA_GUIDES * guide for guide in frame.guides.values()),
    ]
    return _Guides(255 * np.dstack(layers).astype(np.float32), 255 * colours)


def _draw(study: Study, number: int, source: Source, seed: int, digest: str) -> DrawnFrame:
    square = np.ones((2 * AROUND + 1,) * 2, np.uint8)
    where = cv2.dilate(study.empty.astype(np.uint8), square).astype(bool) & study.subject
    guides = _guides(study.painted, study.own, study.frame, study.subject, RESULT_SIGMA)
    filled = synthesize(source, guides.guide, guides.colours, where, seed)
    paint = np.rint(np.clip(filled, 0, 255)).astype(np.uint8)
    paint[~where] = 0
    return DrawnFrame(number, paint, where, digest)


def _is_nearer(drawn: DrawnFrame, study: Study, source: Source) -> bool:
    """Return whether a drawn frame is nearer to the painting's strokes than what was there."""
    painting = stroke_quantiles(source.paint / 255, source.mask, _thinned(source.mask))
    filled = np.where(drawn.mask[..., None], drawn.paint / np.float32(255), study.painted)
    where = _thinned(drawn.mask)
    before = stroke_quantiles(study.painted, study.subject, where)
    after = stroke_quantiles(filled, study.subject, where)
    if painting is None or before is None or after is None:
        return False
    return distance(after, painting) <= NEARER * distance(before, painting)


def _thinned(mask: BoolArray) -> BoolArray:
    """Return at most about ``COMPARED`` pixels of a mask, spread evenly."""
    every = max(1, math.isqrt(int(mask.sum()) // COMPARED))
    result = np.zeros_like(mask)
    result[::every, ::every] = mask[::every, ::every]
    return result


def _joined(sources: list[Source]) -> Source:
    """Return paintings one below the other, as one."""
    return Source(
        np.concatenate([one.paint for one in sources]),
        np.concatenate([one.guide for one in sources]),
        np.concatenate([_apart(one.mask) for one in sources]),
    )


def _apart(mask: BoolArray) -> BoolArray:
    """Return a mask whose first row is not used, so that no patch lies in two paintings."""
    result = mask.copy()
    result[0] = False
    return result


def _extended(picture: FloatArray, mask: BoolArray) -> FloatArray:
    """Return a picture (H, W, 3) that is continued smoothly outside a mask."""
    if mask.all():
        return picture
    inside = mask.astype(np.float32)
    colours, cover = picture * inside[..., None], inside
    result, sigma = picture.copy(), 2.0
    left = ~mask
    while left.any() and sigma < 64:
        blurred = cv2.GaussianBlur(colours, (0, 0), sigma)
        weight = cv2.GaussianBlur(cover, (0, 0), sigma)
        near = left & (weight > 0.05)
        result[near] = blurred[near] / weight[near, None]
        left &= ~near
        sigma *= 2
    result[left] = picture[mask].mean(axis=0) if mask.any() else 0
    return result
