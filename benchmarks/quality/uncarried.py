# SPDX-License-Identifier: GPL-3.0-or-later
"""Scores where no paint was carried, so that the network alone has to draw, and on keyframes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence

import numpy as np

from engine.evaluation.painting_strokes import PaintingStrokes
from engine.evaluation.results import mask_guides, mask_of, read_in_size, result_path
from engine.evaluation.scores import gradient, psnr
from engine.frames.frame import read_frame
from engine.frames.keyframe import read_keyframe
from engine.guides import registry as guides
from engine.images.pictures import Picture, read_picture
from engine.images.types import BoolArray, FloatArray
from engine.projection.channels import VALID
from engine.projection.keyframe_projection import Projection
from engine.shared.frame_lists import frame_name
from engine.shared.shot import Shot

from .truth import OPAQUE, Truth

OUTSIDE, PAINTED = 0.02, 0.25
"""Alpha below which a frame shows nothing, and above which the truth is painted there."""


@dataclasses.dataclass(frozen=True)
class MoreScores:
    """Means over the frames that have them; None where none has.

    Attributes:
        share: share, 0..1, of the subject where no paint was carried.
        texture: mean gradient over the truth's, there.
        strokes: distance there from the strokes of the whole nearest painting.
        strokes_truth: the same of the truth.
        past: PSNR over gray, in dB, where the truth is painted past the frame's silhouette.
        keyframes: PSNR of the keyframes' own frames against their paintings, in dB; the worst.
    """

    share: float
    texture: float | None
    strokes: float | None
    strokes_truth: float | None
    past: float | None
    keyframes: float | None

    def as_data(self) -> dict[str, float | None]:
        """Return plain data for JSON, with None for an infinite PSNR."""
        data = dataclasses.asdict(self)
        return {name: None if value == math.inf else value for name, value in data.items()}


def uncarried(shot: Shot, keys: list[int]) -> dict[int, BoolArray]:
    """Return where no paint is carried: frame, without the keyframes → (H, W) bool, the subject's.

    Raises:
        PaintoverError: a file of the shot is missing or damaged.
    """
    needs = {*guides.needs([Projection.name]), *mask_guides(shot)}
    pairs = [(read_keyframe(shot, key), read_frame(shot, key, needs)) for key in keys]
    projection = Projection(shot, pairs)
    frames = [frame for frame in shot.frames if frame not in keys]
    projection.prepare("score", frames)
    found = {}
    for number in frames:
        frame = read_frame(shot, number, needs)
        found[number] = mask_of(frame) & (projection.compute(frame)[VALID] == 0)
    return found


def more_scores(truth: Truth, style: str, where: Mapping[int, BoolArray]) -> MoreScores:
    """Score the frames in ``out`` of a style.

    Args:
        truth: the pair; its keyframes are scored too.
        style: the style's name.
        where: as ``uncarried`` returns it; frames without a picture are left out.

    Raises:
        PaintoverError: a picture is damaged or of another size.
    """
    shot = truth.shot
    paintings = PaintingStrokes(shot, style)
    shares: list[float] = []
    textures: list[float] = []
    drawn: list[float | None] = []
    drawn_truth: list[float | None] = []
    past: list[float] = []
    keyframes: list[float] = []
    for number, part in where.items():
        path = result_path(shot, style, number)
        if path is None:
            continue
        frame = read_frame(shot, number, mask_guides(shot))
        mask = mask_of(frame)
        shares.append(float(part.sum() / max(int(mask.sum()), 1)))
        right = read_in_size(shot, truth.folder / f"{frame_name(number)}.png")
        result = read_in_size(shot, path)
        if own := gradient(right, part):
            textures.append(gradient(result, part) / own)
        drawn.append(paintings.distance(number, result, mask, part))
        drawn_truth.append(paintings.distance(number, right, mask, part))
        over = read_picture(truth.folder / f"{frame_name(number)}.png"), read_picture(path)
        beyond = (frame.alpha < OUTSIDE) & (_alpha(over[0]) > PAINTED)
        if _alpha(over[0]).min() < OPAQUE and beyond.any():
            past.append(psnr(_over_gray(over[1]), _over_gray(over[0]), beyond))
    for key in truth.keys:
        path = result_path(shot, style, key)
        if path is not None:
            mask = mask_of(read_frame(shot, key, mask_guides(shot)))
            keyframes.append(psnr(read_in_size(shot, path), read_keyframe(shot, key).paint, mask))
    return MoreScores(
        sum(shares) / max(len(shares), 1),
        _mean(textures),
        _mean(drawn),
        _mean(drawn_truth),
        _mean(past),
        min(keyframes, default=None),
    )


def _alpha(picture: Picture) -> FloatArray:
    shape = picture.pixels.shape[:2]
    return np.ones(shape, np.float32) if picture.alpha is None else picture.alpha


def _over_gray(picture: Picture) -> FloatArray:
    alpha = _alpha(picture)[..., None]
    shown: FloatArray = picture.rgb * alpha + np.float32(0.5) * (1 - alpha)
    return shown


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
