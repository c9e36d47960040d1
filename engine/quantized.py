# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own network in 8-bit integers, for stylizing on processors that multiply them fastest.

Weights and activations are rounded evenly ("Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference", Jacob et al., CVPR 2018): weights in a step of their
own for each output channel, activations in one step a layer, which follows from what the layer
puts out on the keyframes. Sums are exact in integers, so a pixel does not depend on how the frame
is cut into tiles. The mix with projected paint stays in floating point.
"""

from __future__ import annotations

import copy
import functools
import time
from collections.abc import Callable, Iterable
from typing import cast

import cv2
import torch
from torch import Tensor, nn
from torch.nn import functional

from .device import Device
from .guides import PROJECTION_CHANNELS
from .network_base import GRID
from .networks import GatedPainter

HEADROOM = 1.25
"""How much more than on the keyframes a layer may put out before it is clipped."""
MIDDLE = 128
"""The code of 0 where values have both signs."""
GUIDE_STEP = 1 / 127
"""What a code of the guides is worth; they are in −1..1."""
FASTER = 0.6
"""Integers are used where they take at most this share of the time."""


class _Layer:
    """A convolution whose input is codes, (B, C, H, W) uint8 in channels_last.

    Args:
        layer: with its weights.
        step: what a code of each input channel is worth, (C) or one for all.
        zero: the code of 0 of the input.
        shape: an example of the input's.
    """

    def __init__(self, layer: nn.Conv2d, step: Tensor | float, zero: int, shape: list[int]) -> None:
        assert layer.bias is not None
        weight = layer.weight.detach().float() * torch.as_tensor(step).reshape(1, -1, 1, 1)
        self._steps = weight.abs().amax((1, 2, 3)).clamp_min(1e-20) / 127
        codes = (weight / self._steps.reshape(-1, 1, 1, 1)).round().clamp(-127, 127)
        self._bias, self._zero = layer.bias.detach().float(), zero
        self._zeros = torch.zeros(len(weight), dtype=torch.int64)
        self._geometry = [list(layer.stride), [*map(int, layer.padding)], [1, 1], 1]
        self._weight = torch.ops.onednn.qconv_prepack(
            codes.to(torch.int8), self._steps, 1.0, zero, *self._geometry, shape
        )

    def floats(self, codes: Tensor) -> Tensor:
        """Return the outputs, float32."""
        return self._run(codes, 1.0, 0, torch.float32, "none")

    def codes(self, codes: Tensor, step: float) -> Tensor:
        """Return the outputs as codes around ``MIDDLE``."""
        return self._run(codes, step, MIDDLE, torch.uint8, "none")

    def positive(self, codes: Tensor, step: float) -> Tensor:
        """Return what is positive of the outputs as codes from 0 on."""
        return self._run(codes, step, 0, torch.uint8, "relu")

    def _run(self, codes: Tensor, step: float, zero: int, kind: torch.dtype, after: str) -> Tensor:
        source = (codes, 1.0, self._zero, self._weight, self._steps, self._zeros, self._bias)
        target = (*self._geometry, step, zero, kind, after, [], "")
        result: Tensor = torch.ops.onednn.qconv2d_pointwise(*source, *target)
        return result


class QuantizedPainter:
    """A ``GatedPainter`` in integers, on the CPU.

    Args:
        network: the network; its light counts as it is now.
        examples: inputs (1, C, H, W), −1..1, that show what it usually sees.
    """

    def __init__(self, network: GatedPainter, examples: Iterable[Tensor]) -> None:
        self._network = network
        ranges = _ranges(network, examples)
        width, fine = network.size.width, network.size.fine

        def signed(name: str) -> float:
            return max(ranges[name]) * HEADROOM / 127

        def positive(name: str) -> float:
            return ranges[name][1] * HEADROOM / 255

        at_half, at_quarter = [1, width, 64, 64], [1, 2 * width, 32, 32]
        self._stem_step = signed("stem")
        stem = _by_pixels(network.stem, network.channels)
        self._stem = _Layer(stem, GUIDE_STEP, MIDDLE, [1, 4 * network.channels, 64, 64])
        self._down = _Layer(network.down, self._stem_step, MIDDLE, at_half)
        self._middle: list[tuple[float, _Layer, float, _Layer]] = []
        before = "down"
        for number in range(network.size.blocks):
            name = f"middle.{number}"
            block = network.middle[number]
            enter, inside = positive(before), positive(f"{name}.first")
            first, second = (
                _Layer(cast(nn.Conv2d, layer), step, 0, at_quarter)
                for layer, step in ((block.first, enter), (block.second, inside))
            )
            self._middle.append((enter, first, inside, second))
            before = name
        self._deep_step, self._back_step = signed(before), signed("up")
        self._up = _Layer(_opened(network.up), self._deep_step, MIDDLE, at_quarter)
        steps = torch.tensor([self._back_step] * width + [self._stem_step] * width)
        self._join = _Layer(network.join, steps, MIDDLE, [1, 2 * width, 64, 64])
        self._join_step, self._inside_step = positive("join"), positive("refine.first")
        self._first = _Layer(network.refine.first, self._join_step, 0, at_half)
        self._second = _Layer(network.refine.second, self._inside_step, 0, at_half)
        self._half_step, self._full_step = signed("refine"), signed("open")
        self._open = _Layer(_opened(network.open), self._half_step, MIDDLE, at_half)
        steps = torch.tensor([self._full_step] * fine + [GUIDE_STEP] * network.channels)
        at_full = [1, fine + network.channels, 128, 128]
        self._gather = _Layer(network.gather, steps, MIDDLE, at_full)
        self._gather_step = positive("gather")
        self._last = _Layer(network.last, self._gather_step, 0, [1, fine, 128, 128])

    def __call__(self, x: Tensor) -> Tensor:
        """Paint, as ``Painter.forward`` says, but sides must be multiples of ``GRID``."""
        assert x.shape[2] % GRID == 0 and x.shape[3] % GRID == 0
        guides = _guide_codes(x)
        stem = functional.leaky_relu_(self._stem.floats(_to_half(guides)), 0.2)
        stem_codes = _signed_codes(stem, self._stem_step)
        deep = self._down.floats(stem_codes)
        deep = functional.leaky_relu_(deep, 0.2)
        for enter, first, inside, second in self._middle:
            deep += second.floats(first.positive(_positive_codes(deep, enter), inside))
        back = _to_double(self._up.codes(_signed_codes(deep, self._deep_step), self._back_step))
        half = functional.relu_(self._join.floats(torch.cat([back, stem_codes], 1)))
        joined = _scaled(half, self._join_step, 0)
        half += self._second.floats(self._first.positive(joined, self._inside_step))
        full = _to_double(self._open.codes(_signed_codes(half, self._half_step), self._full_step))
        full = self._gather.positive(torch.cat([full, guides], 1), self._gather_step)
        return self._network.mix(self._last.floats(full).contiguous(), x[:, -PROJECTION_CHANNELS:])


@functools.cache
def quantizes_well(device: Device) -> bool:
    """Tell whether this CPU, with this PyTorch, computes right and faster in integers."""
    if device.unit.type != "cpu":
        return False
    layer = device.place(nn.Conv2d(64, 64, 3, padding=1)).requires_grad_(False)
    x = torch.rand(1, 64, 64, 64).to(memory_format=torch.channels_last)
    with torch.inference_mode():
        codes = _scaled(x, 1 / 255, 0)
        try:
            quantized = _Layer(layer, 1 / 255, 0, list(x.shape))
            right = torch.allclose(quantized.floats(codes), layer(x), atol=0.02)
        except (AttributeError, NotImplementedError, RuntimeError, TypeError):
            return False  # a PyTorch built without these operators

        def plain() -> Tensor:
            with device.autocast():
                return layer(x)  # type: ignore[no-any-return]

        return right and _seconds(lambda: quantized.floats(codes)) < FASTER * _seconds(plain)


def _seconds(step: Callable[[], Tensor]) -> float:
    """Return the shortest of a few runs."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return min(times)


def _ranges(network: GatedPainter, examples: Iterable[Tensor]) -> dict[str, tuple[float, float]]:
    """Return module → most below 0 and most above 0 that it puts out, after a leaky ReLU's too."""
    found: dict[str, tuple[float, float]] = {}

    def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
        def hook(_module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
            low, high = found.get(name, (1e-6, 1e-6))
            slope = 0.2 if name in ("stem", "down") else 1.0
            found[name] = (
                max(low, -slope * float(output.min())),
                max(high, float(output.max())),
            )

        return hook

    handles = [module.register_forward_hook(watch(name)) for name, module in _parts(network)]
    for example in examples:
        network(example)
    for handle in handles:
        handle.remove()
    return found


def _parts(network: GatedPainter) -> list[tuple[str, nn.Module]]:
    return [(name, module) for name, module in network.named_modules() if name]


def _guide_codes(guides: Tensor) -> Tensor:
    """Round guides (1, C, H, W) in −1..1, contiguous, to codes (1, C, H, W) in channels_last."""
    _, channels, height, width = guides.shape
    planes = cv2.convertScaleAbs(guides.numpy().reshape(channels, -1), None, 1 / GUIDE_STEP, MIDDLE)
    codes = torch.from_numpy(cv2.transpose(planes))
    return codes.reshape(1, height, width, channels).permute(0, 3, 1, 2)


def _signed_codes(values: Tensor, step: float) -> Tensor:
    """Round values (1, C, H, W) in channels_last to codes around ``MIDDLE``; clips them, too."""
    return _scaled(values.clamp_(min=-MIDDLE * step), step, MIDDLE)


def _positive_codes(values: Tensor, step: float) -> Tensor:
    """Round what is positive of values (1, C, H, W) in channels_last to codes from 0 on."""
    return _scaled(functional.relu(values), step, 0)


def _scaled(values: Tensor, step: float, zero: int) -> Tensor:
    pixels = values.permute(0, 2, 3, 1)
    codes = cv2.convertScaleAbs(pixels.flatten(0, 2).numpy(), None, 1 / step, zero)
    return torch.from_numpy(codes).reshape(pixels.shape).permute(0, 3, 1, 2)


def _to_half(codes: Tensor) -> Tensor:
    """(B, C, H, W) → (B, 4 C, H / 2, W / 2): the four pixels of each 2×2 one after the other."""
    batch, channels, height, width = codes.shape
    rows = codes.permute(0, 2, 3, 1).reshape(batch, height // 2, 2, width // 2, 2 * channels)
    flat = rows.transpose(2, 3).reshape(batch, height // 2, width // 2, 4 * channels)
    return flat.permute(0, 3, 1, 2)


def _to_double(codes: Tensor) -> Tensor:
    """(B, 4 C, H, W) → (B, C, 2 H, 2 W), the reverse of ``_to_half``."""
    batch, channels, height, width = codes.shape
    rows = codes.permute(0, 2, 3, 1).reshape(batch, height, width, 2, channels // 2)
    flat = rows.transpose(2, 3).reshape(batch, 2 * height, 2 * width, channels // 4)
    return flat.permute(0, 3, 1, 2)


def _by_pixels(layer: nn.Conv2d, channels: int) -> nn.Conv2d:
    """Return a layer for inputs in the order of ``_to_half`` instead of pixel-unshuffle's."""
    weight = layer.weight.reshape(-1, channels, 2, 2, *layer.weight.shape[2:])
    return _with(layer, weight.permute(0, 2, 3, 1, 4, 5).flatten(1, 3), layer.bias)


def _opened(layer: nn.Conv2d) -> nn.Conv2d:
    """Return a layer with outputs in the order of ``_to_double`` instead of pixel-shuffle's."""
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
