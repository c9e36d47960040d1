# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a network over a frame in padded tiles, for live pictures and for stylizing."""

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
from ..networks.device import Device, pinned_buffer, to_host
from ..networks.gated_unet import GatedPainter
from ..shared.errors import PaintoverError, is_out_of_memory
from .cuda_graphs import CudaGraphRunner
from .int8.network import Int8Network, supports_int8
from .tiling import NO_MARGINS, Margins, Padding, Tile, TileRange, halves, padded_range, tiles

LARGEST_TILE = 512
"""Side in pixels, on the CPU. Smaller tiles compute more pixels twice, larger ones exceed the
caches: two at a time, 1920×1080 pixels took 9 % longer in tiles of 320 or 768, 960×540 10 % longer
in tiles of 768."""
LARGEST_ON_GPU = 2048
AT_ONCE_ON_GPU = 1 << 22
"""Pixels of a batch of tiles at most."""
SMALLEST_TILE = 64
MEAN_CHANGE, LARGE_CHANGE = 1.0, 8.0
"""Largest mean and 99.9 % quantile of the change of colours by int8, in 8-bit codes."""

_Job = TypeVar("_Job")

TileRanges = tuple[TileRange, TileRange]
"""A tile's rows and columns."""


class TiledInference:
    """A network on its device that paints frames of any size.

    It paints only tiles with wanted pixels, to bound time and memory. Tiles are padded by the
    network's reach, so the result equals that of the whole frame: bit for bit in int8, up to the
    order of sums in floating point (see ``is_tile_independent``).

    Args:
        network: the network; it is copied.
        device: the device.
        tile: side of the largest tile in pixels; None: what suits the device.
        light: 0..1, bias of the gate: 0 keeps projected paint wherever there is any, 1 uses only
            the network's own paint, which follows the frame's light, 0.5 is as trained. Networks
            without a gate ignore it.
        at_once: pixels of a batch of tiles of equal size at most; None: what suits the device.

    Attributes:
        light: as given.
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
        self.light = light
        self._network = device.place(network)
        self._run = CudaGraphRunner(self._network, device)
        self._device = device
        self._at_once = (AT_ONCE_ON_GPU if on_gpu else 0) if at_once is None else at_once
        self._tile = max(SMALLEST_TILE, tile // GRID * GRID)
        self._overlap = -(-network.reach // GRID) * GRID
        self._int8: Int8Network | None = None

    @property
    def reach(self) -> int:
        """Pixels away from an output pixel that can still change it."""
        return self._network.reach

    def use_int8(self, activations: ActivationRanges) -> bool:
        """Switch to int8 and return True, or return False where the device cannot compute it.

        Args:
            activations: activation ranges of the network.
        """
        if not isinstance(self._network, GatedPainter) or not supports_int8(self._device):
            return False
        self._int8 = Int8Network(self._network, activations)
        return True

    def choose(self, choice: float) -> None:
        """Let the gate choose instead of mixing (``GatedPainter.choice``); 1 mixes as trained."""
        if isinstance(self._network, GatedPainter):
            self._network.choice = choice

    def quantize(self, activations: ActivationRanges, examples: Iterable[FloatArray]) -> bool:
        """Switch to int8, if that is fast on the device and close enough on all examples together.

        Close enough means that colours change by at most ``MEAN_CHANGE`` in the mean, and at most
        one in a thousand changes by more than ``LARGE_CHANGE``.

        Args:
            activations: activation ranges of the network.
            examples: network inputs (C, H, W) float32, −1..1, at least one; not read where int8 is
                not fast.

        Returns:
            Whether it has switched.
        """
        if not isinstance(self._network, GatedPainter) or not supports_int8(self._device):
            return False
        int8 = Int8Network(self._network, activations)
        changes = []
        with torch.inference_mode():
            for example in examples:
                with self._device.autocast():
                    exact = self._network(torch.from_numpy(np.ascontiguousarray(example))[None])
                rounded = int8.paint(example, *_whole(example))
                changes.append(_in_codes(rounded) - _in_codes(exact))
        change = np.abs(np.concatenate(changes))
        if change.mean() <= MEAN_CHANGE and np.quantile(change, 0.999) <= LARGE_CHANGE:
            self._int8 = int8
        return self._int8 is not None

    @property
    def is_tile_independent(self) -> bool:
        """Whether the choice of tiles changes paint by less than 1e-4 of an 8-bit code.

        GPUs choose different algorithms for different tile sizes, so there it is False.
        """
        return self._device.unit.type == "cpu"

    @property
    def takes_strokes(self) -> bool:
        """Whether ``paint`` accepts strokes."""
        return isinstance(self._network, GatedPainter)

    def paint(
        self,
        guides: FloatArray,
        wanted: BoolArray | None = None,
        strokes: FloatArray | None = None,
        margins: Margins = NO_MARGINS,
    ) -> FloatArray:
        """Paint a frame, or a window of it.

        Args:
            guides: (C, H, W) float32, −1..1, the network's input.
            wanted: (H, W) bool, the pixels to paint; None: all.
            strokes: (H, W, 3) float32, added to the network's own paint but not to projected
                paint; differences of colours 0..1. Only where ``takes_strokes``.
            margins: pixels of the frame outside the window, where the input repeats its border.

        Returns:
            (3, H, W) float32: display-referred colours, 0..1; or (4, H, W) with the offset of
            alpha, −1..1. 0 where no paint is wanted.

        Raises:
            PaintoverError: the device's memory is too small even for the smallest tiles.
        """
        if wanted is None:
            wanted = np.ones(guides.shape[1:], bool)
        planes = None if strokes is None else strokes.transpose(2, 0, 1)
        while True:
            try:
                return self._paint_tiles(guides, wanted, planes, margins)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                if self._tile <= SMALLEST_TILE:
                    raise PaintoverError(
                        "The memory is too small to paint even small parts of a frame; close "
                        "other programs or choose the device cpu."
                    ) from error
                self._tile = max(SMALLEST_TILE, self._tile // 2 // GRID * GRID)
                self._run.clear()
                if self._device.unit.type == "cuda":
                    torch.cuda.empty_cache()

    @torch.inference_mode()
    def run(self, x: Tensor) -> Tensor:
        """Run the network in floating point, without tiles.

        Args:
            x: (B, C, H, W) float32, −1..1, on the device.

        Returns:
            What ``Painter.forward`` returns, on the device.
        """
        return self._run(x)

    @torch.inference_mode()
    def _paint_tiles(
        self, guides: FloatArray, wanted: BoolArray, strokes: FloatArray | None, margins: Margins
    ) -> FloatArray:
        result = np.zeros((4 if self._network.alpha else 3, *wanted.shape), np.float32)
        height, width = wanted.shape
        ranges = [
            (
                padded_range(tile.top, tile.bottom, self._overlap, height, margins[0]),
                padded_range(tile.left, tile.right, self._overlap, width, margins[1]),
            )
            for tile in self._tiles(wanted)
        ]

        def paint(group: list[TileRanges]) -> None:
            with torch.inference_mode():
                parts = self._paint_group(guides, group, strokes)
            for (rows, columns), painted in zip(group, parts, strict=True):
                inside = rows.output, columns.output
                _copy_wanted(painted.numpy(), wanted[inside], result[:, *inside])

        if self._int8:
            side_by_side(paint, [[tile] for tile in ranges])
            return result
        for group in _groups(ranges, self._at_once):
            paint(group)
        return result

    def _tiles(self, wanted: BoolArray) -> list[Tile]:
        """Return the tiles, largest first; a single int8 tile is halved for two threads."""
        found = tiles(wanted, self._overlap, self._tile)
        if self._int8 and len(found) == 1 and has_several_threads():
            found = halves(found[0])
        return sorted(found, key=lambda tile: tile.area, reverse=True)

    def _paint_group(
        self, guides: FloatArray, group: Sequence[TileRanges], strokes: FloatArray | None
    ) -> list[Tensor]:
        """Paint tiles of equal size: (3 or 4, h, w) of each tile's output range, on the host."""
        if self._int8:
            painted = [self._int8.paint(guides, *tile, strokes)[0] for tile in group]
        else:
            x = self._cut(guides, group)
            more = () if strokes is None else (self._cut(strokes, group),)
            padded = self._run(x, *more).float()
            painted = [
                one[:, rows.output_in_padded, columns.output_in_padded]
                for one, (rows, columns) in zip(padded, group, strict=True)
            ]
        return to_host(painted)

    def _cut(self, values: FloatArray, group: Sequence[TileRanges]) -> Tensor:
        """Cut padded tiles of equal size out of (C, H, W): (B, C, h, w) on the device."""
        height, width = (span.size for span in group[0])
        x = pinned_buffer((len(group), len(values), height, width), self._device.unit)
        for part, (rows, columns) in zip(x.numpy(), group, strict=True):
            padding = Padding(rows, columns)
            for plane, source in zip(part, values[:, rows.inner, columns.inner], strict=True):
                padding.pad(source, plane)
        x = x.to(self._device.unit, non_blocking=True)
        return x.contiguous(memory_format=torch.channels_last)


@compiled
def _copy_wanted(painted: FloatArray, wanted: BoolArray, result: FloatArray) -> None:
    """Copy wanted pixels: colours −1..1 become 0..1, alpha stays as it is."""
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


def _groups(ranges: Sequence[TileRanges], at_once: int) -> Iterator[list[TileRanges]]:
    """Group tiles of equal size into batches of ``at_once`` pixels at most, or of one tile."""
    alike: dict[tuple[int, int], list[TileRanges]] = {}
    for rows, columns in ranges:
        alike.setdefault((rows.size, columns.size), []).append((rows, columns))
    for (height, width), group in alike.items():
        count = max(1, at_once // (height * width))
        for start in range(0, len(group), count):
            yield group[start : start + count]


def _whole(guides: FloatArray) -> tuple[TileRange, TileRange]:
    """Return the whole of guides (C, H, W) as one tile, padded to a multiple of ``GRID`` only."""
    rows, columns = (
        TileRange(slice(0, size), slice(0, size), (0, -size % GRID)) for size in guides.shape[1:]
    )
    return rows, columns


def _in_codes(painted: Tensor) -> FloatArray:
    """Return colours −1..1 in units of 8-bit codes, flat and not rounded."""
    codes: FloatArray = (painted.flatten().float().clamp(-1, 1) * 127.5).numpy()
    return codes


def has_several_threads() -> bool:
    """Return whether PyTorch uses several threads."""
    return torch.get_num_threads() > 1


def side_by_side(work: Callable[[_Job], None], jobs: Sequence[_Job]) -> None:
    """Do jobs, two at a time where PyTorch uses several threads, each with half of them.

    With small layers, synchronization and the single-threaded work between layers take as long as
    the layers, so two independent threads are faster than two that share each layer.

    Args:
        work: does a job; called in separate threads.
        jobs: largest first, so that both threads end at about the same time.

    Raises:
        Exception: the error of the first job that failed.
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
        torch.set_num_threads(threads)  # new threads inherit it


@functools.cache
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(2, "side_by_side")
