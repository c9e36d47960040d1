# SPDX-License-Identifier: GPL-3.0-or-later
"""The sections of the benchmark by name; each can be run on its own."""

from __future__ import annotations

import dataclasses
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.quality.pairs import FULL as PICTURES
from benchmarks.quality.pairs import Pair
from benchmarks.quality.truth import Truth, make_truth
from benchmarks.rows import DECIBELS, Row
from engine.guides import registry as guides
from engine.networks.device import Device, choose_device
from engine.shared.shot import Shot

from .blender import blender_rows, start_row
from .extents import Extent, FileJob
from .files import capture_shot, files_row
from .inference import inference_rows
from .limits import measure_limits
from .memory import LARGE_FRAMES, growth_row, guided_row, large_row
from .steps import training_row
from .to_quality import quality_row, train_and_score
from .whole_jobs import footage_row, overhead_row

LEARNT = Pair("room", "gouache")


@dataclasses.dataclass
class Bench:
    """One run of the benchmark.

    Attributes:
        extent: the size of the benchmark.
        device: where to compute.
        cache: cache of captured shots, shared with the quality benchmark.
        remarks: sentences about the run, added by the sections.
    """

    extent: Extent
    device: Device
    cache: Path
    remarks: list[str] = dataclasses.field(default_factory=list)

    @property
    def name_of_device(self) -> str:
        """Value of the engine's option ``--device``."""
        return self.device.unit.type

    @property
    def on_gpu(self) -> bool:
        """Whether the rows for GPUs can be measured."""
        return self.name_of_device == "cuda"

    def truth(self) -> Truth:
        """Return the shot to train on; render and paint it if needed."""
        size = self.extent.learnt
        pictures = dataclasses.replace(
            PICTURES, width=size.width, height=size.height, frames=self.extent.learnt_frames
        )
        return make_truth(LEARNT, pictures, self.cache, tell)


def run(extent: Extent, device: str, cache: Path, chosen: Sequence[str]) -> tuple[list[Row], Bench]:
    """Run sections of the benchmark, by default all, and return their rows.

    Raises:
        PaintoverError: there is no such device, or Blender or the engine failed.
    """
    bench = Bench(extent, choose_device(device), cache.resolve())
    rows = []
    for name in chosen or SECTIONS:
        began = time.monotonic()
        tell(f"measuring: {name}")
        with tempfile.TemporaryDirectory(prefix="paintover-speed-") as folder:
            rows += SECTIONS[name](bench, Path(folder))
        tell(f"  {time.monotonic() - began:.0f} s")
    return rows, bench


def tell(text: str) -> None:
    """Print a progress message."""
    print(text, file=sys.stderr, flush=True)


def _inference(bench: Bench, _folder: Path) -> list[Row]:
    extent = bench.extent
    shot = Shot.open(capture_shot("figure", extent.small, bench.cache, tell))
    channels = guides.channels(guides.available(shot))
    limits = measure_limits(bench.device)
    rows, cost = inference_rows(channels, extent.sizes, extent.turns, bench.device, limits)
    bench.remarks += [cost, limits.describe()]
    return rows


def _training(bench: Bench, _folder: Path) -> list[Row]:
    extent, truth = bench.extent, bench.truth()
    steps = training_row(truth.shot, extent.step_turns, bench.device)
    assert steps.paper is not None
    quality = quality_row(
        truth,
        extent.scored,
        extent.budgets,
        bench.name_of_device,
        tell,
        paper_step=None if extent.train_paper else 1 / steps.paper,
    )
    return [steps, quality]


def _files(bench: Bench, folder: Path) -> list[Row]:
    extent, device = bench.extent, bench.name_of_device
    small = capture_shot("figure", extent.small, bench.cache, tell)
    full = capture_shot("room", extent.full, bench.cache, tell)
    return [
        files_row("files_640_mask10", small, folder / "small", extent.small, device, aim=20.0),
        files_row("files_512x288_full", full, folder / "full", extent.full, device),
    ]


def _jobs(bench: Bench, folder: Path) -> list[Row]:
    extent, device = bench.extent, bench.name_of_device
    asked = capture_shot("room", extent.asked, bench.cache, tell)
    return [
        overhead_row(asked, folder / "asked", extent.asked, device),
        footage_row(folder / "footage", extent.footage, device),
    ]


def _memory(bench: Bench, folder: Path) -> list[Row]:
    extent, device = bench.extent, bench.name_of_device
    rows = []
    if extent.large:
        job = FileJob(extent.large, LARGE_FRAMES)
        guided = capture_shot("room", job, bench.cache, tell)
        rows += [
            large_row(extent.large, folder / "large", device),
            guided_row(guided, extent.large, folder / "guided", device),
        ]
    return [*rows, growth_row(extent.many_frames, folder / "small", device)]


def _blender(bench: Bench, folder: Path) -> list[Row]:
    steps = blender_rows(folder, bench.name_of_device) if bench.extent.blender else []
    return [start_row(), *steps]


def _gpu(bench: Bench, folder: Path) -> list[Row]:
    if not bench.on_gpu:
        return []
    return gpu_rows(bench, folder)


def gpu_rows(bench: Bench, folder: Path) -> list[Row]:
    """Measure the additional rows for GPUs; works on any device."""
    extent, device = bench.extent, bench.name_of_device
    large = capture_shot("room", extent.large_gpu, bench.cache, tell)
    files = files_row("gpu_files_1080p", large, folder, extent.large_gpu, device)
    truth, seconds = bench.truth(), extent.gpu_seconds
    ours, paper = (
        train_and_score(truth, extent.scored, network, device, seconds=seconds).quality
        for network in ("fast", "paper")
    )
    remark = f"PSNR after {seconds:g} s of training; ours {ours}, `paper` {paper}"
    return [files, Row("gpu_train_10s", ours.psnr, DECIBELS, paper=paper.psnr, remark=remark)]


SECTIONS: dict[str, Callable[[Bench, Path], list[Row]]] = {
    "inference": _inference,
    "training": _training,
    "files": _files,
    "jobs": _jobs,
    "memory": _memory,
    "blender": _blender,
    "gpu": _gpu,
}
