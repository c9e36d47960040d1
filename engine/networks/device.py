# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processor computes, and in which number format."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TypeVar

import torch
from torch import Tensor, nn

from ..shared.errors import PaintoverError

_Network = TypeVar("_Network", bound=nn.Module)

_NAMES = {"cuda": "CUDA GPU", "mps": "Metal GPU", "cpu": "CPU"}


@dataclasses.dataclass(frozen=True)
class Device:
    """A processor and the number format of its convolutions."""

    unit: torch.device
    precision: torch.dtype

    def place(self, network: _Network) -> _Network:
        """Move a network to the device, its weights in the layout that convolutions like best."""
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
        elif kind == "cpu":
            detail = f"{torch.get_num_threads()} threads"
        else:
            detail = "Apple"
        short = {torch.bfloat16: ", bf16", torch.float16: ", fp16"}.get(self.precision, "")
        return f"{_NAMES[kind]} ({detail}{short})"


def choose_device(name: str) -> Device:
    """Choose the device of a request.

    Args:
        name: ``auto`` (CUDA, which ROCm goes by as well, then Metal, then the CPU), ``cuda``,
            ``mps`` or ``cpu``.

    Raises:
        PaintoverError: there is no such device, or this machine hasn't got it.
    """
    present = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if name == "auto":
        name = next((kind for kind, there in present.items() if there), "cpu")
    if name not in _NAMES:
        raise PaintoverError(f'There is no device "{name}"; choose auto, cuda, mps or cpu.')
    if not present.get(name, True):
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
    """Send a tensor of the host to a device, where that can be without waiting for the device."""
    if unit.type == "cuda":
        return values.pin_memory().to(unit, non_blocking=True)
    return values.to(unit)


def pinned_buffer(shape: tuple[int, ...], unit: torch.device) -> Tensor:
    """Return float32 memory of the host, not set, from which it is quick to send to a device."""
    return torch.empty(shape, dtype=torch.float32, pin_memory=unit.type == "cuda")


def to_host(values: Sequence[Tensor]) -> list[Tensor]:
    """Return tensors on the host, waiting for the device once."""
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
    """Tell whether the CPU multiplies 8-bit integers in instructions of their own (VNNI)."""
    return _cpu_has("_is_vnni_supported")


def has_avx2() -> bool:
    """Tell whether the CPU computes 32 integers of 8 bits at once (AVX2), with VNNI or without."""
    return _cpu_has("_is_avx2_supported")


def _cpu_has(question: str) -> bool:
    """Ask PyTorch about the CPU; what it does not know isn't there.

    Nothing is timed, so that a machine that is busy chooses as the same machine does when idle.
    """
    try:
        return bool(getattr(torch.cpu, question)())
    except (AttributeError, RuntimeError):
        return False


def give_back_freed() -> None:
    """Give memory that was freed back to the system, where the C library (glibc) keeps it.

    It keeps arrays below 32 MiB, of which frames of 4K have many.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)
