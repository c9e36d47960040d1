# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices: choosing one, its number format, and moving tensors to and from it."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..shared.errors import PaintoverError

_Network = TypeVar("_Network", bound=nn.Module)

_NAMES = {"cuda": "CUDA GPU", "xpu": "Intel GPU", "mps": "Metal GPU", "cpu": "CPU"}


def _has_xpu() -> bool:
    return hasattr(torch, "xpu") and bool(torch.xpu.is_available())


GPUS: dict[str, Callable[[], bool]] = {
    "cuda": torch.cuda.is_available,
    "xpu": _has_xpu,
    "mps": torch.backends.mps.is_available,
}
"""Kinds of graphics cards, the first that is there is taken, and whether one is."""


@dataclasses.dataclass(frozen=True)
class Device:
    """A device and the number format of its convolutions."""

    unit: torch.device
    precision: torch.dtype

    def place(self, network: _Network) -> _Network:
        """Move a network to the device, with weights in channels_last, the faster layout there."""
        network.to(self.unit)
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]

    def autocast(self) -> AbstractContextManager[None]:
        """Compute convolutions in this device's number format within the ``with`` block."""
        if self.precision is torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.unit.type, dtype=self.precision)

    def describe(self) -> str:
        """Return the device in words: ``CPU (2 threads, bf16)``."""
        kind = self.unit.type
        if kind == "cuda":
            detail = torch.cuda.get_device_name(self.unit)
        elif kind == "xpu":
            detail = torch.xpu.get_device_name(self.unit)
        elif kind == "cpu":
            detail = f"{torch.get_num_threads()} threads"
        else:
            detail = "Apple"
        short = {torch.bfloat16: ", bf16", torch.float16: ", fp16"}.get(self.precision, "")
        return f"{_NAMES[kind]} ({detail}{short})"


def choose_device(name: str) -> Device:
    """Choose the device of a request.

    Args:
        name: ``cuda`` (also for ROCm), ``xpu`` (Intel), ``mps`` (Metal), ``cpu``, or ``auto`` for
            the first of them that the machine has.

    Raises:
        PaintoverError: the name is unknown, or the machine or its PyTorch lacks the device.
    """
    available = {kind: is_there() for kind, is_there in GPUS.items()}
    if name == "auto":
        name = next((kind for kind, is_there in available.items() if is_there), "cpu")
    if name not in _NAMES:
        raise PaintoverError(f'There is no device "{name}"; choose auto, cuda, xpu, mps or cpu.')
    if not available.get(name, True):
        raise PaintoverError(
            f'This machine, or its PyTorch, has no {_NAMES[name]} ("{name}"); '
            "choose the device auto or cpu."
        )
    device = torch.device(name)
    return Device(device, _precision(device))


def describe_device(name: str) -> str:
    """Return the device of a request in words. Raises PaintoverError as ``choose_device``."""
    return choose_device(name).describe()


def sent(values: Tensor, unit: torch.device) -> Tensor:
    """Copy a tensor from the host to a device; on CUDA without waiting for the device."""
    if unit.type == "cuda":
        return values.pin_memory().to(unit, non_blocking=True)
    return values.to(unit)


def pinned_buffer(shape: tuple[int, ...], unit: torch.device) -> Tensor:
    """Return an uninitialized float32 tensor on the host, pinned for fast copies to CUDA."""
    return torch.empty(shape, dtype=torch.float32, pin_memory=unit.type == "cuda")


def to_host(values: Sequence[Tensor]) -> list[Tensor]:
    """Copy tensors to the host, waiting for the device only once."""
    if not values or values[0].device.type != "cuda":
        return [one.cpu() for one in values]
    found = [torch.empty(one.shape, dtype=one.dtype, pin_memory=True) for one in values]
    for target, source in zip(found, values, strict=True):
        target.copy_(source, non_blocking=True)
    torch.cuda.current_stream(values[0].device).synchronize()
    return found


def _precision(device: torch.device) -> torch.dtype:
    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    fast = ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    if device.type == "cpu" and any(map(_cpu_has, fast)):
        return torch.bfloat16
    return torch.float32


def has_vnni() -> bool:
    """Return whether the CPU has instructions for 8-bit dot products (VNNI)."""
    return _cpu_has("_is_vnni_supported")


def has_avx2() -> bool:
    """Return whether the CPU has AVX2: operations on 32 integers of 8 bits at once."""
    return _cpu_has("_is_avx2_supported")


def _cpu_has(question: str) -> bool:
    """Return what PyTorch reports about the CPU, False where it has no such function.

    Features are queried, not timed, so that the choice does not depend on the machine's load.
    """
    try:
        return bool(getattr(torch.cpu, question)())
    except (AttributeError, RuntimeError):
        return False


def give_back_freed() -> None:
    """Return freed memory to the operating system, where the C library is glibc.

    It keeps freed arrays below 32 MiB for itself, and frames of 4K have many of them.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
