# SPDX-License-Identifier: GPL-3.0-or-later
"""The keyframes as training examples that can be repainted, and the way to the network's input."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import torch

from ..frames.alpha import alpha_of, as_layer
from ..frames.frame import MATTE, Frame
from ..frames.keyframe import Keyframe
from ..guides import registry as guides
from ..guides.network_input import Inputs
from ..images.types import FloatArray, HalfArray
from ..jobs.colour_transfer import ColourTransfer
from ..projection.channels import PROJECTION_CHANNELS
from ..projection.keyframe_projection import Projection
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import ALPHA_LEARNT, COVERAGE, PROJECTION
from ..training.dataset import paint_of, picture_of, weight_of
from ..training.example import Example
from ..training.patch_sampler import Patches
from ..training.settings import default_guides

COLOUR = "colour"
"""The only guide that every picture can give, such as one of the viewport."""


@dataclasses.dataclass
class _Key:
    """A keyframe and what is computed from it once.

    Attributes:
        keyframe: the painting as it is.
        layer: the same as it is carried and learnt.
        frame: its frame with the passes that the guides need.
        guides: (H, W, C) float16, the network's input without projections.
        picture: (H, W, 3) float16, −1..1.
        colour: (H, W, 3) float16, the guide ``colour``.
        projections: keyframe → its projections onto this one, (H, W, 7 or 8) float16.
    """

    keyframe: Keyframe
    layer: Keyframe
    frame: Frame
    guides: HalfArray
    picture: HalfArray
    colour: HalfArray
    projections: dict[int, list[HalfArray]]


class LiveSet:
    """The keyframes of a session, with the same shot, keyframes, guides and use of alpha.

    Args:
        shot: the shot.
        keyframes: the paintings, by frame; at least one.
        network: name of the network, whose default guides are used.
        report: may cancel slow steps.

    Attributes:
        alpha: how the paintings use alpha (see ``frames/alpha.py``).
        names: names of the guides, in channel order.
        inputs: reads frames and computes their guides.
        projection: carries the paintings to frames.

    Raises:
        PaintoverError: a frame cannot be read.
        Cancelled: the reporter asked to stop.
    """

    def __init__(
        self, shot: Shot, keyframes: Mapping[int, Keyframe], network: str, report: Reporter
    ) -> None:
        self._shot = shot
        names = default_guides(network, shot)
        guides.check(shot, names)
        order = sorted(keyframes)
        plain = Inputs(shot, names, order, 0, report)
        plain.prepare("live", order)
        frames = {key: plain.read(key, {MATTE, *_normal(shot)}) for key in order}
        self.alpha = alpha_of([(keyframes[key], frames[key]) for key in order])
        if self.alpha == ALPHA_LEARNT:
            names = [*names[:-1], COVERAGE, PROJECTION]
        self.names = names
        self.inputs = Inputs(shot, names, order, 0, report)
        self._keys = {key: self._key(keyframes[key], frames[key]) for key in order}
        pairs = [(one.layer, one.frame) for one in self._keys.values()]
        self.projection = Projection(shot, pairs, report, alpha=COVERAGE in names)
        for key in order:
            self._project(key)

    @property
    def order(self) -> list[int]:
        """The keyframes, sorted: the order of examples and of projections."""
        return [*self._keys]

    @property
    def extra_channels(self) -> int:
        """Number of channels of the guides ``coverage`` and ``projection``."""
        return PROJECTION_CHANNELS + (COVERAGE in self.names)

    def keyframe(self, key: int) -> Keyframe | None:
        """Return the painting of a frame, None if it has none."""
        return self._keys[key].keyframe if key in self._keys else None

    def fits(self, keyframes: Mapping[int, Keyframe]) -> bool:
        """Return whether ``repaint`` is enough to take in these paintings."""
        if sorted(keyframes) != self.order:
            return False
        pairs = [(keyframes[key], one.frame) for key, one in self._keys.items()]
        return alpha_of(pairs) == self.alpha

    def repaint(self, keyframe: Keyframe) -> None:
        """Take another painting of one of the keyframes."""
        one = self._keys[keyframe.frame]
        one.keyframe, one.layer = keyframe, self._layer(keyframe, one.frame)
        self.projection.repaint(one.layer, one.frame)
        self._project(keyframe.frame)

    def patches(self, device: torch.device, seed: int, size: int) -> Patches:
        """Return the training patches of the paintings as they are."""
        return Patches([self._example(one) for one in self._keys.values()], device, seed, size)

    def colour_patches(self, device: torch.device, seed: int, size: int) -> Patches:
        """Return the same for a network whose only guide is ``colour``."""
        examples = []
        for one in self._keys.values():
            nothing = np.empty((0, *one.picture.shape[:2], PROJECTION_CHANNELS), np.float16)
            examples.append(
                dataclasses.replace(self._example(one), guides=one.colour, projections=nothing)
            )
        return Patches(examples, device, seed, size)

    def transfer(self) -> ColourTransfer:
        """Return what guesses the paint of surface that no keyframe shows."""
        return ColourTransfer([(one.layer, one.frame) for one in self._keys.values()])

    def _key(self, keyframe: Keyframe, frame: Frame) -> _Key:
        nothing = np.zeros((self.extra_channels, *frame.alpha.shape), np.float32)
        built = self.inputs.build(frame, nothing)[: -self.extra_channels]
        return _Key(
            keyframe,
            self._layer(keyframe, frame),
            frame,
            _last_axis(built),
            _last_axis(picture_of(frame)),
            _last_axis(guides.build([COLOUR], frame)),
            {},
        )

    def _layer(self, keyframe: Keyframe, frame: Frame) -> Keyframe:
        return as_layer(keyframe, frame.alpha) if self.alpha == ALPHA_LEARNT else keyframe

    def _project(self, key: int) -> None:
        """Project a keyframe onto all."""
        for one in self._keys.values():
            found = self.projection.each(one.frame, key)
            one.projections[key] = [_last_axis(channels) for channels in found]

    def _example(self, one: _Key) -> Example:
        found = [one.projections[key] for key in self._keys]
        ways = range(len(found[0]))
        projections = np.stack([each[way] for way in ways for each in found])
        paint = paint_of(one.layer, one.frame, self.alpha)
        weight = weight_of(one.layer, self.alpha).astype(np.float16)
        return Example(one.guides, one.picture, projections, paint, weight)


def _normal(shot: Shot) -> set[str]:
    """Return the passes that the transfer of colours reads beyond those of the guides."""
    return {"normal"} & set(shot.manifest.passes)


def _last_axis(channels: FloatArray) -> HalfArray:
    """Return (C, H, W) as (H, W, C) float16."""
    return np.ascontiguousarray(channels.transpose(1, 2, 0)).astype(np.float16)
