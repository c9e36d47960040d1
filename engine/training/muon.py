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
            for parameter in group["params"]:
                if parameter.grad is None:
                    continue
                state = self.state[parameter]
                if not state:
                    state["momentum"] = torch.zeros_like(parameter)
                state["momentum"].lerp_(parameter.grad, 1 - MOMENTUM)
                nesterov = parameter.grad.lerp(state["momentum"], MOMENTUM)
                rows = nesterov.flatten(1)
                aspect = max(1.0, rows.shape[0] / rows.shape[1])
                update = orthogonalised(rows).view_as(nesterov)
                parameter.add_(update, alpha=-group["lr"] * aspect**0.5)


def orthogonalised(matrix: Tensor) -> Tensor:
    """Return about the nearest matrix (M, N) with all singular values 1; they are 0.7 to 1.2.

    Uses the Newton–Schulz iteration, which needs matrix products only.

    Args:
        matrix: (M, N).
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    x: Tensor = wide / (wide.norm() + 1e-7)
    first, third, fifth = QUINTIC
    for _ in range(ITERATIONS):
        gram = x @ x.T
        x = first * x + (third * gram + fifth * gram @ gram) @ x
    return x if wide is matrix else x.T
