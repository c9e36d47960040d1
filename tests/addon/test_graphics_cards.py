# SPDX-License-Identifier: GPL-3.0-or-later
"""Which build of the engine is advised for which graphics card and driver."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def cards(part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    module = part("engine_setup.graphics_cards")
    _on(module, monkeypatch, "linux-x64")
    return module


def _on(module: Any, monkeypatch: pytest.MonkeyPatch, platform: str) -> None:
    """Let the add-on believe that it runs on this platform."""
    monkeypatch.setattr(module.builds, "this_platform", lambda: platform)


@pytest.mark.parametrize(
    ("told", "backend", "why"),
    [
        ("NVIDIA GeForce RTX 4070, 580.82.07, 8.9", "cu130", "RTX 4070"),
        ("NVIDIA GeForce GTX 1080, 580.82.07, 6.1", "cu126", "GTX 1080"),
        ("NVIDIA GeForce RTX 3060, 535.183.01, 8.6", "cu126", "driver 535"),
        ("NVIDIA GeForce RTX 3060, 470.256.02, 8.6", "cpu", "too old; update it"),
        ("", "cpu", "No graphics card was found"),
    ],
)
def test_nvidia_on_linux(cards: Any, told: str, backend: str, why: str) -> None:
    advice = cards.advise(cards.nvidia_cards(told))
    assert advice.build.name == f"linux-x64-{backend}"
    assert why in advice.why


def test_what_the_kernel_of_linux_tells(cards: Any, tmp_path: Path) -> None:
    assert cards.linux_cards(tmp_path, has_nvidia=False) == []
    for number, (vendor, driver) in enumerate([("0x1002", "amdgpu"), ("0x8086", "xe")]):
        device = tmp_path / f"sys/class/drm/card{number}/device"
        device.mkdir(parents=True)
        (device / "vendor").write_text(f"{vendor}\n")
        (tmp_path / driver).mkdir()
        (device / "driver").symlink_to(tmp_path / driver)
    (intel,) = cards.linux_cards(tmp_path, has_nvidia=False)
    assert cards.advise([intel]).build.backend == "xpu"
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev/kfd").touch()
    found = cards.linux_cards(tmp_path, has_nvidia=False)
    assert cards.advise(found).build.backend == "rocm7.2"
    version = tmp_path / "proc/driver/nvidia/version"
    version.parent.mkdir(parents=True)
    version.write_text("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  Tue Sep 23\n")
    found = cards.linux_cards(tmp_path, has_nvidia=False)
    assert (found[0].vendor, found[0].driver) == ("NVIDIA", "580.95.05")
    assert cards.advise(found).build.backend == "cu130"


def test_what_windows_tells(cards: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _on(cards, monkeypatch, "windows-x64")
    monkeypatch.setattr(sys, "platform", "win32")
    told = "AMD Radeon RX 7800 XT|32.0.21001.9024\r\n"
    advice = cards.advise(cards.windows_cards(told, has_nvidia=False))
    assert advice.build.name == "windows-x64-cpu" and "AMD cards on Windows" in advice.why
    told = "Microsoft Basic Display Adapter|10.0\r\nNVIDIA GeForce RTX 4060|32.0.15.8088\r\n"
    (card,) = cards.windows_cards(told, has_nvidia=False)
    assert card.driver == "580.88"
    assert cards.advise([card]).build.name == "windows-x64-cu130"
    assert cards.windows_cards(told, has_nvidia=True) == []
    (arc,) = cards.windows_cards("Intel(R) Arc(TM) A770 Graphics|32.0", has_nvidia=False)
    assert cards.advise([arc]).build.name == "windows-x64-xpu"


def test_macs_and_machines_without_a_build(cards: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    _on(cards, monkeypatch, "macos-arm64")
    assert cards.advise([]).build.name == "macos-arm64-metal"
    _on(cards, monkeypatch, "macos-x64")
    assert cards.advise([]) is None


def test_what_is_tried_after_a_card_that_fails(cards: Any) -> None:
    builds = cards.builds.all_builds()
    after = [build.backend for build in cards.alternatives(builds["linux-x64-cu130"])]
    assert after == ["cu126", "cpu"]
    after = [build.backend for build in cards.alternatives(builds["linux-x64-rocm7.2"])]
    assert after == ["cpu"]
