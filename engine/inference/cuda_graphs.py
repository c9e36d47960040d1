# SPDX-License-Identifier: GPL-3.0-or-later
"""Running a network; on CUDA its kernels are recorded once for a shape and launched all at once.

Launching a small network's kernels one by one takes longer than computing them. CUDA graphs ("CUDA
Graphs", NVIDIA CUDA C++ Programming Guide) launch what was recorded in one call.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import torch
from torch import Tensor, nn

from ..networks.device import Device

Run = Callable[..., Tensor]
Recorder = Callable[[Run, tuple[Tensor, ...]], Run]

MOST_SHAPES = 2
"""Recordings keep the memory of their activations, so only the last ones are kept."""
MOST_APART = 1 / 127.5
"""By how much a recording may differ from the network, −1..1: a code of 255."""
WARM_UPS = 3


class Replay:
    """A network on its device, run as recorded where that works and else as it is.

    A shape is recorded when it comes the second time. What was recorded is compared with the
    network once; where recording fails or differs, nothing is recorded any more.

    Args:
        network: already on the device, for inference.
        device: the device.
        recorder: makes of a function and its inputs one that replays it; by default that of the
            device, if it has one.
    """

    def __init__(
        self, network: nn.Module, device: Device, recorder: Recorder | None = None
    ) -> None:
        self._network, self._device = network, device
        on_cuda = device.unit.type == "cuda"
        self._recorder = recorder or (_record_on_cuda if on_cuda else None)
        self._recorded: dict[object, Run] = {}
        self._seen: Counter[object] = Counter()

    def __call__(self, *inputs: Tensor) -> Tensor:
        """Return what the network returns."""
        if self._recorder is None:
            return self._run(*inputs)
        shape = tuple(tuple(values.shape) for values in inputs)
        self._seen[shape] += 1
        if self._seen[shape] == 2:
            self._record(self._recorder, shape, inputs)
        return self._recorded.get(shape, self._run)(*inputs)

    @property
    def is_recording(self) -> bool:
        """Whether a shape has been recorded."""
        return bool(self._recorded)

    def forget(self) -> None:
        """Give back the memory of recordings."""
        self._recorded.clear()
        self._seen.clear()

    def _run(self, *inputs: Tensor) -> Tensor:
        with self._device.autocast():
            result: Tensor = self._network(*inputs)
        return result

    def _record(self, recorder: Recorder, shape: object, inputs: tuple[Tensor, ...]) -> None:
        while len(self._recorded) >= MOST_SHAPES:
            del self._recorded[next(iter(self._recorded))]
        try:
            replay = recorder(self._run, inputs)
            apart = (replay(*inputs) - self._run(*inputs)).abs().max()
        except RuntimeError:
            apart = torch.tensor(torch.inf)
        if float(apart) <= MOST_APART:
            self._recorded[shape] = replay
        else:
            self._recorder = None
            self.forget()


def _record_on_cuda(run: Run, inputs: tuple[Tensor, ...]) -> Run:
    """Record the kernels that a function launches, after the warm-up that recording asks for."""
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
