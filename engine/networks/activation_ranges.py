# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trained network sees and puts out: kept in its style, so that it can paint in integers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .device import Device
from .gated_unet import LEAK, GatedPainter

GUIDE_ZERO_POINT = 128
"""The code of 0 in guides."""
GUIDE_SCALE = 2 / 255
"""What a code of the guides is worth: that of an 8-bit picture in −1..1."""
PREFIX = "seen."
"""What names of the tensors in a style begin with."""


class Range(NamedTuple):
    """What a layer puts out at most below 0, as a positive number, and above 0.

    Of each channel, (C), or of all.
    """

    below: Tensor
    above: Tensor

    def wider(self, other: Range) -> Range:
        """Return the range that holds both."""
        return Range(torch.maximum(self.below, other.below), torch.maximum(self.above, other.above))


class ActivationRanges(NamedTuple):
    """What was seen of a network at work, by the names of its modules; all on the CPU."""

    ranges: dict[str, Range]
    """What each puts out, after a leaky ReLU where one follows."""
    means: dict[str, Tensor]
    """The mean of each channel that a convolution reads, (C)."""
    shifts: Tensor
    """By how much of a code, 0 or a half, each guide's codes fit it better, (C).

    A half fits pictures of 8 bits, whose codes lie evenly around −1..1; 0 fits what is often 0.
    """

    def tensors(self) -> dict[str, Tensor]:
        """Return all as named tensors (see ``from_tensors``)."""
        found = {f"{PREFIX}below.{name}": span.below for name, span in self.ranges.items()}
        found.update({f"{PREFIX}above.{name}": span.above for name, span in self.ranges.items()})
        found.update({f"{PREFIX}mean.{name}": mean for name, mean in self.means.items()})
        return {**found, f"{PREFIX}shifts": self.shifts}

    @classmethod
    def from_tensors(cls, tensors: Mapping[str, Tensor]) -> ActivationRanges | None:
        """Take what ``tensors`` named; None where it is not there."""

        def named(kind: str) -> dict[str, Tensor]:
            start = f"{PREFIX}{kind}."
            return {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}

        below, above, means = named("below"), named("above"), named("mean")
        shifts = tensors.get(f"{PREFIX}shifts")
        if shifts is None or not below or set(below) != set(above):
            return None
        return cls({name: Range(below[name], above[name]) for name in below}, means, shifts)

    def fits(self, network: GatedPainter) -> bool:
        """Tell whether this can have been seen of a network."""
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
    """Let a network paint, and note what it sees and puts out.

    Args:
        network: on the device.
        device: where it computes.
        inputs: (1, C, H, W), −1..1, that show what it usually sees, at least one.
    """
    ranges: dict[str, Range] = {}
    means: dict[str, list[Tensor]] = {}
    errors: list[Tensor] = []

    def watch(name: str, module: nn.Module, read: Tensor, output: Tensor) -> None:
        slope = LEAK if name in ("stem", "down") else 1.0
        rows = output.permute(0, 2, 3, 1).flatten(0, 1)
        # Over rows, then over columns: with few channels 20 times as fast as at once.
        low, high = rows.amin(0).amin(0).float().cpu(), rows.amax(0).amax(0).float().cpu()
        now = Range((-slope * low).clamp_min(0), high.clamp_min(0))
        ranges[name] = now.wider(ranges[name]) if name in ranges else now
        if isinstance(module, nn.Conv2d):
            means.setdefault(name, []).append(read.mean((0, 2, 3)).float().cpu())

    handles = [
        module.register_forward_hook(lambda m, i, o, name=name: watch(name, m, i[0], o))
        for name, module in network.named_modules()
        if name
    ]
    try:
        for x in inputs:
            errors.append(_misfits(x).cpu())
            with device.autocast():
                network(x.to(device.unit, memory_format=torch.channels_last))
    finally:
        for handle in handles:
            handle.remove()
    whole, half = torch.stack(errors).sum(0)
    averages = {name: torch.stack(each).mean(0) for name, each in means.items()}
    return ActivationRanges(ranges, averages, 0.5 * (half < whole).float())


def _misfits(x: Tensor) -> Tensor:
    """Return how badly codes fit the guides (1, C, H, W), without a shift and with a half: (2, C).

    Every other row tells.
    """
    found = []
    for shift in (0.0, 0.5):
        codes = x[:, :, ::2] / GUIDE_SCALE + (GUIDE_ZERO_POINT - shift)
        found.append((codes.round().clamp(0, 255) - codes).square().mean((0, 2, 3)))
    return torch.stack(found)
