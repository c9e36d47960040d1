# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own network in 8-bit integers, for stylizing on processors that multiply them fastest.

Weights and activations are rounded evenly ("Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference", Jacob et al., CVPR 2018): weights in a step of their
own for each output channel, activations in one step a layer, which follows from what the layer
puts out (see ``activation_ranges``). So that one step fits all channels of a layer, they are
scaled to the same range first (see ``channel_equalization``). Sums are exact in integers, so a
pixel does not depend on how the frame is cut into tiles. The mix with projected paint stays in
floating point.
"""

from __future__ import annotations

import copy
import functools

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from ...images.types import FloatArray
from ...networks.activation_ranges import GUIDE_STEP, MIDDLE, ActivationRanges, Range
from ...networks.base import GRID
from ...networks.device import Device, has_avx2, has_vnni
from ...networks.gated_unet import LEAK, GatedPainter
from ...projection.channels import PROJECTION_CHANNELS
from ..tiling import Border, Span
from .channel_equalization import balance
from .gate_kernel import mix
from .requantize import Codes, Features, Part

MOST, MOST_WITHOUT_VNNI = 127, 64
"""Largest code of a weight; without VNNI processors sum two products in 16 bits, and
2 × 255 × 64 still fits."""
HEADROOM = 1.25
"""How much more than was seen a layer may put out before it is clipped."""
BLOCK_REACH, LATE_REACH, LAST_REACH = 8, 12, 4
"""How far, in pixels, a block of ``middle`` looks, the layers after ``middle``, and those at full
resolution; multiples of ``GRID``."""


class _Layer:
    """A convolution whose input is codes, (1, C, H, W) uint8 in channels_last.

    Args:
        layer: with its weights.
        mean: what the input usually is, (C); rounding the weights changes nothing about it.
        step: what a code of each input channel is worth, (C), or one for all.
        zero: the code of 0 of the input.
        shift: what the input is more than its codes say, (C), or one for all.
    """

    def __init__(
        self,
        layer: nn.Conv2d,
        mean: Tensor,
        step: Tensor | float,
        zero: int,
        shift: Tensor | float = 0.0,
    ) -> None:
        assert layer.bias is not None
        scale = _by_input(step)
        weight = layer.weight * scale
        codes, self._steps = _rounded(weight)
        lost = weight - codes * self._steps.reshape(-1, 1, 1, 1)
        change = layer.weight * _by_input(shift) + lost / scale * _by_input(mean - shift)
        self._bias = layer.bias + change.sum((1, 2, 3))
        self._zero, self._zeros = zero, torch.zeros(len(weight), dtype=torch.int64)
        self._geometry = [list(layer.stride), [*map(int, layer.padding)], [1, 1], 1]
        self._weight = torch.ops.onednn.qconv_prepack(
            codes.to(torch.int8), self._steps, 1.0, zero, *self._geometry, None
        )

    def floats(self, codes: Tensor) -> Tensor:
        """Return the outputs, float32."""
        return self._run(codes, Codes(1.0, 0), torch.float32, "none")

    def codes(self, codes: Tensor, written: Codes) -> Tensor:
        """Return the outputs as codes."""
        return self._run(codes, written, torch.uint8, "none")

    def positive(self, codes: Tensor, written: Codes) -> Tensor:
        """Return what is positive of the outputs as codes."""
        return self._run(codes, written, torch.uint8, "relu")

    def _run(self, codes: Tensor, written: Codes, kind: torch.dtype, after: str) -> Tensor:
        source = (codes, 1.0, self._zero, self._weight, self._steps, self._zeros, self._bias)
        target = (*self._geometry, *written, kind, after, [], "")
        result: Tensor = torch.ops.onednn.qconv2d_pointwise(*source, *target)
        return result


def _signed(span: Range) -> Codes:
    step = max(float(sum(span)) * HEADROOM / 255, 1e-20)
    return Codes(step, round(float(span.below) * HEADROOM / step))


def _positive(span: Range) -> Codes:
    return Codes(max(float(span.above) * HEADROOM / 255, 1e-20), 0)


class QuantizedPainter:
    """A ``GatedPainter`` in integers, on the CPU.

    Args:
        network: the network; its light counts as it is now.
        activations: what it sees and puts out.
    """

    def __init__(self, network: GatedPainter, activations: ActivationRanges) -> None:
        self._network = network
        network, (ranges, means, self._shifts) = balance(network, activations)
        fine, channels = network.size.fine, network.channels
        shift = self._shifts * GUIDE_STEP
        self._joined = _signed(ranges["stem"].wider(ranges["up"]))
        mean = means["stem"].reshape(channels, -1).mean(1)
        self._stem = _Layer(_at_full(network.stem), mean, GUIDE_STEP, MIDDLE, shift)
        self._down = _Layer(network.down, means["down"], *self._joined)
        self._middle: list[tuple[_Layer, Codes, _Layer]] = []
        self._deep: list[Codes] = []
        before = "down"
        for number, block in enumerate(network.blocks):
            name = f"middle.{number}"
            enter, inside = _positive(ranges[before]), _positive(ranges[f"{name}.first"])
            first = _Layer(block.first, means[f"{name}.first"], *enter)
            second = _Layer(block.second, means[f"{name}.second"], *inside)
            self._middle.append((first, inside, second))
            self._deep.append(enter)
            before = name
        self._deep.append(_signed(ranges[before]))
        self._up = _Layer(_opened(network.up), means["up"], *self._deep[-1])
        self._join = _Layer(network.join, means["join"], *self._joined)
        self._half, self._inside = _positive(ranges["join"]), _positive(ranges["refine.first"])
        self._first = _Layer(network.refine.first, means["refine.first"], *self._half)
        self._second = _Layer(network.refine.second, means["refine.second"], *self._inside)
        self._refined = _signed(ranges["refine"])
        self._open = _Layer(_opened(network.open), means["open"], *self._refined)
        opened = max(1e-20, *map(float, ranges["open"]))
        self._full = Codes(opened * HEADROOM / (255 - MIDDLE), MIDDLE)
        steps = torch.tensor([self._full.step] * fine + [GUIDE_STEP] * channels)
        shift = torch.cat([torch.zeros(fine), shift])
        self._gather = _Layer(network.gather, means["gather"], steps, MIDDLE, shift)
        self._gathered = _positive(ranges["gather"])
        self._last = _Layer(_split(network.last), means["last"], *self._gathered)

    def paint(
        self, guides: FloatArray, rows: Span, columns: Span, strokes: FloatArray | None = None
    ) -> Tensor:
        """Paint a tile of a frame.

        Args:
            guides: (C, H, W), −1..1, of all that is at hand of the frame.
            rows: which are computed and kept; how many is a multiple of ``GRID``.
            columns: likewise.
            strokes: (3, H, W) of the same, as ``GatedPainter.mix`` takes them.

        Returns:
            What ``Painter.forward`` returns, of what is kept.
        """
        codes = self._guide_codes(guides, rows, columns)
        whole = slice(0, rows.size), slice(0, columns.size)
        stem = Features(self._stem.floats(codes), whole, 2).activated(self._joined, whole, LEAK)
        deep = Features(self._down.floats(stem), whole, 4)
        parts = [
            _around(rows, columns, LATE_REACH + BLOCK_REACH * left)
            for left in reversed(range(len(self._deep)))
        ]
        written = deep.activated(self._deep[0], parts[0], LEAK)
        for number, (first, inside, second) in enumerate(self._middle):
            change = Features(second.floats(first.positive(written, inside)), parts[number], 4)
            written = deep.plus(change, self._deep[number + 1], parts[number + 1])
        late, last = parts[-1], _around(rows, columns, LAST_REACH)
        back = self._up.codes(written, self._joined)
        half = Features(self._join.floats(_joined(back, _at(stem, late, 2))), late, 2)
        written = half.activated(self._half, late, 0)
        change = Features(self._second.floats(self._first.positive(written, self._inside)), late, 2)
        written = half.plus(change, self._refined, last)
        full = self._open.codes(written, self._full)
        gathered = _joined(full, _at(codes, last, 1))
        out = self._last.floats(self._gather.positive(gathered, self._gathered))
        top, left = (
            span.kept.start - part.start for span, part in zip((rows, columns), last, strict=True)
        )
        wanted = rows.wanted, columns.wanted
        projected = guides[-PROJECTION_CHANNELS:, *wanted]
        high, wide = projected.shape[1:]
        kept = out[0, :, top : top + high, left : left + wide].permute(1, 2, 0).numpy()
        drawn = None if strokes is None else strokes[:, *wanted]
        return torch.from_numpy(mix(self._network, kept, projected, drawn))[None]

    def _guide_codes(self, guides: FloatArray, rows: Span, columns: Span) -> Tensor:
        """Round guides to codes (1, C, H, W) in channels_last, with what lies around."""
        border = Border(rows, columns)
        planes = np.empty((len(guides), rows.size, columns.size), np.uint8)
        for plane, guide, shift in zip(planes, guides, self._shifts.tolist(), strict=True):
            source = guide[rows.inner, columns.inner]
            codes = cv2.convertScaleAbs(source, None, 1 / GUIDE_STEP, MIDDLE - shift)
            border.put(codes, plane)
        pixels = torch.from_numpy(cv2.transpose(planes.reshape(len(guides), -1)))
        return pixels.reshape(1, rows.size, columns.size, -1).permute(0, 3, 1, 2)


@functools.cache
def quantizes_well(device: Device) -> bool:
    """Tell whether this processor is fast in integers and this PyTorch computes right in them."""
    if device.unit.type != "cpu" or not (has_vnni() or has_avx2()):
        return False
    layer = nn.Conv2d(32, 32, 3, padding=1).requires_grad_(False)
    x = torch.rand(1, 32, 16, 16).to(memory_format=torch.channels_last)
    layer.weight[0], x[:, :, 8:] = 0.1, 1  # the largest sums that there can be
    codes, whole = Codes(1 / 255, 0), (slice(0, 16), slice(0, 16))
    written = Features(x, whole, 1).activated(codes, whole)
    try:
        rounded = _Layer(layer, torch.zeros(32), *codes).floats(written)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False  # a PyTorch built without these operators
    return torch.allclose(rounded, layer(x), atol=0.02)


def _around(rows: Span, columns: Span, reach: int) -> Part:
    """Return which of the computed rows and columns lie within so many pixels of the kept ones."""
    parts = []
    for span in (rows, columns):
        start = (span.kept.start - reach) // GRID * GRID
        stop = -(-(span.kept.stop + reach) // GRID) * GRID
        parts.append(slice(max(0, start), min(span.size, stop)))
    return parts[0], parts[1]


def _at(values: Tensor, part: Part, scale: int) -> Tensor:
    """Cut rows and columns, counted at full resolution, out of (B, C, H / scale, W / scale)."""
    rows, columns = (slice(span.start // scale, span.stop // scale) for span in part)
    return values[:, :, rows, columns]


def _rounded(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return weights in codes −``MOST``..``MOST``, and what a code is worth in each output."""
    most = MOST if has_vnni() else MOST_WITHOUT_VNNI
    steps = weight.abs().amax((1, 2, 3)).clamp_min(1e-20) / most
    return (weight / steps.reshape(-1, 1, 1, 1)).round(), steps


def _split(layer: nn.Conv2d) -> nn.Conv2d:
    """Return a layer that puts out first what rounded weights give, then what they leave.

    The last layer's few channels leave room for this in the processor's vectors.
    """
    assert layer.bias is not None
    codes, steps = _rounded(layer.weight)
    rough = codes * steps.reshape(-1, 1, 1, 1)
    weight = torch.cat([rough, layer.weight - rough])
    return _with(layer, weight, torch.cat([layer.bias, torch.zeros_like(layer.bias)]))


def _by_input(values: Tensor | float) -> Tensor:
    """(C) → (1, C, 1, 1), as input channels lie in weights."""
    return torch.as_tensor(values).reshape(1, -1, 1, 1)


def _joined(codes: Tensor, others: Tensor) -> Tensor:
    """Open (B, 4 C, H, W) to (B, C, 2 H, 2 W), and put others (B, D, 2 H, 2 W) after the channels.

    Four groups of channels become the pixels of each 2×2.
    """
    batch, channels, height, width = codes.shape
    rows = codes.permute(0, 2, 3, 1).reshape(batch, height, width, 2, channels // 2)
    flat = rows.transpose(2, 3).reshape(batch, 2 * height, 2 * width, channels // 4)
    return torch.cat([flat.permute(0, 3, 1, 2), others], 1)


def _at_full(layer: nn.Conv2d) -> nn.Conv2d:
    """Return a layer that does a pixel-unshuffle and a 3×3 layer after it at once."""
    weight = layer.weight.reshape(len(layer.weight), -1, 2, 2, 3, 3).permute(0, 1, 4, 2, 5, 3)
    other = _with(layer, weight.flatten(2, 3).flatten(3, 4), layer.bias)
    other.stride, other.padding = (2, 2), (2, 2)
    return other


def _opened(layer: nn.Conv2d) -> nn.Conv2d:
    """Return a layer with outputs in the order of ``_joined`` instead of pixel-shuffle's."""
    assert layer.bias is not None
    weight, bias = (
        values.reshape(-1, 4, *values.shape[1:]).transpose(0, 1).flatten(0, 1)
        for values in (layer.weight, layer.bias)
    )
    return _with(layer, weight, bias)


def _with(layer: nn.Conv2d, weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    other = copy.deepcopy(layer)
    other.weight, other.bias = nn.Parameter(weight), bias if bias is None else nn.Parameter(bias)
    return other
