# SPDX-License-Identifier: GPL-3.0-or-later
"""Values in 8 bits: rounded, clipped, added and cut as layers need them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch.nn import functional

from engine.inference.int8.requantize import FloatActivations, Quantization

WHOLE = slice(8, 56), slice(0, 80)
PART = slice(16, 48), slice(24, 72)
SIGNED, POSITIVE = Quantization(0.05, 100), Quantization(0.02, 0)


def values(seed: int) -> torch.Tensor:
    """Outputs of five channels, of which some exceed what codes can hold."""
    generator = torch.Generator().manual_seed(seed)
    found = 4 * torch.randn((1, 5, 12, 20), generator=generator)
    return found.to(memory_format=torch.channels_last)


def cut(found: torch.Tensor) -> torch.Tensor:
    return found[:, :, 2:10, 6:18]


def expected(found: torch.Tensor, codes: Quantization) -> torch.Tensor:
    exact = cut(found).double() / codes.scale + codes.zero_point
    return exact.round().clamp(0, 255)


def nearly_equal(codes: torch.Tensor, wanted: torch.Tensor) -> bool:
    """Whether codes are as wanted, but for those that lie between two."""
    apart = (codes.double() - wanted).abs()
    return codes.dtype == torch.uint8 and float(apart.max()) <= 1 and float(apart.mean()) < 0.01


@pytest.mark.parametrize("codes", [SIGNED, POSITIVE])
@pytest.mark.parametrize("leak", [0, 0.2, 1])
def test_a_part_is_activated_and_rounded(codes, leak):
    found = values(1)
    written = FloatActivations(found.clone(), WHOLE, 4).leaky_relu(codes, PART, leak)
    assert written.is_contiguous(memory_format=torch.channels_last)
    assert nearly_equal(written, expected(functional.leaky_relu(found, leak), codes))


@pytest.mark.parametrize("leak", [0, 0.2])
def test_what_is_activated_and_added_to_goes_on(leak):
    found, change = values(2), values(3)
    active = functional.leaky_relu(found, leak)
    features = FloatActivations(found.clone(), WHOLE, 4)
    assert nearly_equal(features.leaky_relu(POSITIVE, PART, leak), expected(active, POSITIVE))
    more = FloatActivations(cut(change).contiguous(memory_format=torch.channels_last), PART, 4)
    assert nearly_equal(features.add(more, SIGNED, PART), expected(active + change, SIGNED))
    twice = expected(active + 2 * change, SIGNED)
    assert nearly_equal(features.add(more, SIGNED, PART), twice)


def test_the_ends_of_what_codes_can_hold():
    found = torch.tensor([-1e9, -2.0, 0, 1.75, 3.0, 1e9]).reshape(1, 6, 1, 1)
    whole = slice(0, 1), slice(0, 1)
    written = FloatActivations(found, whole, 1).leaky_relu(Quantization(0.5, 3), whole)
    assert np.array_equal(written.flatten().numpy(), [0, 0, 3, 6, 9, 255])
