# SPDX-License-Identifier: GPL-3.0-or-later
"""From the network's paint to a frame's pixels: its alpha, its own painting, its matte."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from ..evaluation.flicker_meter import FlickerInput
from ..frames.alpha import finish
from ..frames.frame import Frame, read_frame
from ..frames.keyframe import read_keyframe
from ..frames.matte import put_into
from ..images.types import FloatArray
from ..images.window import Window
from ..shared.files import read_unchanged
from ..shared.keyframes.weights import weights_at
from ..shared.shot import Shot
from ..shared.style_header import StyleHeader
from .own_frames import painting_share, put_painting


class Painted(NamedTuple):
    """A painted frame.

    Attributes:
        pixels: (H, W, 4) float32, 0..1, display-referred, straight alpha, of the window.
        digest: ``Shot.input_digest`` of the frame as it was read.
        window: the part of the frame that the pixels show; the rest is 0. None: all of it.
        flicker_input: what flicker is measured from; None where pictures are filtered over time.
        measured: the part of the pixels that it shows.
    """

    pixels: FloatArray
    digest: str
    window: Window | None
    flicker_input: FlickerInput | None
    measured: tuple[slice, slice] = (slice(None), slice(None))


class Finisher:
    """Makes the pixels of frames from what the network has painted.

    Args:
        shot: the shot.
        header: the style's header.
        own: keyframe → ``Shot.key_digest`` of the painting to put into its own frame.
        light: as ``protocol.Stylize.light``.
        keep_frame: whether the frame shows where alpha is learnt and nothing is painted.
    """

    def __init__(
        self,
        shot: Shot,
        header: StyleHeader,
        own: Mapping[int, str],
        light: float,
        *,
        keep_frame: bool,
    ) -> None:
        self._shot, self._alpha, self._own, self._light = shot, header.alpha, own, light
        self._keep_frame = keep_frame

    def add_alpha(self, painted: FloatArray, frame: Frame) -> FloatArray:
        """Return the pixels (H, W, 4) of a frame, or a window of it, from the network's paint.

        Args:
            painted: (3 or 4, H, W) float32, from ``TiledInference.paint``.
            frame: the frame, or the window of it.
        """
        picture = frame.picture if self._keep_frame else None
        return finish(painted, frame.alpha, self._alpha, picture)

    def put_own_painting(self, pixels: FloatArray, number: int, window: Window | None) -> None:
        """Put the painting of a frame, if there is one, into its pixels (H, W, 4), in place.

        The painting and its frame are read again for it, since all paintings together would take
        too much memory. A painting that has been replaced since is left out.

        Args:
            pixels: (H, W, 4) float32, 0..1, straight alpha, of the window.
            number: of the frame.
            window: the part of the frame that the pixels show; None: all of it.

        Raises:
            PaintoverError: the painting or the frame cannot be read.
        """
        if number not in self._own:
            return
        painting, digest = read_unchanged(
            lambda: self._shot.key_digest(number),
            lambda: read_keyframe(self._shot, number),
            str(self._shot.key_path(number)),
        )
        if digest != self._own[number]:
            return
        weights = weights_at(self._shot.manifest.weights, number, [number])
        share = painting_share(self._light, weights.get(number, 1.0))
        window = window or Window.whole(self._shot.manifest.height, self._shot.manifest.width)
        for part, _ in window.parts(0):
            frame = read_frame(self._shot, number, (), part=part)
            here, keep = pixels[part.within(window)], self._keep_frame
            put_painting(here, painting, frame, self._alpha, share, keep_frame=keep)


def put_around(
    painted: Painted, matte: FloatArray | None, surroundings: FloatArray | None
) -> Painted:
    """Return a painted frame with its surroundings outside the matte.

    Args:
        painted: the frame.
        matte: (h, w) float32, 0..1, of its window; None: all is painted.
        surroundings: (H, W, 4) float32, 0..1, what shows outside; None: nothing.
    """
    if matte is None:
        return painted
    window = painted.window or Window.whole(*matte.shape)
    pixels = put_into(surroundings, painted.pixels, matte, window)
    if surroundings is None:
        return painted._replace(pixels=pixels)
    return painted._replace(pixels=pixels, window=None, measured=window.inside)
