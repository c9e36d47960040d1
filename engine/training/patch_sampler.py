# SPDX-License-Identifier: GPL-3.0-or-later
"""Training patches of the keyframes, drawn on the device."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from ..images.types import BoolArray, HalfArray
from ..images.window import seen_window
from ..networks.base import GRID
from ..networks.device import sent
from ..projection.channels import LIGHT, OFFSET, PROJECTION_CHANNELS
from .example import Example
from .patch_places import (
    HELD_BLOCK,
    choose_centres,
    choose_held_blocks,
    cover_blocks,
    find_filled,
)
from .projection_augmentation import drift, replace_and_drop

SQUARE = 256
"""Side of the squares, in pixels, by which activation ranges are measured."""
NEAR_SHARE = 0.5
"""Share of patches whose replacement is a nearby place of the same keyframe …"""
NEAR = 24
"""… at most this many pixels away in x and y."""


@dataclasses.dataclass(frozen=True)
class Batch:
    """Patches on the device, float32.

    Attributes:
        x: (B, C, P, P), −1..1, the network's input.
        paint: (B, 3 or 4, P, P), as in ``Example``.
        weight: (B, 1 or 2, P, P), as in ``Example``; 0 outside the keyframe.
    """

    x: Tensor
    paint: Tensor
    weight: Tensor


class Patches:
    """Draws patches whose centres are spread evenly over the masks.

    Keyframes are padded by reflection, so that pixels at the border are drawn as often as others;
    the padding has no weight in the loss. A keyframe is drawn with a probability proportional to
    the square root of its mask's area, so that small masks are not lost.

    Args:
        examples: the keyframes, all of one size; a single one is not copied on the CPU.
        device: where the tensors are kept.
        seed: of the choice of held-out blocks.
        size: side of the patches in pixels.

    Attributes:
        height, width: size of the keyframes in pixels.
        held: per keyframe, (N, 2) centres (row, column) of its held-out blocks.
    """

    def __init__(self, examples: list[Example], device: torch.device, seed: int, size: int) -> None:
        self.height, self.width = examples[0].weight.shape[:2]
        self._size = size
        self._device = device
        self._guides = self._stack([example.guides for example in examples])
        self._paint = self._stack([example.paint for example in examples])
        projections = [example.projections for example in examples]
        self._projections = self._join(projections) if len(projections[0]) else None
        self._pictures = self._stack([example.picture for example in examples])
        self._first = np.cumsum([0] + [len(example.projections) for example in examples])
        filled = [find_filled(example) for example in examples]
        self._windows = [seen_window(mask, GRID) for mask in filled]
        self.held = [choose_held_blocks(mask, seed + index) for index, mask in enumerate(filled)]
        weights = [
            example.weight * ~cover_blocks(held, filled[0].shape)[..., None]
            for example, held in zip(examples, self.held, strict=True)
        ]
        self._weight = self._stack(weights)
        self._whole = self._stack([example.weight for example in examples])
        pixels = [
            choose_centres(weight.max(2) > 0, mask, seed + index)
            for index, (weight, mask) in enumerate(zip(weights, filled, strict=True))
        ]
        self._pixels = [torch.from_numpy(found) for found in pixels]
        areas = torch.tensor([float(len(found)) for found in pixels])
        self._probabilities = areas.sqrt()
        self._focus: tuple[int, Tensor] | None = None
        self._mirrored = [
            torch.from_numpy(np.pad(np.arange(count), size // 2, mode="reflect")).to(device)
            for count in (self.height, self.width)
        ]

    def focus_on(self, key: int, part: BoolArray) -> None:
        """Draw half of the patches around a part of a keyframe from now on.

        Args:
            key: index of the keyframe.
            part: (H, W), its pixels; where none of them may be learnt, nothing changes.
        """
        pixels = self._pixels[key].numpy()
        found = pixels[part.reshape(-1)[pixels]]
        self._focus = (key, torch.from_numpy(found)) if len(found) else None

    def focus_on_all(self) -> None:
        """Draw patches evenly again."""
        self._focus = None

    def calibration_inputs(self) -> Iterator[Tensor]:
        """Yield squares of the network's input, (1, C, H, W), with and without the projection."""
        for number, window in enumerate(self._windows):
            for part in window.squares(SQUARE):
                x = self._guides[number, *part.inside].float()
                if self._projections is None:
                    yield x.permute(2, 0, 1)[None]
                    continue
                own = self._projections[int(self._first[number]) + number, *part.inside].float()
                own[..., LIGHT] = 0  # the projected picture equals the frame's picture
                for projection in (own, torch.zeros_like(own)):
                    yield torch.cat([x, *_as_guides(projection, -1)], -1).permute(2, 0, 1)[None]

    def draw(self, count: int, generator: torch.Generator) -> Batch:
        """Draw training patches with augmented projections.

        Args:
            count: patches in the batch.
            generator: on the CPU; the only source of random numbers.
        """
        keys, rows, columns = self._places(count, generator)
        if self._focus:
            half = count // 2
            key, pixels = self._focus
            chosen = torch.randint(len(pixels), (half,), generator=generator)
            keys[:half] = key
            rows[:half], columns[:half] = pixels[chosen] // self.width, pixels[chosen] % self.width
        return self._batch(keys, rows, columns, self._weight, generator)

    def held_out(self, seed: int) -> Batch | None:
        """Return a patch around each held-out block; None if nothing is held out.

        Only the block in the middle of a patch has weight.

        Args:
            seed: of the augmentation; the same seed gives the same patches.
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
        centre, half = self._size // 2, HELD_BLOCK // 2
        block = slice(centre - half, centre + half)
        middle[..., block, block] = 1
        return dataclasses.replace(batch, weight=batch.weight * middle)

    def _places(self, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """Draw pixels with weight: (count,) keyframes, rows and columns."""
        keys = torch.multinomial(self._probabilities, count, replacement=True, generator=generator)
        shares = torch.rand(count, generator=generator, dtype=torch.float64)
        pixels = [
            self._pixels[key][int(share * len(self._pixels[key]))]
            for key, share in zip(keys.tolist(), shares.tolist(), strict=True)
        ]
        flat = torch.stack(pixels).long()
        return keys, flat // self.width, flat % self.width

    def _stack(self, arrays: list[HalfArray]) -> Tensor:
        """Stack K arrays (H, W, C) to (K, H, W, C) on the device."""
        return self._join([array[None] for array in arrays])

    def _join(self, arrays: list[HalfArray]) -> Tensor:
        """Concatenate arrays (N, H, W, C) along N on the device."""
        joined = arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
        return torch.from_numpy(joined).to(self._device)

    def _cut(
        self, source: Tensor, keys: Tensor, rows: Tensor, columns: Tensor, *, reflect: bool = True
    ) -> Tensor:
        """Cut patches (B, C, P, P) out of ``source`` (N, H, W, C).

        Args:
            source: the arrays to cut from.
            keys: (B,) index into ``source``.
            rows, columns: (B,) centres in pixels.
            reflect: whether to pad by reflection, else with 0.
        """
        centres = sent(torch.stack([keys, rows, columns]), self._device)[:, :, None, None]
        steps = torch.arange(self._size, device=self._device)
        down, across = centres[1] + steps[:, None], centres[2] + steps
        places = self._mirrored[0][down], self._mirrored[1][across]
        patches = source[centres[0], *places].permute(0, 3, 1, 2).float()
        if reflect:
            return patches
        border = self._size // 2
        inside = (down >= border) & (down < border + self.height)
        inside = inside & (across >= border) & (across < border + self.width)
        return patches * inside[:, None]

    def _batch(
        self,
        keys: Tensor,
        rows: Tensor,
        columns: Tensor,
        weight: Tensor,
        generator: torch.Generator,
    ) -> Batch:
        x = self._cut(self._guides, keys, rows, columns)
        if self._projections is not None:
            projection = self._augmented_projection(keys, rows, columns, generator)
            x = torch.cat([x, *_as_guides(projection, 1)], 1)
        return Batch(
            x=x.contiguous(memory_format=torch.channels_last),
            paint=self._cut(self._paint, keys, rows, columns),
            weight=self._cut(weight, keys, rows, columns, reflect=False),
        )

    def _any_of(self, keys: Tensor, generator: torch.Generator) -> Tensor:
        """Draw one of the projections onto each keyframe: (B,) index into ``_projections``."""
        first = torch.from_numpy(self._first)
        numbers = first[keys + 1] - first[keys]
        return first[keys] + (torch.rand(len(keys), generator=generator) * numbers).long()

    def _replacements(
        self, keys: Tensor, rows: Tensor, columns: Tensor, generator: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Draw the places that replace others: (B,) projections, rows and columns."""
        count = len(keys)
        other_keys, other_rows, other_columns = self._places(count, generator)
        near = torch.rand(count, generator=generator) < NEAR_SHARE
        by = torch.randint(-NEAR, NEAR + 1, (2, count), generator=generator)
        return (
            self._any_of(torch.where(near, keys, other_keys), generator),
            torch.where(near, (rows + by[0]).clamp(0, self.height - 1), other_rows),
            torch.where(near, (columns + by[1]).clamp(0, self.width - 1), other_columns),
        )

    def _augmented_projection(
        self, keys: Tensor, rows: Tensor, columns: Tensor, generator: torch.Generator
    ) -> Tensor:
        """Return (B, 7 or 8, P, P) projections, augmented, as ``Projection.carry`` gives them."""
        assert self._projections is not None
        own = self._cut(self._projections, self._any_of(keys, generator), rows, columns)
        own = drift(own, generator)
        others = self._replacements(keys, rows, columns, generator)
        replacement = self._cut(self._projections, *others)
        picture = self._cut(self._pictures, keys, rows, columns)
        return replace_and_drop(own, replacement, picture, generator)


def _as_guides(projection: Tensor, axis: int) -> list[Tensor]:
    """Return the parts of a projection in the order of the network's input."""
    count = projection.shape[axis] - PROJECTION_CHANNELS
    paint = projection.narrow(axis, 0, PROJECTION_CHANNELS)
    return [projection.narrow(axis, OFFSET, count), paint] if count else [paint]
