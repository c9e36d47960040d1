# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylizes pictures of the viewport by a network that sees nothing but their colour."""

from __future__ import annotations

import time

import cv2
import numpy as np
import torch

from ..frames.alpha import finish
from ..frames.frame import Frame
from ..guides import registry as guides
from ..images.types import FloatArray
from ..inference.tiled_inference import TiledInference
from ..networks.device import Device
from ..networks.style_file import network_for
from ..shared.live_protocol import FINAL, NETWORK, Live, LiveSettings
from ..shared.style_header import ALPHA, ALPHA_FRAME, StyleHeader
from .cache import PictureCache
from .canvases import Pixels
from .learner import Learner
from .live_set import COLOUR, LiveSet
from .saved_state import live_settings

EVERY, EVERY_WHEN_USED = 8, 2
"""Steps of the session's network from one step of the viewport's to the next."""
FIRST_STEPS = 20
"""Steps before its first picture; until then, while it is used, one beside each."""
USED_SECONDS = 5.0
"""Seconds for which the viewport counts as used after a picture of it."""
REFRESH_SECONDS = 1.0
"""Seconds after which a picture is painted with what was learnt since …"""
REFRESH_PAUSE = 10.0
"""… and at least so many times as long as it takes to make the network ready for that."""


class Viewport:
    """The network of the viewport, and its pictures.

    Args:
        request: with ``view``.
        device: where to compute.

    Raises:
        OSError, ValueError: the file of pictures is missing or too small.
    """

    def __init__(self, request: Live, device: Device) -> None:
        assert request.view
        self._request, self._device = request, device
        self._slot = PictureCache(request.view)
        self._learner: Learner | None = None
        self._shape: tuple[list[str], str] | None = None
        self._inference: TiledInference | None = None
        self._painted_steps, self._refresh_took = 0, 0.0
        self._made = self._used = -1e9
        self._told = False

    def learn(self, live_set: LiveSet) -> None:
        """Take the paintings as they are."""
        unit, seed = self._device.unit, self._request.seed
        patches = live_set.colour_patches(unit, seed, 64)
        if self._learner and self._shape == (live_set.names, live_set.alpha):
            self._learner.change(patches, 0.0, None)
            return
        self._shape = live_set.names, live_set.alpha
        training, names = live_settings(self._request.network), [COLOUR]
        header = StyleHeader(self._request.network, names, guides.channels(names), {})
        header.settings = {ALPHA: live_set.alpha, "blocks": training.blocks}
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = network_for(header)
        self._learner = Learner(network, self._device, training, patches, seed)
        self._inference = None

    def is_its_turn(self, steps: int) -> bool:
        """Return whether to take a step beside that step of the session's network."""
        every = EVERY_WHEN_USED if self._is_used else EVERY
        return self._has_more and (steps % every == 0 or (self._is_used and not self._is_ready))

    @property
    def wants_steps(self) -> bool:
        """Whether it is used and has something to learn."""
        return self._has_more and self._is_used

    @property
    def _has_more(self) -> bool:
        return self._learner is not None and not self._learner.is_done

    @property
    def _is_ready(self) -> bool:
        return self._learner is not None and self._learner.trainer.steps >= FIRST_STEPS

    @property
    def _is_used(self) -> bool:
        return time.monotonic() - self._used < USED_SECONDS

    def step(self) -> None:
        """Take a training step."""
        assert self._learner
        self._learner.step()

    def paint(self, pixels: Pixels, live_set: LiveSet, settings: LiveSettings) -> tuple[int, str]:
        """Stylize a picture; return its sequence number, 0 if there is none yet, and why.

        Args:
            pixels: of the viewport, not smaller than the pictures that are wanted.
            live_set: the paintings.
            settings: of the session.
        """
        self._used = time.monotonic()
        learner = self._learner
        if learner is None or not self._is_ready:
            return 0, "It learns to paint the viewport; some seconds more."
        if self._inference is None or self._is_old(learner):
            began = time.monotonic()
            self._inference = learner.inference(settings.light)
            self._painted_steps, self._made = learner.trainer.steps, time.monotonic()
            self._refresh_took = self._made - began
        place = self._slot.place
        image = _scaled(np.dstack(pixels), place.width, place.height)
        frame = Frame(0, np.ascontiguousarray(image[..., :3]), np.ascontiguousarray(image[..., 3]))
        wanted = np.ones(frame.alpha.shape, bool)
        if live_set.alpha == ALPHA_FRAME:
            wanted = frame.alpha > 0
        painted = self._inference.paint(guides.build([COLOUR], frame), wanted)
        keep = settings.unpainted == "frame"
        result = finish(painted, frame.alpha, live_set.alpha, frame.picture if keep else None)
        shows = FINAL if learner.is_done else NETWORK
        entry = self._slot.put(0, 0, result, shows, 0, 0.0, {})
        return entry.sequence, self._what_is_missing(live_set)

    def close(self) -> None:
        """Close the file of pictures."""
        self._slot.close()

    def _is_old(self, learner: Learner) -> bool:
        is_newer = learner.trainer.steps > self._painted_steps
        pause = max(REFRESH_SECONDS, REFRESH_PAUSE * self._refresh_took)
        return is_newer and time.monotonic() - self._made > pause

    def _what_is_missing(self, live_set: LiveSet) -> str:
        """Return once what the style uses and the viewport cannot give."""
        missing = [name for name in live_set.names if name != COLOUR]
        if self._told or not missing:
            return ""
        self._told = True
        return (
            f"The viewport gives colors alone, and the style also uses {', '.join(missing)}; "
            "so the viewport is painted by a sibling of the style that learns from colors alone."
        )


def _scaled(image: FloatArray, width: int, height: int) -> FloatArray:
    if image.shape[1::-1] == (width, height):
        return image
    scaled = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(scaled, np.float32)
