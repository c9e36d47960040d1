# SPDX-License-Identifier: GPL-3.0-or-later
"""``GatedPainter`` in 8-bit integers, for CPUs that multiply these fastest.

Weights and activations are quantized linearly (Jacob et al., "Quantization and Training of Neural
Networks for Efficient Integer-Arithmetic-Only Inference", CVPR 2018): weights with one scale per
output channel, activations with one scale per layer, from the layer's activation range (see
``activation_ranges``). Channels are equalized first, so that one scale fits all of a layer (see
``channel_equalization``). Integer sums are exact, so a pixel does not depend on how the frame is
cut into tiles. The gate stays in floating point.
"""

from __future__ import annotations

import copy
import functools

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from ...images.types import FloatArray
from ...networks.activation_ranges import GUIDE_SCALE, GUIDE_ZERO_POINT, ActivationRanges, Range
from ...networks.base import GRID
from ...networks.device import Device, has_avx2, has_vnni
from ...networks.gated_unet import LEAK, GatedPainter
from ..tiling import Padding, TileRange
from .channel_equalization import equalize_channels
from .gate_kernel import apply_gate
from .requantize import FloatActivations, Quantization, Region

MAX_CODE, MAX_CODE_WITHOUT_VNNI = 127, 64
"""Largest code of a weight. Without VNNI, CPUs sum two products in 16 bits: 2 × 255 × 64 fits."""
HEADROOM = 1.25
"""Largest representable activation, relative to the activation range of the calibration."""
BLOCK_REACH, LATE_REACH, LAST_REACH = 8, 12, 4
"""Pixels around an output pixel that are read by a block of ``middle``, by the layers after
``middle``, and by the layers at full resolution; multiples of ``GRID``."""


class _Int8Conv:
    """A convolution with quantized input, (1, C, H, W) uint8 in channels_last.

    Args:
        layer: the convolution in floating point.
        mean: (C), mean of each input channel; the bias absorbs the mean error of rounded weights.
        scale: (C), of each input channel, or one for all.
        zero_point: code of 0 in the input.
        shift: (C), added to the dequantized input, or one for all.
    """

    def __init__(
        self,
        layer: nn.Conv2d,
        mean: Tensor,
        scale: Tensor | float,
        zero_point: int,
        shift: Tensor | float = 0.0,
    ) -> None:
        assert layer.bias is not None
        input_scale = _per_input(scale)
        weight = layer.weight * input_scale
        codes, self._scales = _quantize_weight(weight)
        lost = weight - codes * self._scales.reshape(-1, 1, 1, 1)
        change = layer.weight * _per_input(shift) + lost / input_scale * _per_input(mean - shift)
        self._bias = layer.bias + change.sum((1, 2, 3))
        self._zero_point, self._zeros = zero_point, torch.zeros(len(weight), dtype=torch.int64)
        self._geometry = [list(layer.stride), [*map(int, layer.padding)], [1, 1], 1]
        self._weight = torch.ops.onednn.qconv_prepack(
            codes.to(torch.int8), self._scales, 1.0, zero_point, *self._geometry, None
        )

    def to_float(self, codes: Tensor) -> Tensor:
        """Return the outputs as float32."""
        return self._run(codes, Quantization(1.0, 0), torch.float32, "none")

    def to_codes(self, codes: Tensor, output: Quantization) -> Tensor:
        """Return the quantized outputs as uint8."""
        return self._run(codes, output, torch.uint8, "none")

    def to_relu_codes(self, codes: Tensor, output: Quantization) -> Tensor:
        """Return the quantized outputs after a ReLU as uint8."""
        return self._run(codes, output, torch.uint8, "relu")

    def _run(
        self, codes: Tensor, output: Quantization, dtype: torch.dtype, activation: str
    ) -> Tensor:
        weight = self._weight, self._scales, self._zeros, self._bias
        source = (codes, 1.0, self._zero_point, *weight)
        target = (*self._geometry, *output, dtype, activation, [], "")
        result: Tensor = torch.ops.onednn.qconv2d_pointwise(*source, *target)
        return result


def _signed_quantization(activations: Range) -> Quantization:
    scale = max(float(sum(activations)) * HEADROOM / 255, 1e-20)
    return Quantization(scale, round(float(activations.below) * HEADROOM / scale))


def _relu_quantization(activations: Range) -> Quantization:
    return Quantization(max(float(activations.above) * HEADROOM / 255, 1e-20), 0)


class Int8Network:
    """A ``GatedPainter`` in integers, on the CPU.

    Args:
        network: the network; a later change of its ``light`` counts, of its weights not.
        activations: its activation ranges.
    """

    def __init__(self, network: GatedPainter, activations: ActivationRanges) -> None:
        self._network = network
        network, (ranges, means, self._shifts) = equalize_channels(network, activations)
        fine, channels = network.size.fine, network.channels
        shift = self._shifts * GUIDE_SCALE
        self._joined = _signed_quantization(ranges["stem"].wider(ranges["up"]))
        mean = means["stem"].reshape(channels, -1).mean(1)
        stem = _fuse_unshuffle(network.stem)
        self._stem = _Int8Conv(stem, mean, GUIDE_SCALE, GUIDE_ZERO_POINT, shift)
        self._down = _Int8Conv(network.down, means["down"], *self._joined)
        self._middle: list[tuple[_Int8Conv, Quantization, _Int8Conv]] = []
        self._deep: list[Quantization] = []
        before = "down"
        for number, block in enumerate(network.blocks):
            name = f"middle.{number}"
            enter = _relu_quantization(ranges[before])
            inside = _relu_quantization(ranges[f"{name}.first"])
            first = _Int8Conv(block.first, means[f"{name}.first"], *enter)
            second = _Int8Conv(block.second, means[f"{name}.second"], *inside)
            self._middle.append((first, inside, second))
            self._deep.append(enter)
            before = name
        self._deep.append(_signed_quantization(ranges[before]))
        self._up = _Int8Conv(_reorder_for_shuffle(network.up), means["up"], *self._deep[-1])
        self._join = _Int8Conv(network.join, means["join"], *self._joined)
        self._half = _relu_quantization(ranges["join"])
        self._inside = _relu_quantization(ranges["refine.first"])
        self._first = _Int8Conv(network.refine.first, means["refine.first"], *self._half)
        self._second = _Int8Conv(network.refine.second, means["refine.second"], *self._inside)
        self._refined = _signed_quantization(ranges["refine"])
        self._open = _Int8Conv(_reorder_for_shuffle(network.open), means["open"], *self._refined)
        opened = max(1e-20, *map(float, ranges["open"]))
        self._full = Quantization(opened * HEADROOM / (255 - GUIDE_ZERO_POINT), GUIDE_ZERO_POINT)
        scales = torch.tensor([self._full.scale] * fine + [GUIDE_SCALE] * channels)
        shift = torch.cat([torch.zeros(fine), shift])
        self._gather = _Int8Conv(network.gather, means["gather"], scales, GUIDE_ZERO_POINT, shift)
        self._gathered = _relu_quantization(ranges["gather"])
        self._last = _Int8Conv(_with_residual_weights(network.last), means["last"], *self._gathered)

    def paint(
        self,
        guides: FloatArray,
        rows: TileRange,
        columns: TileRange,
        strokes: FloatArray | None = None,
    ) -> Tensor:
        """Paint a tile of a frame.

        Layers compute only the region that later layers read.

        Args:
            guides: (C, H, W) float32, −1..1, of the window.
            rows: the tile's rows; their padded size is a multiple of ``GRID``.
            columns: the tile's columns; likewise.
            strokes: (3, H, W) of the window, as ``GatedPainter.apply_gate`` takes them.

        Returns:
            (1, 3 or 4, h, w), as ``Painter.forward`` returns it, of the tile's output range.
        """
        codes = self._quantize_guides(guides, rows, columns)
        padded = slice(0, rows.size), slice(0, columns.size)
        stem_outputs = FloatActivations(self._stem.to_float(codes), padded, 2)
        stem = stem_outputs.leaky_relu(self._joined, padded, LEAK)
        deep = FloatActivations(self._down.to_float(stem), padded, 4)
        regions = [
            _region_around(rows, columns, LATE_REACH + BLOCK_REACH * left)
            for left in reversed(range(len(self._deep)))
        ]
        block_input = deep.leaky_relu(self._deep[0], regions[0], LEAK)
        for number, (first, inside, second) in enumerate(self._middle):
            change = second.to_float(first.to_relu_codes(block_input, inside))
            block_input = deep.add(
                FloatActivations(change, regions[number], 4),
                self._deep[number + 1],
                regions[number + 1],
            )
        late, last = regions[-1], _region_around(rows, columns, LAST_REACH)
        back = self._up.to_codes(block_input, self._joined)
        joined = self._join.to_float(_shuffle_and_concat(back, _crop(stem, late, 2)))
        half = FloatActivations(joined, late, 2)
        refine_input = half.leaky_relu(self._half, late, 0)
        change = self._second.to_float(self._first.to_relu_codes(refine_input, self._inside))
        refined = half.add(FloatActivations(change, late, 2), self._refined, last)
        full = self._open.to_codes(refined, self._full)
        gathered = _shuffle_and_concat(full, _crop(codes, last, 1))
        outputs = self._last.to_float(self._gather.to_relu_codes(gathered, self._gathered))
        top, left = (
            span.output_in_padded.start - region.start
            for span, region in zip((rows, columns), last, strict=True)
        )
        tile = rows.output, columns.output
        projected = guides[-self._network.projected_channels :, *tile]
        height, width = projected.shape[1:]
        cropped = outputs[0, :, top : top + height, left : left + width].permute(1, 2, 0).numpy()
        tile_strokes = None if strokes is None else strokes[:, *tile]
        return torch.from_numpy(apply_gate(self._network, cropped, projected, tile_strokes))[None]

    def _quantize_guides(self, guides: FloatArray, rows: TileRange, columns: TileRange) -> Tensor:
        """Quantize the padded tile's guides: (1, C, h, w) uint8 in channels_last."""
        padding = Padding(rows, columns)
        planes = np.empty((len(guides), rows.size, columns.size), np.uint8)
        for plane, guide, shift in zip(planes, guides, self._shifts.tolist(), strict=True):
            source = guide[rows.inner, columns.inner]
            codes = cv2.convertScaleAbs(source, None, 1 / GUIDE_SCALE, GUIDE_ZERO_POINT - shift)
            padding.pad(codes, plane)
        pixels = torch.from_numpy(cv2.transpose(planes.reshape(len(guides), -1)))
        return pixels.reshape(1, rows.size, columns.size, -1).permute(0, 3, 1, 2)


@functools.cache
def supports_int8(device: Device) -> bool:
    """Return whether int8 is fast on the device and PyTorch's operators compute it correctly."""
    if device.unit.type != "cpu" or not (has_vnni() or has_avx2()):
        return False
    layer = nn.Conv2d(32, 32, 3, padding=1).requires_grad_(False)
    x = torch.rand(1, 32, 16, 16).to(memory_format=torch.channels_last)
    layer.weight[0], x[:, :, 8:] = 0.1, 1  # the largest possible sums
    quantization, whole = Quantization(1 / 255, 0), (slice(0, 16), slice(0, 16))
    codes = FloatActivations(x, whole, 1).leaky_relu(quantization, whole)
    try:
        outputs = _Int8Conv(layer, torch.zeros(32), *quantization).to_float(codes)
    except (AttributeError, NotImplementedError, RuntimeError, TypeError):
        return False  # a PyTorch built without these operators
    return torch.allclose(outputs, layer(x), atol=0.02)


def _region_around(rows: TileRange, columns: TileRange, reach: int) -> Region:
    """Return the part of the padded tile within ``reach`` pixels of its output."""
    found = []
    for span in (rows, columns):
        start = (span.output_in_padded.start - reach) // GRID * GRID
        stop = -(-(span.output_in_padded.stop + reach) // GRID) * GRID
        found.append(slice(max(0, start), min(span.size, stop)))
    return found[0], found[1]


def _crop(values: Tensor, region: Region, scale: int) -> Tensor:
    """Crop a region, in pixels at full resolution, from (B, C, H / scale, W / scale)."""
    rows, columns = (slice(span.start // scale, span.stop // scale) for span in region)
    return values[:, :, rows, columns]


def _quantize_weight(weight: Tensor) -> tuple[Tensor, Tensor]:
    """Return codes, of the weight's shape, and the scale of each output channel, (O)."""
    limit = MAX_CODE if has_vnni() else MAX_CODE_WITHOUT_VNNI
    scales = weight.abs().amax((1, 2, 3)).clamp_min(1e-20) / limit
    return (weight / scales.reshape(-1, 1, 1, 1)).round(), scales


def _with_residual_weights(layer: nn.Conv2d) -> nn.Conv2d:
    """Return a layer whose first outputs use rounded weights, and further ones the rounding errors.

    Their sum is nearly exact. It costs nothing: the last layer has few channels, so the CPU's
    vectors have room.
    """
    assert layer.bias is not None
    codes, scales = _quantize_weight(layer.weight)
    rounded = codes * scales.reshape(-1, 1, 1, 1)
    weight = torch.cat([rounded, layer.weight - rounded])
    return _copy_with(layer, weight, torch.cat([layer.bias, torch.zeros_like(layer.bias)]))


def _per_input(values: Tensor | float) -> Tensor:
    """(C) → (1, C, 1, 1), the input channels of a weight."""
    return torch.as_tensor(values).reshape(1, -1, 1, 1)


def _shuffle_and_concat(codes: Tensor, others: Tensor) -> Tensor:
    """Depth to space, (B, 4 C, H, W) → (B, C, 2 H, 2 W), then append (B, D, 2 H, 2 W) channels.

    The input has four groups of C channels, one for each pixel of a 2×2 block.
    """
    batch, channels, height, width = codes.shape
    rows = codes.permute(0, 2, 3, 1).reshape(batch, height, width, 2, channels // 2)
    flat = rows.transpose(2, 3).reshape(batch, 2 * height, 2 * width, channels // 4)
    return torch.cat([flat.permute(0, 3, 1, 2), others], 1)


def _fuse_unshuffle(layer: nn.Conv2d) -> nn.Conv2d:
    """Return a 6×6 layer of stride 2 that equals a pixel-unshuffle and then this 3×3 layer."""
    weight = layer.weight.reshape(len(layer.weight), -1, 2, 2, 3, 3).permute(0, 1, 4, 2, 5, 3)
    fused = _copy_with(layer, weight.flatten(2, 3).flatten(3, 4), layer.bias)
    fused.stride, fused.padding = (2, 2), (2, 2)
    return fused


def _reorder_for_shuffle(layer: nn.Conv2d) -> nn.Conv2d:
    """Return a layer with outputs in ``_shuffle_and_concat``'s order, not pixel-shuffle's."""
    assert layer.bias is not None
    weight, bias = (
        values.reshape(-1, 4, *values.shape[1:]).transpose(0, 1).flatten(0, 1)
        for values in (layer.weight, layer.bias)
    )
    return _copy_with(layer, weight, bias)


def _copy_with(layer: nn.Conv2d, weight: Tensor, bias: Tensor | None) -> nn.Conv2d:
    copied = copy.deepcopy(layer)
    copied.weight, copied.bias = nn.Parameter(weight), bias if bias is None else nn.Parameter(bias)
    return copied
