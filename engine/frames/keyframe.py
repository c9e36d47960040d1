# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and checks keyframes: the paintings and their masks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..images.given_pictures import given_size, read_given, read_given_mask, told_once
from ..images.pictures import has_alpha, picture_size, read_picture
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..shared.errors import PaintoverError
from ..shared.frame_lists import format_frames
from ..shared.keyframes.blank import remember_blank
from ..shared.keyframes.names import describe_unused
from ..shared.pictures.digests import digest_picture
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from .matte import read_matte, without_matte, without_surroundings

_SAME = 0.51 / 255
"""Pixels that differ less may be the same ones, rounded to 8-bit codes."""


@dataclasses.dataclass(frozen=True)
class Keyframe:
    """The painting of one frame.

    Attributes:
        frame: its number.
        paint: (H, W, 3) float32, 0..1, display-referred, straight alpha.
        alpha: (H, W) float32, 0..1, the painting's alpha; 1 if the file has none.
        mask: (H, W) bool, the part to learn from; never empty as read.
        masked: whether a mask file or a matte gives the mask; else it is where frame or painting
            have alpha.
        by_matte: whether a matte gives the mask.
        notes: what was converted in the painting when it was read, as ends of sentences.
    """

    frame: int
    paint: FloatArray
    alpha: FloatArray
    mask: BoolArray
    masked: bool = False
    by_matte: bool = False
    notes: tuple[str, ...] = ()

    @property
    def alpha_mask(self) -> BoolArray:
        """(H, W) bool, where alpha is learnt: everywhere unless mask file or matte limit it."""
        return self.mask if self.masked else np.ones_like(self.mask)

    def cut(self, window: Window) -> Keyframe:
        """Return the part of the painting in a window of the whole picture."""
        paint, alpha, mask = (
            np.ascontiguousarray(part[window.inside])
            for part in (self.paint, self.alpha, self.mask)
        )
        return dataclasses.replace(self, paint=paint, alpha=alpha, mask=mask)


def read_keyframe(shot: Shot, frame: int) -> Keyframe:
    """Read and check the painting of a frame.

    The mask is the white part (above 0.5, times its alpha) of ``keys/NNNN.mask.png``, or else of
    the frame's matte; without either it is where the frame or the painting has an alpha above 0.

    Raises:
        PaintoverError: the frame is not in the shot; the painting is missing or equals the frame;
            the painting or the mask has another size than the frame; the mask is empty; or a file
            is damaged.
    """
    path = shot.key_path(frame)
    if frame not in shot.manifest.frames:
        raise PaintoverError(
            f"Keyframe {path} is outside the shot, which has frames {format_frames(shot.frames)}; "
            "capture that frame, or remove the keyframe."
        )
    if not path.is_file():
        raise PaintoverError(f"Frame {frame} has no painting {path}; add a keyframe there.")
    if not shot.key_is_painted(frame):
        raise _not_painted(shot, frame)
    _check_size(shot, path, "painting")
    given = read_given(path, beside=shot.image_path(frame))
    picture = given.picture
    shape = picture.pixels.shape[:2]
    alpha = np.ones(shape, np.float32) if picture.alpha is None else picture.alpha.copy()
    return make_keyframe(shot, frame, picture.rgb, alpha, given.notes)


def make_keyframe(
    shot: Shot, frame: int, paint: FloatArray, alpha: FloatArray, notes: tuple[str, ...] = ()
) -> Keyframe:
    """Return the pixels of a painting as a keyframe, with the mask that ``read_keyframe`` tells of.

    Args:
        shot: the shot.
        frame: the painted frame.
        paint: (H, W, 3) float32, 0..1, display-referred, straight alpha, of the shot's size.
        alpha: (H, W) float32, 0..1.
        notes: as in ``Keyframe``.

    Raises:
        PaintoverError: mask or matte are of another size, empty or damaged, or all is transparent.
    """
    has_file = shot.key_mask_path(frame).is_file()
    by_matte = bool(shot.manifest.matte) and not has_file
    if shot.manifest.matte:
        matte = read_matte(shot, frame)
        paint = without_surroundings(paint, matte) if alpha.min() == 1 else paint
        alpha = without_matte(alpha, matte)
    mask = _mask_of_matte(shot, frame, matte) if by_matte else _read_mask(shot, frame, alpha)
    masked = has_file or by_matte
    return Keyframe(frame, paint, alpha, mask, masked, by_matte, notes)


def read_keyframes(
    shot: Shot, wanted: Sequence[int] = (), report: Reporter | None = None
) -> list[Keyframe]:
    """Read the keyframes to learn from, in frame order.

    Args:
        shot: the shot.
        wanted: their frame numbers; empty means all that are painted. One whose pixels are those
            of its frame is not painted, which the manifest then notes.
        report: is told what was converted in the paintings.

    Raises:
        PaintoverError: there is none, or ``read_keyframe`` rejects one.
    """
    frames = sorted(set(wanted)) or shot.painted_keys()
    keyframes = []
    for frame in frames:
        digest = digest_picture(shot.key_path(frame))
        keyframe = read_keyframe(shot, frame)
        if shows_only_the_frame(shot, keyframe):
            remember_blank(shot, frame, digest)
        else:
            keyframes.append(keyframe)
    blank = sorted(set(frames or shot.key_frames()) - {keyframe.frame for keyframe in keyframes})
    if blank and (wanted or not keyframes):
        raise _not_painted(shot, blank[0])
    unused = describe_unused(shot)
    if not keyframes:
        way_out = unused or "add one, paint on it, then train"
        raise PaintoverError(f"{shot.folder} has no keyframe yet; {way_out}.")
    if report:
        if unused:
            report.warned(f"{unused}.")
        notes = [(shot.key_path(keyframe.frame), keyframe.notes) for keyframe in keyframes]
        for sentence in told_once(notes):
            report.warned(sentence)
    return keyframes


def _not_painted(shot: Shot, frame: int) -> PaintoverError:
    unused = describe_unused(shot)
    return PaintoverError(
        f"Keyframe {shot.key_path(frame)} is not painted yet: it equals the frame; paint on it "
        f"and save it{'; ' * bool(unused)}{unused}."
    )


def shows_only_the_frame(shot: Shot, keyframe: Keyframe) -> bool:
    """Return whether a painting has the pixels of its frame, as saved by another program."""
    counts = np.ones(keyframe.alpha.shape, bool)
    if shot.manifest.matte:  # in soft edges, surroundings were taken out of the painting
        matte = read_matte(shot, keyframe.frame)
        counts = (matte == 0) | (matte == 1)
    path = shot.image_path(keyframe.frame)
    try:
        if picture_size(path) != counts.shape[::-1]:
            return False
        for part, _ in Window.whole(*counts.shape).parts(0):
            picture = read_picture(path, part=part)
            alpha = np.float32(1) if picture.alpha is None else picture.alpha
            own = keyframe.cut(part)
            differs = np.abs(picture.rgb - own.paint).max(axis=2) > _SAME
            differs = (differs & (alpha > _SAME)) | (np.abs(alpha - own.alpha) > _SAME)
            if (differs & counts[part.inside]).any():
                return False
    except PaintoverError:
        return False
    return True


def _check_size(shot: Shot, path: Path, what: str) -> None:
    size = given_size(path)
    expected = (shot.manifest.width, shot.manifest.height)
    if size == expected:
        return
    same_aspect = size[0] * expected[1] == size[1] * expected[0]
    way_out = "scale it to that size" if same_aspect else "its aspect differs too; crop or redo it"
    raise PaintoverError(
        f"The {what} {path} is {size[0]}×{size[1]}, but the frame is "
        f"{expected[0]}×{expected[1]}; {way_out}."
    )


def _mask_of_matte(shot: Shot, frame: int, matte: FloatArray) -> BoolArray:
    mask: BoolArray = matte > 0.5
    if not mask.any():
        raise PaintoverError(
            f"The matte {shot.matte_path(frame)} of the painted frame {frame} is empty (all "
            "black); make it white where the painting counts, or remove the keyframe."
        )
    return mask


def _read_mask(shot: Shot, frame: int, alpha: FloatArray) -> BoolArray:
    path = shot.key_mask_path(frame)
    if path.is_file():
        _check_size(shot, path, "mask")
        mask: BoolArray = read_given_mask(path) > 0.5
        if not mask.any():
            raise PaintoverError(
                f"The mask {path} is empty (all black); paint white what should be learnt, "
                "or delete the file."
            )
        return mask
    mask = alpha > 0
    image = shot.image_path(frame)
    if not mask.all() and image.is_file() and has_alpha(image):
        _check_size(shot, image, "picture")
        shown = read_picture(image).alpha
        if shown is not None:
            mask = mask | (shown > 0)
    if not mask.any():
        raise PaintoverError(
            f"The painting {shot.key_path(frame)} is empty (fully transparent); paint on it."
        )
    return mask
