# SPDX-License-Identifier: GPL-3.0-or-later
"""Muon, an optimizer for matrices: momentum with orthogonalised updates.

Jordan et al. 2024, "Muon: An optimizer for hidden layers in neural networks". Adam scales each
weight on its own; Muon replaces the update of a whole matrix by the nearest orthogonal matrix, so
that rare directions, such as those of thin lines, are learnt as fast as common ones.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

MOMENTUM = 0.95
ITERATIONS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)
"""Coefficients of the odd polynomial that drives every singular value towards 1."""


class Muon(torch.optim.Optimizer):
    """Updates along the orthogonalised Nesterov momentum.

    Args:
        parameters: convolution kernels (outputs, inputs, h, w), taken as matrices with one row per
            output.
        lr: learning rate; about the largest singular value of an update.
    """

    def __init__(self, parameters: Iterable[nn.Parameter], lr: float) -> None:
        super().__init__(parameters, {"lr": lr})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Take one step; ``closure`` is not called."""
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[nn.Parameter]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    by_shape.setdefault(parameter.shape, []).append(parameter)
            for kernels in by_shape.values():
                self._update(kernels, group["lr"])

    def _update(self, kernels: list[nn.Parameter], rate: float) -> None:
        """Update kernels of one shape, together: so there are fewer, larger products."""
        rows = torch.stack([self._nesterov(kernel).flatten(1) for kernel in kernels])
        aspect = max(1.0, rows.shape[1] / rows.shape[2])
        for kernel, update in zip(kernels, orthogonalised(rows), strict=True):
            kernel.add_(update.view(kernel.shape), alpha=-rate * aspect**0.5)

    def _nesterov(self, kernel: nn.Parameter) -> Tensor:
        """Return the gradient with its momentum, and renew the momentum."""
        assert kernel.grad is not None
        state = self.state[kernel]
        if not state:
            state["momentum"] = torch.zeros_like(kernel)
        momentum: Tensor = state["momentum"].lerp_(kernel.grad, 1 - MOMENTUM)
        return kernel.grad.lerp(momentum, MOMENTUM)


def orthogonalised(matrices: Tensor) -> Tensor:
    """Return about the nearest matrices with all singular values 1; they are 0.7 to 1.2.

    Uses the Newton–Schulz iteration, which needs matrix products only.

    Args:
        matrices: (K, M, N).
    """
    wide = matrices if matrices.shape[1] <= matrices.shape[2] else matrices.mT
    x: Tensor = wide / (torch.linalg.matrix_norm(wide, keepdim=True) + 1e-7)
    first, third, fifth = QUINTIC
    for _ in range(ITERATIONS):
        gram = x @ x.mT
        x = torch.baddbmm(
            x, torch.baddbmm(gram, gram, gram, beta=third, alpha=fifth), x, beta=first
        )
    return x if wide is matrices else x.mT
