# SPDX-License-Identifier: GPL-3.0-or-later
"""Live pictures: one unpainted frame, painted by the network while it trains."""

from __future__ import annotations

import time

import cv2
import numpy as np

from ..frames.alpha import finish
from ..frames.frame import MATTE
from ..frames.matte import put_into
from ..images.types import FloatArray
from ..images.window import Window
from ..inference.tiled_inference import TiledInference
from ..networks.base import Painter
from ..networks.device import Device
from ..shared.errors import PaintoverError
from ..shared.keyframes.weights import weights_at
from ..shared.protocol import UNPAINTED_FRAME, LivePicture
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from .dataset import TrainingSet

INTERVAL = 3.0
"""Minimum seconds between two live pictures."""
SHARE = 0.1
"""Maximum share of the time spent on live pictures."""


class LivePreview:
    """Paints one frame at intervals and reports the picture.

    If the frame cannot be read, a warning is given once and training goes on without live pictures.

    Args:
        shot: the shot.
        wanted: the frame and the size of its picture; None for no live pictures.
        training_set: builds the network's input of the frame.
        device: where to compute.
        report: gets the pictures, (height, width, 4) uint8 RGBA, and the warning.
    """

    def __init__(
        self,
        shot: Shot,
        wanted: LivePicture | None,
        training_set: TrainingSet,
        device: Device,
        report: Reporter,
    ) -> None:
        self._wanted, self._training_set = wanted, training_set
        self._device, self._report = device, report
        self._next = time.monotonic()
        self._input: FloatArray | None = None
        if wanted is None:
            return
        if Window.whole(shot.manifest.height, shot.manifest.width).is_of_huge:
            report.warned("There is no live picture, as frames of this size are too large for it.")
            return
        try:
            if wanted.frame in shot.frames:
                training_set.inputs.prepare("train", [wanted.frame])
            frame = training_set.inputs.read(wanted.frame, (MATTE,))
            weights = weights_at(shot.manifest.weights, wanted.frame, training_set.digests)
            self._input = training_set.input_of(frame, weights)
            self._alpha, self._matte = frame.alpha, frame.matte
            keep = wanted.unpainted == UNPAINTED_FRAME
            self._picture = frame.picture if keep else None
        except PaintoverError as error:
            report.warned(f"There is no live picture this time: {error}")

    def update(self, network: Painter) -> None:
        """Report a new picture by ``network`` if the interval has passed."""
        started = time.monotonic()
        if self._wanted is None or self._input is None or started < self._next:
            return
        inside = None if self._matte is None else self._matte > 0
        inference = TiledInference(network, self._device, light=self._wanted.light)
        painted = inference.paint(self._input, inside)
        picture = finish(painted, self._alpha, self._training_set.alpha, self._picture)
        if self._matte is not None:
            under = None if self._picture is None else np.dstack([self._picture, self._alpha])
            picture = put_into(under, picture, self._matte, Window.whole(*self._matte.shape))
        size = (self._wanted.width, self._wanted.height)
        if picture.shape[1::-1] != size:
            picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA))
        codes = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
        self._report.picture(self._wanted.frame, codes)
        ended = time.monotonic()
        self._next = ended + max(INTERVAL, (ended - started) / SHARE)
