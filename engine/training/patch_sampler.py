# SPDX-License-Identifier: GPL-3.0-or-later
"""Patches of the keyframes, drawn in memory on the device, and the wear put on projections.

A projection of a keyframe onto itself is perfect, and a network that only saw perfect ones would
copy them blindly. So parts of it are dropped, replaced by another place's, shifted and blurred.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from ..images.types import BoolArray, HalfArray
from ..images.window import seen_window
from ..networks.base import GRID
from ..networks.device import sent
from ..projection.channels import LIGHT, PAINT, PROJECTION_CHANNELS, VALID

PATCH = 64
SQUARE = 256
"""Side of the parts of keyframes that show what a network sees."""
BLOB = 16
"""Size in pixels of the smooth random blobs in which projections are dropped or replaced."""
HELD_BLOCK = 8
"""Side in pixels of the blocks that are held out of training."""
HELD_SHARE = 0.04
"""Share of the learnt pixels that is held out."""
MOST_HELD = 24
NOTICEABLE = 0.06
"""Difference of pictures, −1..1, from which on another place's paint may replace the right one.

Where the pictures agree the paint is right, and the network should learn to trust it."""
NEAR_SHARE = 0.5
"""Share of patches that are mixed with a place near by: like surface in a little other light …"""
NEAR = 24
"""… at most this many pixels away in each direction."""
LIGHT_DRIFT = 0.02
"""Standard deviation by which light changes that leave paint as it is, relative and absolute."""
MOST_SHIFT = 0.3
"""How far off, in pixels, projections are in training."""


@dataclasses.dataclass(frozen=True)
class Example:
    """A keyframe as training sees it, in half precision.

    Attributes:
        guides: (H, W, C) the network's input without the guide ``projection``, −1..1.
        picture: (H, W, 3) the frame, −1..1.
        projections: (N, H, W, 7), of this and other keyframes onto it, the channels as
            ``keyframe_projection.Projection.each`` gives them; none where there is no projection.
        paint: (H, W, 3 or 4) colours −1..1, and the offset of alpha where it is learnt.
        weight: (H, W, 1 or 2) 0..1, how much each pixel's colours count, and its alpha's offset.
    """

    guides: HalfArray
    picture: HalfArray
    projections: HalfArray
    paint: HalfArray
    weight: HalfArray


@dataclasses.dataclass(frozen=True)
class Batch:
    """(B, C, P, P) input, (B, 3 or 4, P, P) paint, (B, 1 or 2, P, P) weight, on the device."""

    x: Tensor
    paint: Tensor
    weight: Tensor


class Patches:
    """Draws patches whose centres lie evenly over the masks.

    Keyframes go on by reflection, so that pixels at the border are drawn as often as others; what
    lies beyond it has no weight in the loss. Keyframes are drawn in proportion to the square
    root of their masks' areas, so that small ones are not lost and large ones count for more.

    Args:
        examples: the keyframes, all of one size; a single one is not copied on the processor.
        device: where the tensors live.
        seed: decides which blocks are held out.
        size: side of the patches in pixels.
    """

    def __init__(
        self, examples: list[Example], device: torch.device, seed: int, size: int = PATCH
    ) -> None:
        self.height, self.width = examples[0].weight.shape[:2]
        self._size = size
        self._device = device
        self._guides = self._stack([example.guides for example in examples])
        self._paint = self._stack([example.paint for example in examples])
        projections = [example.projections for example in examples]
        self._projections = self._join(projections) if len(projections[0]) else None
        self._pictures = self._stack([example.picture for example in examples])
        self._first = np.cumsum([0] + [len(example.projections) for example in examples])
        self._seen = [seen_window(example.weight.max(2), GRID) for example in examples]
        learnt = [example.weight.max(2) > 0 for example in examples]
        self.held = [_held_blocks(mask, seed + index) for index, mask in enumerate(learnt)]
        weights = [
            example.weight * ~_cover(held, learnt[0].shape)[..., None]
            for example, held in zip(examples, self.held, strict=True)
        ]
        self._weight = self._stack(weights)
        self._whole = self._stack([example.weight for example in examples])
        pixels = [np.flatnonzero(weight.max(2) > 0).astype(np.int32) for weight in weights]
        self._pixels = [torch.from_numpy(found) for found in pixels]
        areas = torch.tensor([float(len(found)) for found in pixels])
        self._chances = areas.sqrt()
        self._mirrored = [
            torch.from_numpy(np.pad(np.arange(count), size // 2, mode="reflect")).to(device)
            for count in (self.height, self.width)
        ]

    def squares(self) -> Iterator[Tensor]:
        """Yield parts of the keyframes' inputs, (1, C, H, W), with their paint and without."""
        for number, seen in enumerate(self._seen):
            for part in seen.squares(SQUARE):
                x = self._guides[number, *part.inside].float()
                if self._projections is None:
                    yield x.permute(2, 0, 1)[None]
                    continue
                own = self._projections[int(self._first[number]) + number, *part.inside].float()
                own[..., LIGHT] = 0  # the keyframe's picture is the frame's
                for carried in (own, torch.zeros_like(own)):
                    yield torch.cat([x, carried], -1).permute(2, 0, 1)[None]

    def draw(self, count: int, generator: torch.Generator) -> Batch:
        """Draw training patches with worn projections.

        Args:
            count: patches in the batch.
            generator: on the CPU; the only source of chance.
        """
        keys, rows, columns = self._places(count, generator)
        return self._batch(keys, rows, columns, self._weight, generator)

    def held_out(self, seed: int) -> Batch | None:
        """Return the blocks that are held out, always with the same wear; None if there are none.

        Only the block in the middle of each patch has weight.
        """
        generator = torch.Generator().manual_seed(seed)
        places = [
            (key, row, column)
            for key, blocks in enumerate(self.held)
            for row, column in blocks.tolist()
        ]
        if not places:
            return None
        keys, rows, columns = torch.tensor(places).unbind(1)
        batch = self._batch(keys, rows, columns, self._whole, generator)
        middle = torch.zeros_like(batch.weight)
        middle_of, half = self._size // 2, HELD_BLOCK // 2
        near = slice(middle_of - half, middle_of + half)
        middle[..., near, near] = 1
        return dataclasses.replace(batch, weight=batch.weight * middle)

    def _places(self, count: int, chance: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw keyframes, rows and columns of pixels to learn."""
        keys = torch.multinomial(self._chances, count, replacement=True, generator=chance)
        chances = torch.rand(count, generator=chance, dtype=torch.float64)
        places = [
            self._pixels[key][int(chance * len(self._pixels[key]))]
            for key, chance in zip(keys.tolist(), chances.tolist(), strict=True)
        ]
        flat = torch.stack(places).long()
        return keys, flat // self.width, flat % self.width

    def _stack(self, arrays: list[HalfArray]) -> Tensor:
        """Put (H, W, C) arrays together as (K, H, W, C)."""
        return self._join([array[None] for array in arrays])

    def _join(self, arrays: list[HalfArray]) -> Tensor:
        """Put (…, H, W, C) arrays one after the other."""
        whole = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        return torch.from_numpy(whole).to(self._device)

    def _cut(
        self, source: Tensor, keys: Tensor, rows: Tensor, columns: Tensor, *, goes_on: bool = True
    ) -> Tensor:
        """Cut (B, C, P, P) patches; rows and columns are their centres in the keyframe.

        Args:
            goes_on: whether keyframes go on by reflection, or there is 0 beyond them.
        """
        centres = sent(torch.stack([keys, rows, columns]), self._device)[:, :, None, None]
        steps = torch.arange(self._size, device=self._device)
        down, across = centres[1] + steps[:, None], centres[2] + steps
        places = self._mirrored[0][down], self._mirrored[1][across]
        found = source[centres[0], *places].permute(0, 3, 1, 2).float()
        if goes_on:
            return found
        border = self._size // 2
        inside = (down >= border) & (down < border + self.height)
        inside = inside & (across >= border) & (across < border + self.width)
        return found * inside[:, None]

    def _batch(
        self, keys: Tensor, rows: Tensor, columns: Tensor, weight: Tensor, chance: torch.Generator
    ) -> Batch:
        x = self._cut(self._guides, keys, rows, columns)
        if self._projections is not None:
            x = torch.cat([x, self._worn_projection(keys, rows, columns, chance)], 1)
        return Batch(
            x=x.contiguous(memory_format=torch.channels_last),
            paint=self._cut(self._paint, keys, rows, columns),
            weight=self._cut(weight, keys, rows, columns, goes_on=False),
        )

    def _any_of(self, keys: Tensor, chance: torch.Generator) -> Tensor:
        """Choose for each keyframe one of the projections onto it."""
        first = torch.from_numpy(self._first)
        numbers = first[keys + 1] - first[keys]
        return first[keys] + (torch.rand(len(keys), generator=chance) * numbers).long()

    def _elsewhere(
        self, keys: Tensor, rows: Tensor, columns: Tensor, chance: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Choose other places: projections, rows and columns."""
        count = len(keys)
        other_keys, other_rows, other_columns = self._places(count, chance)
        near = torch.rand(count, generator=chance) < NEAR_SHARE
        by = torch.randint(-NEAR, NEAR + 1, (2, count), generator=chance)
        return (
            self._any_of(torch.where(near, keys, other_keys), chance),
            torch.where(near, (rows + by[0]).clamp(0, self.height - 1), other_rows),
            torch.where(near, (columns + by[1]).clamp(0, self.width - 1), other_columns),
        )

    def _worn_projection(
        self, keys: Tensor, rows: Tensor, columns: Tensor, chance: torch.Generator
    ) -> Tensor:
        assert self._projections is not None
        count = len(keys)
        own = self._cut(self._projections, self._any_of(keys, chance), rows, columns)
        own = _shift_and_blur(own, chance)
        light = torch.randn(count, 2, 1, 1, 1, generator=chance) * LIGHT_DRIFT
        light = sent(light, self._device)
        valid = own[:, VALID, None]
        drifted = own[:, LIGHT] * (1 + light[:, 0]) + light[:, 1] * valid
        own = torch.cat([own[:, PAINT], drifted, valid], 1)

        elsewhere = self._cut(self._projections, *self._elsewhere(keys, rows, columns, chance))
        size = self._size
        coarse = torch.randn(count, 2, size // BLOB + 2, size // BLOB + 2, generator=chance)
        blobs = functional.interpolate(
            sent(coarse, self._device), size=(size, size), mode="bicubic", align_corners=False
        )
        levels = sent(torch.rand(count, 2, generator=chance), self._device)
        differs = (elsewhere[:, LIGHT] - own[:, LIGHT]).abs().mean(1, keepdim=True)
        differs = functional.avg_pool2d(differs, 9, 1, 4)
        drop = blobs[:, :1] > (levels[:, :1] * 1.8 - 0.6)[..., None, None]
        replace = blobs[:, 1:] > (levels[:, 1:] * 1.3 - 0.3)[..., None, None]
        worn = torch.where(replace & (differs > NOTICEABLE), elsewhere, own)
        picture = self._cut(self._pictures, keys, rows, columns)
        worn[:, LIGHT] = (worn[:, LIGHT] - picture * worn[:, VALID, None]).clamp(-1, 1)
        return torch.where(drop, torch.zeros_like(worn), worn)


def _shift_and_blur(projection: Tensor, chance: torch.Generator) -> Tensor:
    """Shift each of (B, 7, P, P) by up to a pixel, and blur some; validity stays."""
    count = len(projection)
    shift = (torch.rand(count, 2, generator=chance) * 2 - 1) * MOST_SHIFT
    shift = shift * (torch.rand(count, 1, generator=chance) < 0.3)
    blur = torch.rand(count, 1, generator=chance) * (torch.rand(count, 1, generator=chance) < 0.3)
    side = blur / 3
    taps = torch.stack(
        [side + shift.clamp_min(0), 1 - 2 * side - shift.abs(), side + (-shift).clamp_min(0)], -1
    )
    kernel = taps[:, 0, :, None] * taps[:, 1, None, :]
    kernel = sent(kernel, projection.device)
    colours = PROJECTION_CHANNELS - 1
    kernel = kernel[:, None].expand(-1, colours, -1, -1).reshape(count * colours, 1, 3, 3)
    flat = projection[:, :colours].reshape(1, count * colours, *projection.shape[-2:])
    moved = functional.conv2d(
        functional.pad(flat, (1, 1, 1, 1), mode="replicate"), kernel, groups=count * colours
    )
    moved = moved.reshape(count, colours, *projection.shape[-2:]) * projection[:, VALID, None]
    return torch.cat([moved, projection[:, VALID, None]], 1)


def _held_blocks(learnt: BoolArray, seed: int) -> npt.NDArray[np.int64]:
    """Choose centres (N, 2) of blocks that lie wholly in the learnt part, spread at random."""
    height, width = learnt.shape
    half = HELD_BLOCK // 2
    grid = learnt[: height // HELD_BLOCK * HELD_BLOCK, : width // HELD_BLOCK * HELD_BLOCK]
    blocks = grid.reshape(height // HELD_BLOCK, HELD_BLOCK, width // HELD_BLOCK, HELD_BLOCK)
    whole = np.argwhere(blocks.all(axis=(1, 3)))
    count = min(math.ceil(len(whole) * HELD_SHARE), len(whole) // 12, MOST_HELD)
    chosen = np.random.default_rng(seed).permutation(len(whole))[:count]
    return np.asarray(whole[np.sort(chosen)] * HELD_BLOCK + half, np.int64).reshape(-1, 2)


def _cover(centres: npt.NDArray[np.int64], shape: tuple[int, ...]) -> BoolArray:
    covered = np.zeros(shape, bool)
    half = HELD_BLOCK // 2
    for row, column in centres:
        covered[row - half : row + half, column - half : column + half] = True
    return covered
