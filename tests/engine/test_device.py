# SPDX-License-Identifier: GPL-3.0-or-later
"""Choosing and describing devices."""

from __future__ import annotations

import re

import pytest
import torch

from engine.networks.device import choose_device, describe_device
from engine.shared.errors import PaintoverError


def test_auto_is_the_best_that_there_is():
    best = choose_device("auto").unit.type
    if torch.cuda.is_available():
        assert best == "cuda"
    elif torch.backends.mps.is_available():
        assert best == "mps"
    else:
        assert best == "cpu"


def test_the_cpu_in_words():
    pattern = rf"CPU \({torch.get_num_threads()} threads?(, bf16)?\)"
    assert re.fullmatch(pattern, describe_device("cpu"))


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_a_device_that_is_not_there(name):
    there = torch.cuda.is_available() if name == "cuda" else torch.backends.mps.is_available()
    if there:
        pytest.skip(f"this machine has {name}")
    with pytest.raises(PaintoverError, match=rf"no .*{name}.*auto or cpu"):
        choose_device(name)


def test_a_device_that_does_not_exist():
    with pytest.raises(PaintoverError, match='"tpu"'):
        choose_device("tpu")


def test_autocast_is_in_the_device_s_number_format():
    device = choose_device("cpu")
    layer = device.place(torch.nn.Conv2d(3, 4, 3))
    with torch.inference_mode(), device.autocast():
        assert layer(torch.zeros(1, 3, 8, 8)).dtype is device.precision
