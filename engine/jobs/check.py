# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's check of itself: does it compute on this machine, and does it learn?

It trains 20 steps on a tiny shot of its own, in a temporary folder. With a PyTorch for graphics
cards it first computes a small convolution there, and compares it with the processor's.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

from ..images.pictures import write_picture
from ..images.types import FloatArray
from ..networks.device import GPUS, choose_device
from ..shared.manifest import FrameRecord, Manifest
from ..shared.pictures.digests import digest_picture
from ..shared.protocol import Train
from ..shared.reporter import Silent
from ..shared.shot import Shot
from .train import train

STEPS = 20
_WIDTH, _HEIGHT, _FRAMES = 96, 64, 2
_MOST_OFF = 0.02
"""Largest difference between the convolutions, whose values are about 1; bf16 rounds to 0.004."""


@dataclasses.dataclass(frozen=True)
class Check:
    """What the check found.

    Attributes:
        device: what the engine computes on, in words.
        steps: how many it trained.
        steps_per_second: of them, the first not counted.
        torch: PyTorch's version, such as ``2.13.0+cpu``.
        gpu: what PyTorch was built for: ``cuda``, ``rocm``, ``xpu``, ``mps``; "" for none.
        gpu_fault: why that cannot be used, "" if it can.
        gpu_name: name of the graphics card, "" if there is none.
    """

    device: str
    steps: int
    steps_per_second: float
    torch: str
    gpu: str
    gpu_fault: str
    gpu_name: str


def check(device: str = "auto") -> Check:
    """Check the graphics card, then train on a device.

    Raises:
        PaintoverError: the device is not there, or training failed.
    """
    kind = gpu_of_build()
    fault = gpu_fault(kind) if kind else ""
    if fault and device == "auto":
        device = "cpu"
    with tempfile.TemporaryDirectory(prefix="paintover-check-") as folder:
        _write_shot(Path(folder))
        request = Train(0, shot=folder, steps=1, device=device)
        train(request, Silent())  # compiles and warms up
        began = time.monotonic()
        result = train(dataclasses.replace(request, steps=STEPS, style="timed"), Silent())
        seconds = result["seconds"] or time.monotonic() - began
    name = ""
    if kind in ("cuda", "rocm") and not fault:
        name = torch.cuda.get_device_name(0)
    return Check(
        device=choose_device(device).describe(),
        steps=result["steps"],
        steps_per_second=round(result["steps"] / max(seconds, 1e-3), 1),
        torch=torch.__version__,
        gpu=kind,
        gpu_fault=fault,
        gpu_name=name,
    )


def gpu_of_build() -> str:
    """Return what kind of graphics card PyTorch was built for, "" for none."""
    if getattr(torch.version, "hip", None):
        return "rocm"
    if torch.version.cuda:
        return "cuda"
    if getattr(torch.version, "xpu", None):
        return "xpu"
    return "mps" if torch.backends.mps.is_built() else ""


def gpu_fault(kind: str) -> str:
    """Return why a graphics card cannot be used, "" if it computes a convolution rightly."""
    unit = "cuda" if kind == "rocm" else kind
    if not GPUS[unit]():
        return _why_missing(unit)
    generator = torch.Generator().manual_seed(1)
    pixels = torch.rand((1, 8, 32, 32), generator=generator) - 0.5
    weights = torch.rand((8, 8, 3, 3), generator=generator) - 0.5
    right = torch.nn.functional.conv2d(pixels, weights)
    try:
        found = torch.nn.functional.conv2d(pixels.to(unit), weights.to(unit)).cpu()
    except RuntimeError as error:
        return _first_line(error)
    off = float((found - right).abs().max())
    return "" if off < _MOST_OFF else f"it computes wrong values (off by {off:.2g})"


def _why_missing(unit: str) -> str:
    """Return what PyTorch says where it finds no such device."""
    try:
        torch.zeros(1, device=unit)
    except (RuntimeError, AssertionError) as error:
        return _first_line(error)
    return "PyTorch finds none"


def _first_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".") if lines else type(error).__name__


def _write_shot(folder: Path) -> None:
    """Write a shot of a disc that moves, the first frame of it painted."""
    shot = Shot(folder, Manifest(_WIDTH, _HEIGHT, 1, _FRAMES))
    for frame in range(1, _FRAMES + 1):
        write_picture(shot.image_path(frame), _picture(frame))
        shot.manifest.frames[frame] = FrameRecord(digest_picture(shot.image_path(frame)))
    shot.save()
    painting = _picture(1)
    painting[..., :3] = np.round(painting[..., [2, 0, 1]] * 3) / 3
    key = shot.key_path(1)
    key.parent.mkdir(parents=True, exist_ok=True)
    write_picture(key, painting)


def _picture(frame: int) -> FloatArray:
    y, x = np.mgrid[:_HEIGHT, :_WIDTH].astype(np.float32)
    x, y = x - 34 - 4 * frame, y - _HEIGHT / 2
    inside = np.hypot(x, y) < 24
    shade = np.clip(0.6 - x / 60 - y / 80, 0, 1) * np.where(inside, 1, 0.3)
    stripes = 0.5 + 0.5 * np.sin(x / 3)
    opaque = np.ones_like(shade)
    pixels: FloatArray = np.stack([shade, shade * stripes, 1 - shade, opaque], axis=2)
    return pixels.astype(np.float32)


def sentence(found: Check) -> str:
    """Return the result in one sentence for people."""
    if found.gpu_fault:
        return (
            f"The engine works on the processor at {found.steps_per_second:g} steps a second, but "
            f"the graphics card cannot be used: {found.gpu_fault}."
        )
    return f"The engine works: {found.steps_per_second:g} steps a second on {found.device}."
