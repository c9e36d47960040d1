# SPDX-License-Identifier: GPL-3.0-or-later
"""Painting one frame with a network: borders, tiles. Used live and for stylizing."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Iterator

import numpy as np
import torch

from .device import Device, is_out_of_memory
from .errors import PaintoverError
from .images import FloatArray
from .motion import BoolArray
from .network_base import GRID, Painter
from .networks import GatedPainter
from .quantized import QuantizedPainter, quantizes_well
from .tiles import Span, around, tiles

LARGEST_TILE = 1024
SMALLEST_TILE = 64
SAMPLE, SAMPLES = 256, 8
"""Side and number of the squares of an example that are looked at."""


class Brush:
    """A network on its device, ready to paint frames of any size.

    Only tiles that hold what is wanted are painted. They overlap by as far as the network looks,
    so that the result is that of the whole frame and memory stays bounded.

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
        self._quantized: QuantizedPainter | None = None

    def quantize(self, examples: Iterable[FloatArray]) -> None:
        """From now on compute in integers, if that is faster with this network and device.

        Most colours change by less than a code of 255 (see ``quantized``).

        Args:
            examples: inputs (C, H, W), −1..1, that show what the network usually sees. They are
                used one after the other, and not at all where there is nothing to gain.
        """
        if isinstance(self._network, GatedPainter) and quantizes_well(self._device):
            with torch.inference_mode():
                parts = [_tensor(part) for example in examples for part in _samples(example)]
                self._quantized = QuantizedPainter(self._network, parts)

    def paint(self, guides: FloatArray, wanted: BoolArray | None = None) -> FloatArray:
        """Paint a frame.

        Args:
            guides: (C, H, W), the network's input, −1..1.
            wanted: (H, W), the pixels to paint; None: all.

        Returns:
            (3, H, W) colours, 0..1, or (4, H, W) with the offset of alpha, −1..1, as fourth; 0
            where nothing is wanted.

        Raises:
            PaintoverError: the device's memory is too small even for small tiles.
        """
        if wanted is None:
            wanted = np.ones(guides.shape[1:], bool)
        while True:
            try:
                return self._paint_tiles(guides, wanted)
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

    @torch.inference_mode()
    def _paint_tiles(self, guides: FloatArray, wanted: BoolArray) -> FloatArray:
        result = np.zeros((4 if self._network.alpha else 3, *wanted.shape), np.float32)
        height, width = wanted.shape
        for tile in tiles(wanted, self._overlap, self._tile):
            rows = around(tile.top, tile.bottom, self._overlap, height)
            columns = around(tile.left, tile.right, self._overlap, width)
            painted = self._paint_tile(guides, rows, columns)
            painted[:3].mul_(0.5).add_(0.5).clamp_(0, 1)
            inside = rows.wanted, columns.wanted
            np.copyto(result[:, *inside], painted.numpy(), where=wanted[inside])
        return result

    def _paint_tile(self, guides: FloatArray, rows: Span, columns: Span) -> torch.Tensor:
        if self._quantized:
            return self._quantized.paint(guides, rows, columns)[0]
        part = guides[:, rows.inner, columns.inner]
        part = np.pad(part, ((0, 0), rows.border, columns.border), mode="reflect")
        x = _tensor(part).to(self._device.unit)
        with self._device.autocast():
            whole: torch.Tensor = self._network(x.contiguous(memory_format=torch.channels_last))
        return whole[0, :, rows.kept, columns.kept].float().cpu()


def _samples(guides: FloatArray) -> Iterator[FloatArray]:
    """Cut a few squares out of guides (C, H, W), evenly spread, or take them whole if small."""
    height, width = guides.shape[1:]
    if height * width <= SAMPLES * SAMPLE**2:
        yield guides[:, : height // GRID * GRID, : width // GRID * GRID]
        return
    across = max(1, round((SAMPLES * width / height) ** 0.5))
    for top in np.linspace(0, max(0, height - SAMPLE), max(1, SAMPLES // across), dtype=int):
        for left in np.linspace(0, max(0, width - SAMPLE), across, dtype=int):
            yield guides[:, top : top + SAMPLE, left : left + SAMPLE]


def _tensor(guides: FloatArray) -> torch.Tensor:
    return torch.from_numpy(np.ascontiguousarray(guides))[None]
