# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks by name: their sizes, and building them."""

from __future__ import annotations

import dataclasses

from ..shared.errors import PaintoverError
from ..shared.training_settings import MOST_BLOCKS
from .base import Painter
from .gated_unet import GatedPainter, Size
from .published_unet import PaperNetwork, PaperSize

SIZES: dict[str, Size | PaperSize] = {
    "fast": Size(width=32, blocks=3, fine=16),
    "small": Size(width=8, blocks=1, fine=8),
    "paper": PaperSize(),
}


def size_of(name: str) -> Size | PaperSize:
    """Return the size of a named network. Raises PaintoverError for an unknown name."""
    if name not in SIZES:
        raise PaintoverError(
            f'There is no network "{name}"; choose one of: {", ".join(sorted(SIZES))}.'
        )
    return SIZES[name]


def build(
    name: str,
    channels: int,
    *,
    projection: bool,
    alpha: bool,
    coverage: bool = False,
    blocks: int = 0,
) -> Painter:
    """Build a named network with random weights.

    Args:
        name: key of ``SIZES``.
        channels, projection, alpha, coverage: as of ``Painter``.
        blocks: residual blocks, up to ``MOST_BLOCKS``; 0: the number of the named size.

    Raises:
        PaintoverError: the name is unknown, or the number of blocks is out of range.
    """
    size = size_of(name)
    if not 0 <= blocks <= MOST_BLOCKS:
        raise PaintoverError(
            f"A network can have 1 to {MOST_BLOCKS} residual blocks, not {blocks}."
        )
    use = {"projection": projection, "alpha": alpha, "coverage": coverage}
    if isinstance(size, PaperSize):
        return PaperNetwork(channels, blocks or size.blocks, **use)
    return GatedPainter(channels, dataclasses.replace(size, blocks=blocks or size.blocks), **use)
