# SPDX-License-Identifier: GPL-3.0-or-later
"""Painting one frame with a network: borders, tiles. Used live and for stylizing."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor

from ..images.jit import compiled
from ..images.types import BoolArray, FloatArray
from ..networks.activation_ranges import ActivationRanges
from ..networks.base import GRID, Painter
from ..networks.device import Device, fetched, host_memory
from ..networks.gated_unet import GatedPainter
from ..shared.errors import PaintoverError, is_out_of_memory
from .cuda_graphs import Replay
from .int8.network import QuantizedPainter, quantizes_well
from .tiling import NONE, Border, Span, Spare, Tile, around, halves, tiles

LARGEST_TILE = 512
"""Smaller tiles compute more pixels twice, larger ones fall out of the caches: two at a time,
1920×1080 pixels took 9 % longer in tiles of 320 or 768, 960×540 10 % longer in tiles of 768."""
LARGEST_ON_GPU = 2048
AT_ONCE_ON_GPU = 1 << 22
"""Pixels that tiles of equal size may have together to be painted at once."""
SMALLEST_TILE = 64
MEAN_CHANGE, LARGE_CHANGE = 1.0, 8.0
"""How much colours may change by computing in integers, in codes of 255."""


_Job = TypeVar("_Job")

Place = tuple[Span, Span]
"""Rows and columns that are computed for a tile."""


class TiledInference:
    """A network on its device, ready to paint frames of any size.

    Only tiles that hold what is wanted are painted. They overlap by as far as the network looks,
    so that the result is that of the whole frame and memory stays bounded: bit for bit in
    integers; in floating point to the order of sums (see ``is_exact``).

    Args:
        network: the network; a copy goes to the device.
        device: where it computes.
        tile: side of the largest tile in pixels; by default what suits the device.
        at_once: pixels that tiles of equal size may have together to be painted at once; likewise.
        light: 0..1, what wins where paint of a keyframe can be carried along: 0 that paint as it
            is, 1 the network's own, which follows the light of the frame; 0.5 as it was learnt.
            Networks without a gate ignore it.
    """

    def __init__(
        self,
        network: Painter,
        device: Device,
        tile: int | None = None,
        light: float = 0.5,
        at_once: int | None = None,
    ) -> None:
        on_gpu = device.unit.type != "cpu"
        tile = tile or (LARGEST_ON_GPU if on_gpu else LARGEST_TILE)
        network = copy.deepcopy(network).requires_grad_(False).eval()
        if isinstance(network, GatedPainter):
            network.light = light
        self._network = device.place(network)
        self._run = Replay(self._network, device)
        self._device = device
        self._at_once = (AT_ONCE_ON_GPU if on_gpu else 0) if at_once is None else at_once
        self._tile = max(SMALLEST_TILE, tile // GRID * GRID)
        self._overlap = -(-network.reach // GRID) * GRID
        self._quantized: QuantizedPainter | None = None

    @property
    def reach(self) -> int:
        """How many pixels around a pixel the network looks at."""
        return self._network.reach

    def quantize(self, activations: ActivationRanges, examples: Iterable[FloatArray]) -> None:
        """From now on compute in integers, if that is fast with this network and device.

        It stays as it is if colours of the examples would change by more than ``MEAN_CHANGE`` in
        the mean, or more than one in a thousand by more than ``LARGE_CHANGE``.

        Args:
            activations: of the network.
            examples: inputs (C, H, W), −1..1, at least one. They are not looked at where there is
                nothing to gain.
        """
        if not isinstance(self._network, GatedPainter) or not quantizes_well(self._device):
            return
        quantized = QuantizedPainter(self._network, activations)
        changes = []
        with torch.inference_mode():
            for example in examples:
                with self._device.autocast():
                    exact = self._network(torch.from_numpy(np.ascontiguousarray(example))[None])
                changes.append(_codes(quantized.paint(example, *_whole(example))) - _codes(exact))
        change = np.abs(np.concatenate(changes))
        if change.mean() <= MEAN_CHANGE and np.quantile(change, 0.999) <= LARGE_CHANGE:
            self._quantized = quantized

    @property
    def is_exact(self) -> bool:
        """Whether paint does not depend on how frames are cut into tiles, but for 1e-4 of a code.

        GPUs choose other sums for other sizes.
        """
        return self._device.unit.type == "cpu"

    @property
    def takes_strokes(self) -> bool:
        """Whether strokes can be given to ``paint``."""
        return isinstance(self._network, GatedPainter)

    def paint(
        self,
        guides: FloatArray,
        wanted: BoolArray | None = None,
        strokes: FloatArray | None = None,
        spare: Spare = NONE,
    ) -> FloatArray:
        """Paint a frame, or what is at hand of it.

        Args:
            guides: (C, H, W), the network's input, −1..1.
            wanted: (H, W), the pixels to paint; None: all.
            strokes: (H, W, 3), added to the network's own paint, not to paint that is carried
                along; differences of paint 0..1. Only where it ``takes_strokes``.
            spare: what of the frame lies around; the input is the same there as at its border.

        Returns:
            (3, H, W) colours, 0..1, or (4, H, W) with the offset of alpha, −1..1, as fourth; 0
            where nothing is wanted.

        Raises:
            PaintoverError: the device's memory is too small even for small tiles.
        """
        if wanted is None:
            wanted = np.ones(guides.shape[1:], bool)
        drawn = None if strokes is None else strokes.transpose(2, 0, 1)
        while True:
            try:
                return self._paint_tiles(guides, wanted, drawn, spare)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self._tile <= SMALLEST_TILE:
                    raise PaintoverError(
                        "The memory is too small to paint even small parts of a frame; close "
                        "other programs or choose the device cpu."
                    ) from error
                self._tile = max(SMALLEST_TILE, self._tile // 2 // GRID * GRID)
                self._run.forget()
                if self._device.unit.type == "cuda":
                    torch.cuda.empty_cache()

    @torch.inference_mode()
    def run(self, x: Tensor) -> Tensor:
        """Run the network alone, in floating point.

        Args:
            x: (B, C, H, W) guides, −1..1, on the device.

        Returns:
            What ``Painter.forward`` returns, on the device.
        """
        return self._run(x)

    @torch.inference_mode()
    def _paint_tiles(
        self, guides: FloatArray, wanted: BoolArray, strokes: FloatArray | None, spare: Spare
    ) -> FloatArray:
        result = np.zeros((4 if self._network.alpha else 3, *wanted.shape), np.float32)
        height, width = wanted.shape
        places = [
            (
                around(tile.top, tile.bottom, self._overlap, height, spare[0]),
                around(tile.left, tile.right, self._overlap, width, spare[1]),
            )
            for tile in self._tiles(wanted)
        ]

        def paint(group: list[Place]) -> None:
            with torch.inference_mode():
                parts = self._paint_group(guides, group, strokes)
            for (rows, columns), painted in zip(group, parts, strict=True):
                inside = rows.wanted, columns.wanted
                _take(painted.numpy(), wanted[inside], result[:, *inside])

        if self._quantized:
            side_by_side(paint, [[place] for place in places])
            return result
        for group in _groups(places, self._at_once):
            paint(group)
        return result

    def _tiles(self, wanted: BoolArray) -> list[Tile]:
        """Return what is painted, the largest tile first; two at least where two can be at once."""
        found = tiles(wanted, self._overlap, self._tile)
        if self._quantized and len(found) == 1 and can_share():
            found = halves(found[0])
        return sorted(found, key=lambda tile: tile.area, reverse=True)

    def _paint_group(
        self, guides: FloatArray, group: Sequence[Place], strokes: FloatArray | None
    ) -> list[Tensor]:
        """Return ``Painter.forward`` of tiles of equal size, as far as it is kept, on the host."""
        if self._quantized:
            painted = [self._quantized.paint(guides, *place, strokes)[0] for place in group]
        else:
            x = self._cut(guides, group)
            drawn = () if strokes is None else (self._cut(strokes, group),)
            whole = self._run(x, *drawn).float()
            painted = [
                one[:, rows.kept, columns.kept]
                for one, (rows, columns) in zip(whole, group, strict=True)
            ]
        return fetched(painted)

    def _cut(self, values: FloatArray, group: Sequence[Place]) -> Tensor:
        """Cut tiles with what is around them: (B, C, H, W)."""
        high, wide = (span.size for span in group[0])
        x = host_memory((len(group), len(values), high, wide), self._device.unit)
        for part, (rows, columns) in zip(x.numpy(), group, strict=True):
            border = Border(rows, columns)
            for plane, source in zip(part, values[:, rows.inner, columns.inner], strict=True):
                border.put(source, plane)
        x = x.to(self._device.unit, non_blocking=True)
        return x.contiguous(memory_format=torch.channels_last)


@compiled
def _take(painted: FloatArray, wanted: BoolArray, result: FloatArray) -> None:
    """Take colours −1..1 as 0..1, and alpha as it is, where they are wanted (H, W)."""
    layers, height, width = painted.shape
    for layer in range(layers):
        for row in range(height):
            for column in range(width):
                if wanted[row, column]:
                    value = painted[layer, row, column]
                    if layer < 3:
                        value = value * np.float32(0.5) + np.float32(0.5)
                        value = min(max(value, np.float32(0)), np.float32(1))
                    result[layer, row, column] = value


def _groups(places: Sequence[Place], at_once: int) -> Iterator[list[Place]]:
    """Gather tiles of equal size, as many as have so many pixels together, at least one."""
    alike: dict[tuple[int, int], list[Place]] = {}
    for place in places:
        alike.setdefault((place[0].size, place[1].size), []).append(place)
    for (height, width), group in alike.items():
        count = max(1, at_once // (height * width))
        for start in range(0, len(group), count):
            yield group[start : start + count]


def _whole(guides: FloatArray) -> tuple[Span, Span]:
    """Return all rows and columns of guides (C, H, W), with no more border than ``GRID`` asks."""
    rows, columns = (
        Span(slice(0, size), slice(0, size), (0, -size % GRID)) for size in guides.shape[1:]
    )
    return rows, columns


def _codes(painted: Tensor) -> FloatArray:
    """Return colours −1..1 in codes of 255, not rounded, in one row."""
    codes: FloatArray = (painted.flatten().float().clamp(-1, 1) * 127.5).numpy()
    return codes


def can_share() -> bool:
    """Tell whether PyTorch computes in several threads here."""
    return torch.get_num_threads() > 1


def side_by_side(work: Callable[[_Job], None], jobs: Sequence[_Job]) -> None:
    """Do jobs, two at a time if there are several and PyTorch computes in several threads.

    Each has half of PyTorch's threads. Where layers are small, what a single thread does between
    them, and waiting for each other, takes as long as they do; two threads that wait for nobody
    are faster than two that share each layer.

    Args:
        work: does a job; it is called in a thread of its own.
        jobs: the largest first, so that both threads end at about the same time.

    Raises:
        Exception: what the first job that failed raised.
    """
    threads = torch.get_num_threads()
    if threads == 1 or len(jobs) < 2:
        for job in jobs:
            work(job)
        return

    def shared(job: _Job) -> None:
        torch.set_num_threads(threads // 2)
        work(job)

    try:
        begun = [_pool().submit(shared, job) for job in jobs]
        wait(begun)
        for done in begun:
            done.result()
    finally:
        torch.set_num_threads(threads)  # it is also what threads of the future begin with


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, "side_by_side")
