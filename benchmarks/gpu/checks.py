# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of code that only CUDA runs: graphs, tiles in pinned memory, bf16, scarce memory."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

from benchmarks.speed.extents import HD, Size
from benchmarks.speed.inference import smooth_noise
from engine.images.types import FloatArray
from engine.inference.cuda_graphs import CudaGraphRunner
from engine.inference.frame_pipeline import FramePipeline
from engine.inference.tiled_inference import TiledInference
from engine.jobs.train import train
from engine.networks.base import Painter
from engine.networks.device import Device
from engine.networks.registry import build
from engine.networks.style_file import load_style
from engine.shared import protocol
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

STEPS = 150
"""Training steps before the checks."""
MAX_CODES = 1.0
"""Largest difference of a colour from the CPU's, in 8-bit codes."""
SMALL_TILE, SMALL_GROUP = 128, 1 << 16
LITTLE_MEMORY = 1 << 28
"""Free bytes of GPU memory for the check that a frame is cut into smaller tiles."""


@dataclasses.dataclass(frozen=True)
class Check:
    """The result of a check: whether it passed, and the measured values in words."""

    name: str
    passed: bool
    seen: str

    def as_data(self) -> dict[str, Any]:
        """Return plain data for JSON."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True)
class Difference:
    """The absolute difference of two pictures, in 8-bit codes."""

    mean: float
    most_of: float
    """The 99.9th percentile."""
    largest: float

    @classmethod
    def of(cls, one: FloatArray, other: FloatArray) -> Difference:
        """Compare two arrays of pictures of equal shape, float, 0..1."""
        codes = np.abs(np.asarray(one, np.float64) - other) * 255
        return cls(float(codes.mean()), float(np.quantile(codes, 0.999)), float(codes.max()))

    def __str__(self) -> str:
        """``mean 0.01, 99.9 % within 0.30, largest 0.90 codes``."""
        return (
            f"mean {self.mean:.3f}, 99.9 % within {self.most_of:.2f}, "
            f"largest {self.largest:.2f} codes"
        )


def run_checks(shot: Shot, gpu: Device) -> Iterator[Check]:
    """Run all checks, one after the other.

    Args:
        shot: with a painted keyframe; a style is trained in it.
        gpu: a CUDA device.
    """
    yield from graphs_replay_what_networks_paint(gpu)
    train(protocol.Train(job=0, shot=str(shot.folder), steps=STEPS, device=gpu.unit.type), Silent())
    yield from pictures_are_those_of_the_cpu(shot, gpu)
    yield from tiles_make_the_whole_frame(shot, gpu)


def graphs_replay_what_networks_paint(gpu: Device) -> Iterator[Check]:
    """Check that the recorded graph of each network paints the same as the network."""
    for name, channels in (("fast", 27), ("small", 27), ("paper", 3)):
        network = gpu.place(_network(name, channels)).eval()
        replay = CudaGraphRunner(network, gpu)
        x = _on(gpu, smooth_noise(channels, HD))
        with torch.inference_mode():
            with gpu.autocast():
                right: Tensor = network(x)
            found = [replay(x) for _ in range(4)]
        apart = max(float((one.float() - right.float()).abs().max()) for one in found) * 127.5
        yield Check(
            f"graph of {name}",
            replay.is_recording and apart <= MAX_CODES,
            f"{'recorded' if replay.is_recording else 'not recorded'}, {apart:.3f} codes apart",
        )


def pictures_are_those_of_the_cpu(shot: Shot, device: Device) -> Iterator[Check]:
    """Check that frames painted on a device, in fp32 and in bf16, equal those of the CPU in fp32.

    Strokes are left out, because their places are chosen by comparing colours: the smallest
    difference of a colour may choose another place.
    """
    frames = [shot.frames[0], shot.frames[-1]]
    right = _painted(shot, frames, Device(torch.device("cpu"), torch.float32))
    for precision in (torch.float32, torch.bfloat16):
        found = _painted(shot, frames, dataclasses.replace(device, precision=precision))
        apart = Difference.of(found, right)
        yield Check(
            f"pictures in {str(precision).removeprefix('torch.')}, without strokes",
            apart.most_of <= MAX_CODES,
            f"beside the CPU in float32: {apart}",
        )


def tiles_make_the_whole_frame(shot: Shot, gpu: Device) -> Iterator[Check]:
    """Check that small tiles in groups, and scarce memory, give the same frame as a large tile."""
    network, *_ = load_style(shot.style_path("style"))
    guides = smooth_noise(network.channels, Size(1280, 720))
    whole = TiledInference(network, gpu).paint(guides)
    tiles = TiledInference(network, gpu, tile=SMALL_TILE, at_once=SMALL_GROUP)
    again = [tiles.paint(guides) for _ in range(3)]
    apart = Difference.of(again[0], whole)
    yield Check("tiles", apart.most_of <= MAX_CODES, f"beside the whole frame: {apart}")
    same = all(np.array_equal(one, again[0]) for one in again)
    yield Check("tiles again", same, "each time the same" if same else "not the same each time")
    with _little_memory(gpu):
        apart = Difference.of(TiledInference(network, gpu).paint(guides), whole)
    yield Check("little memory", apart.most_of <= MAX_CODES, f"beside the whole frame: {apart}")


class _WithoutStrokes(TiledInference):
    takes_strokes = False


def _painted(shot: Shot, frames: list[int], device: Device) -> FloatArray:
    """Paint frames with the trained style in floating point: (N, H, W, 3), black outside alpha."""
    network, header, *_ = load_style(shot.style_path("style"))
    inference = _WithoutStrokes(network, device)
    pipeline = FramePipeline(shot, "style", header, inference, None, Silent())
    height, width = shot.manifest.height, shot.manifest.width
    found = np.zeros((len(frames), height, width, 3), np.float32)
    for picture, (_, painted) in zip(found, pipeline.paint(frames), strict=True):
        inside = painted.window.inside if painted.window else ...
        picture[inside] = painted.pixels[..., :3]
    return found


def _network(name: str, channels: int) -> Painter:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build(name, channels, projection=name != "paper", alpha=False)


def _on(gpu: Device, values: FloatArray) -> Tensor:
    x = torch.from_numpy(values)[None].to(gpu.unit)
    return x.contiguous(memory_format=torch.channels_last)


@contextmanager
def _little_memory(gpu: Device) -> Iterator[None]:
    """Limit the free GPU memory to ``LITTLE_MEMORY`` within the block."""
    torch.cuda.empty_cache()
    total, used = torch.cuda.mem_get_info(gpu.unit)[1], torch.cuda.memory_reserved(gpu.unit)
    torch.cuda.set_per_process_memory_fraction((used + LITTLE_MEMORY) / total)
    try:
        yield
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
