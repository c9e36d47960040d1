# SPDX-License-Identifier: GPL-3.0-or-later
"""Activation ranges of a trained network, kept in its style so that int8 needs no calibration."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .device import Device
from .gated_unet import LEAK, GatedPainter

GUIDE_ZERO_POINT = 128
"""Code of 0 in quantized guides."""
GUIDE_SCALE = 2 / 255
"""Difference of two neighbouring codes of quantized guides: that of an 8-bit picture in −1..1."""
PREFIX = "seen."
"""Prefix of these tensors' names in style files."""


class Range(NamedTuple):
    """Activation range: largest magnitudes below and above zero, (C) or of all channels."""

    below: Tensor
    above: Tensor

    def wider(self, other: Range) -> Range:
        """Return the smallest range that contains both."""
        return Range(torch.maximum(self.below, other.below), torch.maximum(self.above, other.above))


class ActivationRanges(NamedTuple):
    """Statistics of a network's activations, by the names of its modules; all on the CPU."""

    ranges: dict[str, Range]
    """Range of each module's output, after the leaky ReLU where one follows."""
    means: dict[str, Tensor]
    """(C), mean of each input channel of a convolution."""
    shifts: Tensor
    """(C), offset of each guide's codes, 0 or 0.5 of a code, whichever rounds its values less.

    0.5 suits 8-bit pictures, which have no code for 0 in −1..1; 0 suits guides that are often 0.
    """

    def following(self, before: ActivationRanges, fade: float) -> ActivationRanges:
        """Return these, measured on a part, together with those of the same network before.

        Args:
            before: measured earlier, on all or on other parts, with the same guides.
            fade: share of the earlier ranges that still counts, 0..1.
        """
        ranges = {
            name: span.wider(Range(*(fade * end for end in before.ranges[name])))
            for name, span in self.ranges.items()
        }
        means = {name: (mean + before.means[name]) / 2 for name, mean in self.means.items()}
        return ActivationRanges(ranges, means, before.shifts)

    def tensors(self) -> dict[str, Tensor]:
        """Return named tensors for a style file."""
        found = {f"{PREFIX}below.{name}": span.below for name, span in self.ranges.items()}
        found.update({f"{PREFIX}above.{name}": span.above for name, span in self.ranges.items()})
        found.update({f"{PREFIX}mean.{name}": mean for name, mean in self.means.items()})
        return {**found, f"{PREFIX}shifts": self.shifts}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> ActivationRanges | None:
        """Build from a style file's tensors; None where it has no activation ranges."""

        def named(kind: str) -> dict[str, Tensor]:
            start = f"{PREFIX}{kind}."
            return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}

        below, above, means = named("below"), named("above"), named("mean")
        shifts = tensors.get(f"{PREFIX}shifts")
        if shifts is None or not below or set(below) != set(above):
            return None
        return cls({name: Range(below[name], above[name]) for name in below}, means, shifts)

    def fits(self, network: GatedPainter) -> bool:
        """Return whether modules and channel counts match those of a network."""
        modules = dict(network.named_modules())
        del modules[""]
        reads = {k: m.in_channels for k, m in modules.items() if isinstance(m, nn.Conv2d)}
        makes = {k: m.out_channels for k, m in modules.items() if isinstance(m, nn.Conv2d)}
        ends = [len(end) for name in makes for end in self.ranges.get(name, ())]
        return (
            set(self.ranges) == set(modules)
            and {name: len(mean) for name, mean in self.means.items()} == reads
            and ends == [count for count in makes.values() for _ in range(2)]
            and len(self.shifts) == network.channels
        )


@torch.inference_mode()
def calibrate(network: GatedPainter, device: Device, inputs: Iterable[Tensor]) -> ActivationRanges:
    """Measure a network's activation ranges.

    Args:
        network: the network, already on the device.
        device: the device.
        inputs: typical network inputs, (1, C, H, W) float32, −1..1; at least one.
    """
    ranges: dict[str, Range] = {}
    means: dict[str, list[Tensor]] = {}
    errors: list[Tensor] = []

    def record(name: str, module: nn.Module, read: Tensor, output: Tensor) -> None:
        slope = LEAK if name in ("stem", "down") else 1.0
        rows = output.permute(0, 2, 3, 1).flatten(0, 1)
        # Rows first, then columns: with few channels 20 times as fast as both at once.
        low, high = rows.amin(0).amin(0).float().cpu(), rows.amax(0).amax(0).float().cpu()
        now = Range((-slope * low).clamp_min(0), high.clamp_min(0))
        ranges[name] = now.wider(ranges[name]) if name in ranges else now
        if isinstance(module, nn.Conv2d):
            means.setdefault(name, []).append(read.mean((0, 2, 3)).float().cpu())

    handles = [
        module.register_forward_hook(lambda m, i, o, name=name: record(name, m, i[0], o))
        for name, module in network.named_modules()
        if name
    ]
    try:
        for x in inputs:
            errors.append(_rounding_errors(x).cpu())
            with device.autocast():
                network(x.to(device.unit, memory_format=torch.channels_last))
    finally:
        for handle in handles:
            handle.remove()
    whole, half = torch.stack(errors).sum(0)
    averages = {name: torch.stack(each).mean(0) for name, each in means.items()}
    return ActivationRanges(ranges, averages, 0.5 * (half < whole).float())


def _rounding_errors(x: Tensor) -> Tensor:
    """Return mean square rounding errors (2, C) of guides (1, C, H, W), with shifts 0 and 0.5.

    Every other row is sampled.
    """
    found = []
    for shift in (0.0, 0.5):
        codes = x[:, :, ::2] / GUIDE_SCALE + (GUIDE_ZERO_POINT - shift)
        found.append((codes.round().clamp(0, 255) - codes).square().mean((0, 2, 3)))
    return torch.stack(found)
