# SPDX-License-Identifier: GPL-3.0-or-later
"""Painting one frame with a network: borders, tiles. Used live and for stylizing."""

from __future__ import annotations

import copy

import numpy as np
import torch

from .device import Device, is_out_of_memory
from .errors import PaintoverError
from .images import FloatArray
from .network_base import GRID, Painter
from .networks import GatedPainter

BORDER = 16
"""Pixels of reflection around a frame, as around keyframes in training."""
LARGEST_TILE = 1024
SMALLEST_TILE = 64


class Brush:
    """A network on its device, ready to paint frames of any size.

    Frames larger than a tile are painted in tiles that overlap by as far as the network looks, so
    that the result is the same and memory stays bounded.

    Args:
        network: the network; a copy goes to the device.
        device: where it computes.
        tile: side of the largest tile in pixels.
        light: 0..1, what wins where paint of a keyframe can be carried along: 0 that paint as it
            is, 1 the network's own, which follows the light of the frame; 0.5 as it was learnt.
            Networks without a gate ignore it.
    """

    def __init__(
        self, network: Painter, device: Device, tile: int = LARGEST_TILE, light: float = 0.5
    ) -> None:
        network = copy.deepcopy(network).requires_grad_(False).eval()
        if isinstance(network, GatedPainter):
            network.light = light
        self._network = device.place(network)
        self._device = device
        self._tile = max(SMALLEST_TILE, tile // GRID * GRID)
        self._overlap = -(-network.reach // GRID) * GRID

    def paint(self, guides: FloatArray) -> FloatArray:
        """Paint a frame.

        Args:
            guides: (C, H, W), the network's input, −1..1.

        Returns:
            (3, H, W) colours, 0..1, or (4, H, W) with the offset of alpha, −1..1, as fourth.

        Raises:
            PaintoverError: the device's memory is too small even for small tiles.
        """
        height, width = guides.shape[1:]
        padding = ((0, 0), *((BORDER, BORDER + -size % GRID) for size in (height, width)))
        padded = np.pad(guides, padding, mode="reflect")
        while True:
            try:
                painted = self._paint_tiles(padded)
                break
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self._tile <= SMALLEST_TILE:
                    raise PaintoverError(
                        "The memory is too small to paint even small parts of a frame; close "
                        "other programs or choose the device cpu."
                    ) from error
                self._tile = max(SMALLEST_TILE, self._tile // 2 // GRID * GRID)
                if self._device.unit.type == "cuda":
                    torch.cuda.empty_cache()
        result = painted[:, BORDER : BORDER + height, BORDER : BORDER + width]
        result[:3] = np.clip(result[:3] / 2 + 0.5, 0, 1)
        return result

    def _paint_tiles(self, guides: FloatArray) -> FloatArray:
        height, width = guides.shape[1:]
        result = np.empty((4 if self._network.alpha else 3, height, width), np.float32)
        for top in range(0, height, self._tile):
            for left in range(0, width, self._tile):
                bottom, right = min(top + self._tile, height), min(left + self._tile, width)
                above, before = max(0, top - self._overlap), max(0, left - self._overlap)
                below = min(height, bottom + self._overlap)
                after = min(width, right + self._overlap)
                part = self._run(guides[:, above:below, before:after])
                result[:, top:bottom, left:right] = part[
                    :, top - above : bottom - above, left - before : right - before
                ]
        return result

    @torch.inference_mode()
    def _run(self, guides: FloatArray) -> FloatArray:
        x = torch.from_numpy(np.ascontiguousarray(guides))[None].to(self._device.unit)
        with self._device.autocast():
            painted = self._network(x.contiguous(memory_format=torch.channels_last))
        result: FloatArray = painted[0].float().cpu().numpy()
        return result
