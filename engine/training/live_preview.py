# SPDX-License-Identifier: GPL-3.0-or-later
"""Live pictures: one frame, painted by the network while it trains.

A small one goes to the reporter. A large one, with the frame as captured and the nearest painting
beside it, goes into the slots of a file (``protocol.WATCHED``) while it is asked for.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Mapping

import cv2
import numpy as np

from ..frames.alpha import finish
from ..frames.frame import MATTE, Frame
from ..frames.keyframe import read_keyframe
from ..frames.matte import put_into
from ..images.shown_pictures import put_picture
from ..images.types import FloatArray
from ..images.window import Window
from ..inference.tiled_inference import TiledInference
from ..networks.base import Painter
from ..networks.device import Device
from ..shared.errors import PaintoverError
from ..shared.keyframes.weights import weights_at
from ..shared.live_files import PictureSlots
from ..shared.live_protocol import NETWORK, LivePictures
from ..shared.protocol import UNPAINTED_FRAME, WATCHED, LivePicture, TrainShow
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from .dataset import TrainingSet

INTERVAL = 3.0
"""Minimum seconds between two live pictures."""
SHARE = 0.1
"""Maximum share of the time spent on live pictures."""

RESULT, RENDER, PAINTING = range(len(WATCHED))
"""Slots of the large pictures."""


@dataclasses.dataclass(frozen=True)
class _Shown:
    """The frame that is shown, and the network's input of it."""

    frame: Frame
    input: FloatArray


class LivePreview:
    """Paints one frame at intervals and reports the picture.

    If the frame cannot be read, a warning is given once and training goes on without live pictures.

    Args:
        shot: the shot.
        wanted: the frame and the size of its picture; None for no live pictures.
        training_set: builds the network's input of the frame.
        device: where to compute.
        report: gets the pictures, (height, width, 4) uint8 RGBA, and the warning.
        large: the file for large pictures; None for none.
    """

    def __init__(
        self,
        shot: Shot,
        wanted: LivePicture | None,
        training_set: TrainingSet,
        device: Device,
        report: Reporter,
        large: LivePictures | None = None,
    ) -> None:
        self._shot, self._wanted, self._training_set = shot, wanted, training_set
        self._device, self._report = device, report
        self._next = time.monotonic()
        self._shown: _Shown | None = None
        self._slots = None if large is None else _opened(large, report)
        self._is_large = False
        if wanted is None:
            return
        if Window.whole(shot.manifest.height, shot.manifest.width).is_of_huge:
            self._wanted = None
            report.warned("There is no live picture, as frames of this size are too large for it.")
            return
        try:
            self._shown = self._read(wanted.frame)
        except PaintoverError as error:
            report.warned(f"There is no live picture this time: {error}")

    def show(self, request: TrainShow) -> None:
        """Show another frame from the next picture on, which comes at once."""
        if self._wanted is None:
            return
        self._is_large = request.large and self._slots is not None
        self._next = time.monotonic()
        try:
            if self._shown is None or self._shown.frame.number != request.frame:
                self._shown = self._read(request.frame)
            if self._is_large:
                self._put_still(self._shown.frame)
        except PaintoverError as error:
            self._report.warned(f"Frame {request.frame} cannot be shown: {error}")

    def update(self, network: Painter) -> None:
        """Report a new picture by ``network`` if the interval has passed."""
        started = time.monotonic()
        if self._wanted is None or self._shown is None or started < self._next:
            return
        frame = self._shown.frame
        alpha, matte = frame.alpha, frame.matte
        keep = self._wanted.unpainted == UNPAINTED_FRAME
        under = frame.picture if keep else None
        inside = None if matte is None else matte > 0
        inference = TiledInference(network, self._device, light=self._wanted.light)
        painted = inference.paint(self._shown.input, inside)
        picture = finish(painted, alpha, self._training_set.alpha, under)
        if matte is not None:
            layers = None if under is None else np.dstack([under, alpha])
            picture = put_into(layers, picture, matte, Window.whole(*matte.shape))
        if self._is_large and self._slots:
            put_picture(self._slots, RESULT, frame.number, picture, NETWORK)
        size = (self._wanted.width, self._wanted.height)
        if picture.shape[1::-1] != size:
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
        codes = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
        self._report.picture(frame.number, codes)
        ended = time.monotonic()
        self._next = ended + max(INTERVAL, (ended - started) / SHARE)

    def close(self) -> None:
        """Close the file of the large pictures."""
        if self._slots is not None:
            self._slots.close()
            self._slots = None

    def _read(self, number: int) -> _Shown:
        if number in self._shot.frames:
            self._training_set.inputs.prepare("train", [number])
        frame = self._training_set.inputs.read(number, (MATTE,))
        weights: Mapping[int, float] = weights_at(
            self._shot.manifest.weights, number, self._training_set.digests
        )
        return _Shown(frame, self._training_set.input_of(frame, weights))

    def _put_still(self, frame: Frame) -> None:
        """Write what does not change while the network learns: the render and the painting."""
        assert self._slots
        render = np.dstack([frame.picture, frame.alpha])
        put_picture(self._slots, RENDER, frame.number, render, NETWORK)
        nearest = min(self._training_set.digests, key=lambda key: (abs(key - frame.number), key))
        keyframe = read_keyframe(self._shot, nearest)
        painting = np.dstack([keyframe.paint, keyframe.alpha])
        put_picture(self._slots, PAINTING, nearest, painting, NETWORK)


def _opened(place: LivePictures, report: Reporter) -> PictureSlots | None:
    try:
        return PictureSlots(place)
    except (OSError, ValueError) as error:
        report.warned(f"The large picture cannot be shown: {error}.")
        return None
