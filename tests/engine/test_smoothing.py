# SPDX-License-Identifier: GPL-3.0-or-later
"""Means around each pixel equal the convolutions that they stand for."""

import math

import pytest
import torch
from torch.nn import functional

from engine.training.smoothing import box_mean, gaussian_mean


@pytest.mark.parametrize("shape", [(2, 3, 40, 64), (1, 1, 5, 7)])
def test_a_box_mean_is_a_mean_over_a_window(shape):
    values = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(box_mean(values, 9), functional.avg_pool2d(values, 9, 1, 4))


@pytest.mark.parametrize("sigma", [1.0, 3.0])
def test_a_gaussian_mean_is_a_convolution(sigma):
    values = torch.rand(1, 1, 48, 32, generator=torch.Generator().manual_seed(0))
    reach = math.ceil(3 * sigma)
    weights = torch.exp(-(torch.arange(-reach, reach + 1) ** 2) / (2 * sigma**2))
    kernel = torch.outer(weights, weights) / weights.sum() ** 2
    expected = functional.conv2d(values, kernel[None, None], padding=reach)
    torch.testing.assert_close(gaussian_mean(values, sigma), expected)


def test_a_gradient_flows_even_where_a_matrix_was_first_made_without():
    with torch.inference_mode():
        gaussian_mean(torch.ones(1, 1, 13, 13), 2.0)
    values = torch.ones(1, 1, 13, 13, requires_grad=True)
    gaussian_mean(values, 2.0).sum().backward()
    assert values.grad is not None
    assert values.grad[0, 0, 6, 6] == pytest.approx(1, abs=0.01)
