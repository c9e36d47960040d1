# SPDX-License-Identifier: GPL-3.0-or-later
"""Recorded networks: when they are recorded, and what happens where that does not work."""

from __future__ import annotations

import pytest
import torch

from engine.inference.cuda_graphs import MAX_SHAPES, CudaGraphRunner
from engine.networks.device import Device

CPU = Device(torch.device("cpu"), torch.float32)


class Layer(torch.nn.Conv2d):
    """A layer that counts how often it runs."""

    def __init__(self) -> None:
        super().__init__(3, 3, 3, padding=1)
        self.runs = 0

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.runs += 1
        return super().forward(x)


class Recorder:
    """Records by taking the weights; ``wrong`` is added to what it replays."""

    def __init__(self, layer: Layer, wrong: float = 0.0, error: Exception | None = None) -> None:
        self.layer, self.wrong, self.error = layer, wrong, error
        self.shapes: list[tuple[int, ...]] = []

    def __call__(self, run, inputs):
        self.shapes.append(tuple(inputs[0].shape))
        if self.error:
            raise self.error
        weight, bias = self.layer.weight, self.layer.bias

        def replay(x):
            return torch.nn.functional.conv2d(x, weight, bias, padding=1) + self.wrong

        return replay


def pictures(size: int, count: int = 1) -> torch.Tensor:
    return torch.rand(count, 3, size, size)


@torch.inference_mode()
def test_a_shape_is_recorded_when_it_comes_again_and_only_a_few_are_kept():
    layer = Layer()
    recorder = Recorder(layer)
    replay = CudaGraphRunner(layer, CPU, recorder)
    for size in (8, 8, 8, 12):
        x = pictures(size)
        assert torch.allclose(replay(x), torch.nn.Conv2d.forward(layer, x), atol=1e-6)
    assert recorder.shapes == [(1, 3, 8, 8)]
    before = layer.runs
    replay(pictures(8))
    assert layer.runs == before, "it is replayed"
    for size in range(12, 12 + MAX_SHAPES):
        replay(pictures(size))
        replay(pictures(size))
    assert len(recorder.shapes) == 1 + MAX_SHAPES
    before = layer.runs
    replay(pictures(12))
    assert layer.runs == before
    replay(pictures(8))
    assert layer.runs == before + 1, "the oldest recording is gone"
    replay.clear()
    replay(pictures(12))
    assert layer.runs == before + 2


@torch.inference_mode()
@pytest.mark.parametrize(
    ("wrong", "error"), [(0.1, None), (float("nan"), None), (0.0, RuntimeError("capture failed"))]
)
def test_where_recording_fails_or_differs_the_network_runs_as_it_is(wrong, error):
    layer = Layer()
    recorder = Recorder(layer, wrong, error)
    replay = CudaGraphRunner(layer, CPU, recorder)
    for _ in range(4):
        x = pictures(8)
        assert torch.equal(replay(x), torch.nn.Conv2d.forward(layer, x))
    assert len(recorder.shapes) == 1


@torch.inference_mode()
def test_a_cuda_graph_gives_what_the_network_gives():
    if not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA GPU")
    layer = Layer().cuda()
    replay = CudaGraphRunner(layer, Device(torch.device("cuda"), torch.float32))
    for _ in range(4):
        x = pictures(64).cuda()
        assert torch.allclose(replay(x), torch.nn.Conv2d.forward(layer, x), atol=1e-3)
    before = layer.runs
    replay(pictures(64).cuda())
    assert layer.runs == before
