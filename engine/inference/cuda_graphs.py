# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a network; on CUDA, kernels are captured per input shape and launched as one CUDA graph.

Launching a small network's kernels one by one takes longer than computing them ("CUDA Graphs",
NVIDIA CUDA C++ Programming Guide).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..networks.device import Device

Run = Callable[..., Tensor]
Recorder = Callable[[Run, tuple[Tensor, ...]], Run]

MAX_SHAPES = 2
"""Captured shapes that are kept; each holds the memory of its activations."""
MAX_DIFFERENCE = 1 / 127.5
"""Largest difference of a graph's output, −1..1, from the network's: one 8-bit code."""
WARM_UPS = 3


class CudaGraphRunner:
    """Runs a network on its device, as a CUDA graph where that works.

    A shape is captured when it comes for the second time, and the graph's output is compared with
    the network's. If capturing fails or the outputs differ, no shape is captured any more.

    Args:
        network: the network, already on the device.
        device: the device.
        recorder: captures a function with its inputs and returns a function that replays it; None:
            CUDA graphs on CUDA devices, nothing on others.
    """

    def __init__(
        self, network: nn.Module, device: Device, recorder: Recorder | None = None
    ) -> None:
        self._network, self._device = network, device
        on_cuda = device.unit.type == "cuda"
        self._recorder = recorder or (_record_on_cuda if on_cuda else None)
        self._recorded: dict[object, Run] = {}
        self._calls: Counter[object] = Counter()

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return the network's output."""
        if self._recorder is None:
            return self._run(*inputs)
        shape = tuple(tuple(values.shape) for values in inputs)
        self._calls[shape] += 1
        if self._calls[shape] == 2:
            self._record(self._recorder, shape, inputs)
        return self._recorded.get(shape, self._run)(*inputs)

    @property
    def is_recording(self) -> bool:
        """Whether a shape has been captured."""
        return bool(self._recorded)

    def clear(self) -> None:
        """Release all graphs and their memory."""
        self._recorded.clear()
        self._calls.clear()

    def _run(self, *inputs: Tensor) -> Tensor:
        with self._device.autocast():
            result: Tensor = self._network(*inputs)
        return result

    def _record(self, recorder: Recorder, shape: object, inputs: tuple[Tensor, ...]) -> None:
        while len(self._recorded) >= MAX_SHAPES:
            del self._recorded[next(iter(self._recorded))]
        try:
            replay = recorder(self._run, inputs)
            difference = (replay(*inputs) - self._run(*inputs)).abs().max()
        except RuntimeError:
            difference = torch.tensor(torch.inf)
        if float(difference) <= MAX_DIFFERENCE:
            self._recorded[shape] = replay
        else:
            self._recorder = None
            self.clear()


def _record_on_cuda(run: Run, inputs: tuple[Tensor, ...]) -> Run:
    """Capture the kernels that a function launches, after the warm-up that CUDA graphs require."""
    fixed = [values.clone() for values in inputs]
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM_UPS):
            run(*fixed)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        result = run(*fixed)

    def replay(*now: Tensor) -> Tensor:
        for target, source in zip(fixed, now, strict=True):
            target.copy_(source)
        graph.replay()
        return result.clone()

    return replay
