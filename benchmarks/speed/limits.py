# SPDX-License-Identifier: GPL-3.0-or-later
"""The measured limits of the machine: operations and bytes per second."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch

from benchmarks.turns import seconds_of
from engine.inference.int8.network import supports_int8
from engine.networks.device import Device

MATRIX = 2048
COPIED_BYTES = 1 << 28
RUNS = 5
FORMATS = {torch.float32: "fp32", torch.bfloat16: "bf16", torch.int8: "int8"}
BYTES = {"fp32": 4, "bf16": 2, "int8": 1}
"""Bytes per number."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """Measured limits of a device.

    Attributes:
        flops: format → operations per second of a matrix product; only formats that it supports.
        bytes: bytes per second that a copy reads and writes.
    """

    flops: dict[str, float]
    bytes: float

    def describe(self) -> str:
        """Return the limits as a sentence."""
        products = ", ".join(f"{rate / 1e9:.0f} G/s in {name}" for name, rate in self.flops.items())
        return (
            f"Limits measured here: operations of a {MATRIX}×{MATRIX} matrix product {products}; "
            f"a copy reads and writes {self.bytes / 1e9:.1f} GB/s."
        )


def measure_limits(device: Device) -> Limits:
    """Measure the limits of a device; takes a few seconds."""
    flops = {}
    for kind, name in FORMATS.items():
        seconds = _product_seconds(device, kind)
        if seconds is not None:
            flops[name] = 2 * MATRIX**3 / seconds
    source = torch.ones(COPIED_BYTES // 4, device=device.unit)
    target = torch.empty_like(source)
    seconds = _shortest(device, lambda: target.copy_(source))
    return Limits(flops, 2 * COPIED_BYTES / seconds)


def _product_seconds(device: Device, kind: torch.dtype) -> float | None:
    """Return the seconds of a product; None if the device has no fast one in this format."""
    on_cpu = device.unit.type == "cpu"
    if on_cpu and kind is torch.bfloat16 and device.precision is not kind:
        return None
    if on_cpu and kind is torch.int8:
        return _shortest(device, _integer_product()) if supports_int8(device) else None
    one = torch.ones(MATRIX, MATRIX, device=device.unit).to(kind)
    try:
        if kind is torch.int8:
            return _shortest(device, lambda: torch._int_mm(one, one))
        return _shortest(device, lambda: one @ one)
    except RuntimeError:
        return None


def _integer_product() -> Callable[[], object]:
    """Return a uint8 × int8 product, as in the layers of our network on the CPU."""
    codes = torch.ones(MATRIX, MATRIX, dtype=torch.uint8)
    weight = torch.ones(MATRIX, MATRIX, dtype=torch.int8)
    packed = torch.ops.onednn.qlinear_prepack(weight, None)
    steps, zeros = torch.ones(MATRIX), torch.zeros(MATRIX, dtype=torch.int64)
    source = (codes, 1.0, 0, packed, steps, zeros, None)
    target: tuple[Any, ...] = (1.0, 0, torch.float32, "none", [], "")
    return lambda: torch.ops.onednn.qlinear_pointwise(*source, *target)


def _shortest(device: Device, step: Callable[[], object]) -> float:
    def whole() -> None:
        step()
        if device.unit.type == "cuda":
            torch.cuda.synchronize()

    whole()
    return min(seconds_of(whole) for _ in range(RUNS))
