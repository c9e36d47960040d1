# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks alone, without files and guides: frames per second."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import cv2
import numpy as np
import torch

from benchmarks.rows import Row
from benchmarks.turns import medians_in_turns
from engine.images.types import BoolArray, FloatArray
from engine.inference.int8.network import supports_int8
from engine.inference.tiled_inference import LARGEST_TILE, TiledInference
from engine.inference.tiling import padded_range, tiles
from engine.networks.activation_ranges import calibrate
from engine.networks.base import GRID, Painter
from engine.networks.device import Device
from engine.networks.gated_unet import GatedPainter
from engine.networks.registry import build

from .arithmetic import Work, count_work
from .extents import HD, SQUARE, UHD, WIDE, Size
from .limits import BYTES, FORMATS, Limits

ACTIVE = 0.1
"""Share of the frame that the mask covers in the masked row."""
PAPER_CHANNELS = 3
"""Input channels of the published network: the picture alone."""
LEAST_RATIO = 40.0
COARSE = 16
AIMS = {(WIDE, False): 15.0, (SQUARE, True): 34.0}
GPU_NAMES = {HD: "gpu_1080p_full", UHD: "gpu_4k_full"}


@dataclasses.dataclass(frozen=True)
class Contender:
    """A network on its device, with its work per pixel."""

    network: Painter
    device: Device
    inference: TiledInference
    number_format: str
    work: Work

    @property
    def bytes(self) -> float:
        """Bytes that the layers read and write per pixel."""
        return self.work.values * BYTES[self.number_format]

    def cost(self) -> str:
        """Describe the cost of a pixel."""
        return f"{self.work.flop / 1e6:.2f} MFLOP, {self.bytes:.0f} bytes in {self.number_format}"

    def speed(self, pixels_per_second: float, limits: Limits) -> str:
        """Describe the speed as a share of the limits of the device."""
        rate, moved = self.work.flop * pixels_per_second, self.bytes * pixels_per_second
        limit = limits.flops.get(self.number_format)
        share = f" ({rate / limit:.0%})" if limit else ""
        return (
            f"{rate / 1e9:.0f} GFLOP/s{share} and {moved / 1e9:.1f} GB/s "
            f"({moved / limits.bytes:.0%})"
        )


def inference_rows(
    channels: int, sizes: Sequence[Size], turns: int, device: Device, limits: Limits
) -> tuple[list[Row], str]:
    """Measure full frames of each size, on a GPU large frames too, and 640×640 with a mask.

    Args:
        channels: input channels of our network, including the projection.
        sizes: frame sizes.
        turns: how often each network is measured in turn.
        device: where to compute.
        limits: limits of the device.

    Returns:
        The rows, and a sentence about the cost of a pixel.
    """
    ours = _contender("fast", channels, device)
    paper = _contender("paper", PAPER_CHANNELS, device)
    on_gpu = device.unit.type == "cuda"
    if on_gpu:
        sizes = [*sizes, *(size for size in GPU_NAMES if size not in sizes)]
    rows = []
    for size in sizes:
        rows += _rows_of_size(ours, paper, size, turns, limits, on_gpu)
    return rows, (
        f"What layers compute, read and write for a pixel: ours {ours.cost()}; `paper` "
        f"{paper.cost()}. In brackets: shares of the machine's limits."
    )


def blob(size: Size, share: float) -> BoolArray:
    """Return a mask (H, W), a lobed shape in the middle that covers ``share`` of the frame."""
    y, x = np.mgrid[: size.height, : size.width]
    y, x = y - size.height * 0.48, x - size.width * 0.53
    angle = np.arctan2(y, x)
    radius = np.hypot(x, y) / (1 + 0.25 * np.sin(3 * angle) + 0.1 * np.cos(5 * angle))
    inside: BoolArray = radius <= np.quantile(radius, share)
    return inside


def computed_share(wanted: BoolArray, network: Painter) -> float:
    """Return computed pixels / pixels of the frame; tiles overlap by the receptive field."""
    reach, (height, width) = -(-network.reach // GRID) * GRID, wanted.shape
    pixels = 0
    for tile in tiles(wanted, reach, LARGEST_TILE):
        rows = padded_range(tile.top, tile.bottom, reach, height)
        pixels += rows.size * padded_range(tile.left, tile.right, reach, width).size
    return pixels / wanted.size


def _rows_of_size(
    ours: Contender, paper: Contender, size: Size, turns: int, limits: Limits, on_gpu: bool
) -> list[Row]:
    guides = smooth_noise(ours.network.channels, size)
    picture = smooth_noise(PAPER_CHANNELS, size)
    steps: dict[str, Callable[[], object]] = {
        "full": _whole(ours, guides),
        "paper": _whole(paper, picture),
    }
    mask = blob(size, ACTIVE)
    if size == SQUARE:
        steps["mask10"] = lambda: ours.inference.paint(guides, mask)
    repeated = {name: 5 for name in steps if name != "paper"}
    seconds = medians_in_turns(steps, turns, repeated=repeated)
    pixels = size.width * size.height
    remark = (
        f"{ours.speed(pixels / seconds['full'], limits)} of the limits; "
        f"`paper` {paper.speed(pixels / seconds['paper'], limits)}"
    )
    name = "inference_640" if size == SQUARE else f"inference_{size.width}x{size.height}"
    rows = []
    if "mask10" in steps:
        share = computed_share(mask, ours.network)
        masked = (
            f"{mask.mean():.0%} of the frame active, {share:.0%} of it computed; `paper` computes "
            "all of it, as the published code ignores the mask when it paints"
        )
        rows.append(_row(f"{name}_mask10", seconds, "mask10", masked, AIMS.get((size, True))))
    full = GPU_NAMES.get(size) if on_gpu else None
    rows.append(_row(full or f"{name}_full", seconds, "full", remark, AIMS.get((size, False))))
    return rows


def _whole(contender: Contender, guides: FloatArray) -> Callable[[], object]:
    """Return a function that paints a full frame; on a GPU the guides are uploaded before."""
    if contender.device.unit.type == "cpu":
        return lambda: contender.inference.paint(guides)
    x = torch.from_numpy(guides)[None].to(contender.device.unit)
    x = x.contiguous(memory_format=torch.channels_last)

    def painted() -> None:
        contender.inference.run(x)
        torch.cuda.synchronize()

    return painted


def _row(name: str, seconds: dict[str, float], which: str, remark: str, aim: float | None) -> Row:
    return Row(
        name,
        1 / seconds[which],
        "frames/s",
        paper=1 / seconds["paper"],
        aim=aim,
        ratio_aim=LEAST_RATIO if which == "full" else None,
        remark=remark,
    )


def _contender(name: str, channels: int, device: Device) -> Contender:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build(name, channels, projection=name != "paper", alpha=False)
    inference = TiledInference(network, device)
    if isinstance(network, GatedPainter):
        example = smooth_noise(channels, Size(256, 256))
        activations = calibrate(device.place(network), device, [torch.from_numpy(example)[None]])
        inference.quantize(activations, [example])
    quantized = name != "paper" and supports_int8(device)
    kind = "int8" if quantized else FORMATS[device.precision]
    return Contender(network, device, inference, kind, count_work(network))


def smooth_noise(channels: int, size: Size) -> FloatArray:
    """Return smooth noise as network input, (C, H, W) float32, −1..1."""
    chance = np.random.default_rng(0)
    coarse = (size.height // COARSE + 2, size.width // COARSE + 2)
    planes = [chance.uniform(-1, 1, coarse).astype(np.float32) for _ in range(channels)]
    return np.stack([cv2.resize(plane, (size.width, size.height)) for plane in planes])
