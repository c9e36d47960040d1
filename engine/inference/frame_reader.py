# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the part of a frame that its paint depends on.

Mostly that is what is visible and some pixels around it; in a shot with mattes, what the matte
shows. Frames of more than ``window.LARGE`` pixels are read in bands of rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from ..evaluation.flicker_meter import needed_passes
from ..frames.alpha import as_layer
from ..frames.frame import EXTRA_GUIDE, MATTE, Frame, read_frame, seen_part
from ..frames.keyframe import Keyframe, read_keyframe
from ..frames.matte import matte_window, read_matte
from ..guides import registry as guides
from ..guides.network_input import Inputs
from ..images.types import BoolArray, FloatArray
from ..images.window import Window, is_empty_around
from ..shared.errors import PaintoverError
from ..shared.shot import Shot
from ..shared.style_header import ALPHA_FRAME, ALPHA_LEARNT, PROJECTION, StyleHeader
from .tiling import NO_MARGINS, Margins

EDGES_REACH = 3
"""Width in pixels of a window's border that must be constant if nothing around is to be read; the
guide ``edges`` looks at two neighbours."""


class FrameRead(NamedTuple):
    """A frame as it is read to be painted.

    Attributes:
        frame: the frame, or the part of it in its window.
        margins: pixels of the frame outside the window, whose passes continue its border.
        surroundings: (H, W, 4) float32, 0..1, straight alpha: the whole frame, to show outside
            its matte; None: nothing.
    """

    frame: Frame
    margins: Margins = NO_MARGINS
    surroundings: FloatArray | None = None


class FrameReader:
    """Reads frames of a shot with the passes that a style, and the measure of flicker, need.

    Args:
        shot: the shot.
        header: the style's header.
        inputs: reads the passes of the style's guides.
        network_reach: pixels around a pixel of the network's input that can change its paint.
        keep_frame: whether the frame shows outside the mattes.

    Attributes:
        reach: pixels around a pixel of a frame that can change its paint.
        margin: pixels around visible pixels that can change their paint; None: the whole frame.
        in_bands: whether frames are read and painted in bands.
    """

    def __init__(
        self,
        shot: Shot,
        header: StyleHeader,
        inputs: Inputs,
        network_reach: int,
        *,
        keep_frame: bool,
    ) -> None:
        self._shot, self._header, self._inputs = shot, header, inputs
        self._keep_frame = keep_frame
        self._has_mattes = bool(shot.manifest.matte)
        self._flicker_passes = needed_passes(shot) - {MATTE}
        self._guide_passes = guides.needs(header.guides)
        self._visible_only = header.alpha == ALPHA_FRAME
        self.reach = network_reach + inputs.reach
        self.margin = self.reach if self._visible_only and inputs.local else None
        whole = Window.whole(shot.manifest.height, shot.manifest.width)
        self.in_bands = inputs.has_parts and whole.is_of_large

    def read(self, number: int) -> FrameRead:
        """Read a frame that is painted at once.

        Raises:
            PaintoverError: a file is missing or damaged.
            Cancelled: the reporter asked to stop.
        """
        if self._has_mattes:
            return self._read_inside_matte(number)
        if self.margin is None:
            return FrameRead(self._inputs.read(number, self._flicker_passes))
        # Mostly an object stands alone: then the guides' reach is margin enough, and the network
        # gets the constant surroundings as margins.
        frame = self._inputs.read(number, self._flicker_passes, self._inputs.reach)
        assert frame.window is not None
        if is_constant_around(frame, self._guide_passes):
            return FrameRead(frame, frame.window.spare)
        return FrameRead(self._inputs.read(number, self._flicker_passes, self.margin))

    def _read_inside_matte(self, number: int) -> FrameRead:
        matte = read_matte(self._shot, number)
        part = matte_window(matte, self.reach) if self._inputs.local else None
        frame = self._inputs.read(number, self._flicker_passes, part=part)
        assert frame.window is not None
        frame.matte = np.ascontiguousarray(matte[frame.window.inside])
        return FrameRead(frame, surroundings=self.surroundings(number))

    def find_painted_part(self, number: int) -> tuple[Window, FloatArray | None]:
        """Return the window of a large frame that is painted, and the whole matte.

        Returns:
            The window, and (H, W) float32, 0..1; None: the shot has no mattes.
        """
        if not self._has_mattes:
            return seen_part(self._shot, number, self.margin), None
        matte = read_matte(self._shot, number)
        return matte_window(matte, self.reach), matte

    def read_band(self, number: int, band: Window, matte: FloatArray | None) -> Frame:
        """Read a band of a large frame, whose whole matte (H, W) is known; errors as ``read``."""
        frame = self._inputs.read(number, self._flicker_passes, part=band)
        if matte is not None:
            frame.matte = np.ascontiguousarray(matte[band.inside])
        return frame

    def surroundings(self, number: int) -> FloatArray | None:
        """Return ``FrameRead.surroundings`` of a frame of a shot with mattes."""
        if not self._keep_frame:
            return None
        whole = read_frame(self._shot, number, ())
        return np.dstack([whole.image, whole.alpha])

    def wanted(self, frame: Frame) -> BoolArray:
        """Return (H, W) bool, the pixels of a frame, or of a part of it, to paint."""
        wanted = frame.alpha > 0 if self._visible_only else np.ones(frame.alpha.shape, bool)
        return wanted if frame.matte is None else wanted & (frame.matte > 0)

    def read_keyframes(self, style: str) -> list[tuple[Keyframe, Frame]]:
        """Read the paintings that the style carries, each with its frame; none without projection.

        Args:
            style: the style's name, for error messages.

        Raises:
            PaintoverError: a painting or its frame is missing or damaged.
        """
        if PROJECTION not in self._header.guides:
            return []
        keyframes = []
        for key in sorted(self._header.trained_on):
            if not self._shot.key_path(key).is_file():
                raise PaintoverError(
                    f'The painting {self._shot.key_path(key)}, which the style "{style}" carries '
                    "along, is missing; put it back (keys/versions may have it), or train again."
                )
            frame = self.read_source(key)
            assert frame.window is not None
            keyframe = read_keyframe(self._shot, key).cut(frame.window)
            if self._header.alpha == ALPHA_LEARNT:
                keyframe = as_layer(keyframe, frame.alpha)
            keyframes.append((keyframe, frame))
        return keyframes

    def read_source(self, number: int) -> Frame:
        """Read a frame whose paint is carried to others; of large ones only what carrying needs."""
        needed = guides.needs([PROJECTION]) if self.in_bands else None
        return self._inputs.read(number, around=self.margin, only=needed)


def is_constant_around(frame: Frame, needed: Iterable[str]) -> bool:
    """Return whether all passes that guides need are constant along the border of the window.

    The picture is left out: the border is transparent, and guides ignore transparent colours.

    Args:
        frame: a window of a frame.
        needed: names of the passes.
    """
    assert frame.window is not None
    for name in set(needed) - {"image", "alpha"}:
        if name.startswith(EXTRA_GUIDE):
            values = frame.guides[name.removeprefix(EXTRA_GUIDE)]
        else:
            values = getattr(frame, name)
        if values is not None and not is_empty_around(values, frame.window, EDGES_REACH):
            return False
    return True
