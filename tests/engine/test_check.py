# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's check of itself: it really trains, and tells why a graphics card is of no use."""

from __future__ import annotations

import json

import pytest
import torch
from shots import run_warm

from engine.jobs import check


def test_it_trains_twenty_steps_and_says_how_fast() -> None:
    done = run_warm("check", "--device", "cpu", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["steps"] == check.STEPS == 20
    assert found["steps_per_second"] > 0
    assert found["device"].startswith("CPU (")
    assert found["torch"] == torch.__version__


def test_a_build_for_graphics_cards_without_one_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a graphics card")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    assert check.gpu_of_build() == "cuda"
    fault = check.gpu_fault("cuda")
    assert fault and "\n" not in fault and not fault.endswith(".")
    found = check.Check("CPU (2 threads)", 20, 9.5, "2.13.0+cu130", "cuda", fault, "")
    text = check.sentence(found)
    assert text.startswith("The engine works on the processor at 9.5 steps a second, but")
    assert fault in text


def test_wrong_values_of_a_card_are_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(check.GPUS, "cpu", lambda: True)
    assert check.gpu_fault("cpu") == ""
    right = torch.nn.functional.conv2d
    calls = []

    def spoilt(*arguments: torch.Tensor) -> torch.Tensor:
        calls.append(arguments)
        return right(*arguments) + (0.5 if len(calls) == 2 else 0)

    monkeypatch.setattr(torch.nn.functional, "conv2d", spoilt)
    assert check.gpu_fault("cpu").startswith("it computes wrong values")
