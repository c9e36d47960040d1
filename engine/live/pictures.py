# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the pictures of frames: paint carried at once, then what the network makes of it."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict

import numpy as np
import numpy.typing as npt

from ..frames.alpha import finish
from ..frames.frame import MATTE, Frame
from ..frames.matte import put_into
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..inference.own_frames import painting_share, put_painting
from ..inference.tiled_inference import TiledInference
from ..jobs.colour_transfer import ColourTransfer
from ..projection.blending import Projected
from ..projection.channels import OFFSET, PAINT, PROJECTION_CHANNELS, VALID
from ..projection.surface_edges import SurfaceEdges
from ..shared.keyframes.weights import weights_at
from ..shared.live_protocol import CARRIED, NETWORK, UNPAINTED_FRAME
from ..shared.shot import Shot
from ..shared.style_header import ALPHA_FRAME, ALPHA_LEARNT, has_surface
from .live_set import LiveSet

TILE = 64
"""Side in pixels of the tiles of a keyframe by which it is known what a frame shows of it."""
KEPT_BYTES = 512 << 20
"""Bytes of frames that are kept read, at most."""
SAME = 0.004
"""Difference of channels, −1..1, below which carried paint counts as unchanged: half a code."""

Tiles = npt.NDArray[np.bool_]


@dataclasses.dataclass
class Picture:
    """The picture of a frame.

    Attributes:
        pixels: (H, W, 4) float32, 0..1, display-referred, straight alpha.
        channels: (7 or 8, H, W) float32, the carried paint that it shows.
        seen: keyframe → which of its tiles the frame shows.
        shows: ``carried`` or ``network``; ``final`` is told by who knows.
        moved: (H, W) bool, where it differs from the one before because of a stroke; None: no one
            was before.
    """

    pixels: FloatArray
    channels: FloatArray
    seen: dict[int, Tiles]
    shows: str
    moved: BoolArray | None = None


@dataclasses.dataclass
class _Read:
    """A frame as read, and the network's input without carried paint."""

    frame: Frame
    x: FloatArray
    edges: SurfaceEdges | None

    @property
    def size(self) -> int:
        return self.x.nbytes + sum(
            value.nbytes for value in vars(self.frame).values() if isinstance(value, np.ndarray)
        )


class Pictures:
    """Makes the pictures of frames of a shot, and keeps the frames that were read last.

    Args:
        shot: the shot.
        live_set: the paintings.
        light, unpainted: as in ``protocol.Stylize``.
    """

    def __init__(self, shot: Shot, live_set: LiveSet, light: float, unpainted: str) -> None:
        self.shot, self._set, self.light = shot, live_set, light
        self.keep_frame = unpainted == UNPAINTED_FRAME
        self._kept: OrderedDict[int, _Read] = OrderedDict()

    def network_input(self, number: int, channels: FloatArray) -> FloatArray:
        """Return the network's input (C, H, W) of a frame with carried paint."""
        x = self._read(number).x
        count = len(channels) - PROJECTION_CHANNELS
        x[-PROJECTION_CHANNELS:] = channels[:OFFSET]
        if count:
            x[-PROJECTION_CHANNELS - count : -PROJECTION_CHANNELS] = channels[OFFSET:]
        return x

    def carry(self, number: int) -> tuple[FloatArray, dict[int, Tiles]]:
        """Carry the paint to a frame: the channels, and which tiles of the keyframes it shows.

        Raises:
            PaintoverError: the frame, or one on the way to it, cannot be read.
            Cancelled: the reporter of the set asked to stop.
        """
        read = self._read(number)
        found = self._set.projection.project(read.frame, read.edges)
        weights = weights_at(self.shot.manifest.weights, number, self._set.order)
        carried = self._set.projection.carry(
            read.frame, weights, edges=read.edges, candidates=found
        )
        shape = read.frame.alpha.shape
        seen = {
            key: _tiles_seen(one, shape) for key, one in zip(self._set.order, found, strict=True)
        }
        return carried.channels, seen

    def carried(self, number: int, before: Picture | None, transfer: ColourTransfer) -> Picture:
        """Return a frame with the paint carried to it.

        Args:
            number: the frame.
            before: its last picture, which stays where the carried paint is as it was; None: all
                is carried, and guessed where there is nothing to carry.
            transfer: guesses.
        """
        channels, seen = self.carry(number)
        frame = self._read(number).frame
        if before is None:
            painted = transfer.complete(channels, frame)
        else:
            painted = channels[PAINT] / 2 + 0.5
        if self._set.alpha == ALPHA_LEARNT:
            painted = np.concatenate([painted, channels[OFFSET:]])
        picture = frame.picture if self.keep_frame else None
        pixels = finish(painted, frame.alpha, self._set.alpha, picture)
        moved = None
        if before is not None:
            moved = _moved(before.channels, channels)
            share = (channels[VALID] * moved)[..., None]
            pixels = before.pixels + share * (pixels - before.pixels)
        self._put_own(pixels, frame)
        return Picture(self._inside_matte(pixels, frame), channels, seen, CARRIED, moved)

    def by_network(
        self,
        number: int,
        inference: TiledInference,
        before: Picture | None,
        only: BoolArray | None = None,
    ) -> Picture:
        """Return a frame painted by the network.

        Args:
            number: the frame.
            inference: the network.
            before: its last picture.
            only: (H, W) bool, where to paint; elsewhere it stays as before. None: everywhere.
        """
        if before is not None and only is not None:
            channels, seen = before.channels, before.seen
        else:
            channels, seen = self.carry(number)
            only = None
        frame = self._read(number).frame
        wanted = np.ones(frame.alpha.shape, bool)
        if self._set.alpha == ALPHA_FRAME:
            wanted = frame.alpha > 0
        if frame.matte is not None:
            wanted &= frame.matte > 0
        if only is not None:
            wanted &= only
        painted = inference.paint(self.network_input(number, channels), wanted)
        picture = frame.picture if self.keep_frame else None
        pixels = finish(painted, frame.alpha, self._set.alpha, picture)
        self._put_own(pixels, frame)
        pixels = self._inside_matte(pixels, frame)
        if only is not None and before is not None:
            pixels = np.where(only[..., None], pixels, before.pixels)
        return Picture(pixels, channels, seen, NETWORK, only)

    def _put_own(self, pixels: FloatArray, frame: Frame) -> None:
        """Put the painting of a frame, if it has one, into its pixels, in place."""
        keyframe = self._set.keyframe(frame.number)
        if keyframe is None:
            return
        weights = weights_at(self.shot.manifest.weights, frame.number, [frame.number])
        share = painting_share(self.light, weights.get(frame.number, 1.0))
        alpha, keep = self._set.alpha, self.keep_frame
        put_painting(pixels, keyframe, frame, alpha, share, keep_frame=keep)

    def _inside_matte(self, pixels: FloatArray, frame: Frame) -> FloatArray:
        if frame.matte is None:
            return pixels
        under = np.dstack([frame.picture, frame.alpha]) if self.keep_frame else None
        return put_into(under, pixels, frame.matte, Window.whole(*frame.alpha.shape))

    def _read(self, number: int) -> _Read:
        """Read a frame, or take it from those that are kept."""
        if number in self._kept:
            self._kept.move_to_end(number)
            return self._kept[number]
        inputs = self._set.inputs
        inputs.prepare("live", [number])
        normal = {"normal"} & set(self.shot.manifest.passes)
        frame = inputs.read(number, {MATTE, *normal})
        nothing = np.zeros((self._set.extra_channels, *frame.alpha.shape), np.float32)
        on_surface = has_surface(self.shot.manifest.passes)
        edges = SurfaceEdges.of(frame) if on_surface else None
        read = _Read(frame, inputs.build(frame, nothing), edges)
        self._kept[number] = read
        most = max(1, KEPT_BYTES // max(1, read.size))
        while len(self._kept) > most:
            self._kept.popitem(last=False)
        return read


def _moved(before: FloatArray, now: FloatArray) -> BoolArray:
    """Return (H, W) bool, where carried paint has changed."""
    if before.shape != now.shape:
        return np.ones(now.shape[1:], bool)
    moved: BoolArray = np.abs(before[VALID] - now[VALID]) > SAME
    for layer in (*range(PAINT.start, PAINT.stop), *range(OFFSET, len(now))):
        moved |= np.abs(before[layer] - now[layer]) > SAME
    return moved


def _tiles_seen(one: Projected, shape: tuple[int, ...]) -> Tiles:
    """Return which tiles of a keyframe of the frame's size (H, W) a projection shows."""
    rows, columns = (-(-size // TILE) for size in shape)
    seen = np.zeros(rows * columns, bool)
    located = one.located
    if located is None:
        return np.ones((rows, columns), bool)
    y = np.clip(located.y[located.valid], 0, shape[0] - 1).astype(np.intp) // TILE
    x = np.clip(located.x[located.valid], 0, shape[1] - 1).astype(np.intp) // TILE
    seen[y * columns + x] = True
    return seen.reshape(rows, columns)


def tiles_of(part: BoolArray) -> Tiles:
    """Return which tiles of a keyframe have pixels of a part (H, W) of it."""
    height, width = part.shape
    padded = np.pad(part, ((0, -height % TILE), (0, -width % TILE)))
    blocks = padded.reshape(padded.shape[0] // TILE, TILE, padded.shape[1] // TILE, TILE)
    return np.asarray(blocks.any(axis=(1, 3)))
