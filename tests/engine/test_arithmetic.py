# SPDX-License-Identifier: GPL-3.0-or-later
"""A style carries what it paints in, int8 or floating point, so machines never mix both."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest
import torch

from engine.app.cli import main
from engine.inference import tiled_inference
from engine.inference.int8.network import supports_int8
from engine.inference.tiled_inference import TiledInference
from engine.jobs import stylize as stylize_job
from engine.networks.device import Device, choose_device
from engine.networks.style_file import load_style, save_style
from engine.shared import protocol
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.shared.style_header import FLOAT, INT8, read_style_header

ON_CPU = choose_device("cpu")


class Told(Silent):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warned(self, sentence):
        self.warnings.append(sentence)


def changed(shot: Shot, arithmetic: str) -> Shot:
    """Let the style say that it paints in something else."""
    path = shot.style_path("style")
    network, header, ranges, _ = load_style(path)
    save_style(
        path, network.state_dict(), dataclasses.replace(header, arithmetic=arithmetic), ranges
    )
    return shot


def pictures(shot: Shot, report: Silent | None = None, device: str = "cpu") -> list[bytes]:
    # Light of 1 shows the network's own paint alone; carried paint is the same in both.
    request = protocol.Stylize(1, str(shot.folder), device=device, light=1.0)
    stylize_job.stylize(request, report or Silent())
    return [shot.out_path("style", frame).read_bytes() for frame in shot.frames]


def copy(shot: Shot, folder: Path) -> Shot:
    shutil.copytree(shot.folder, folder)
    return Shot.open(folder)


def test_training_notes_what_suits_where_it_runs(trained: Shot) -> None:
    header = read_style_header(trained.style_path("style"))
    assert header.arithmetic == (INT8 if supports_int8(ON_CPU) else FLOAT)


@pytest.mark.skipif(not supports_int8(ON_CPU), reason="int8 is not fast on this processor")
def test_machines_obey_the_style_and_not_their_own_choice(
    trained: Shot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_int8 = pictures(changed(copy(trained, tmp_path / "a"), INT8))
    by_float = pictures(changed(copy(trained, tmp_path / "b"), FLOAT))
    assert by_int8 != by_float
    # A machine that would choose otherwise: int8 seems too far from floating point there.
    monkeypatch.setattr(tiled_inference, "MEAN_CHANGE", -1.0)
    assert pictures(changed(copy(trained, tmp_path / "c"), INT8)) == by_int8
    assert pictures(changed(copy(trained, tmp_path / "d"), "")) == by_float


def test_a_machine_that_cannot_says_so(trained: Shot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tiled_inference, "supports_int8", lambda device: False)
    report = Told()
    assert len(pictures(changed(trained, INT8), report)) == len(trained.frames)
    assert any("paints in int8, which this machine cannot" in each for each in report.warnings)


@pytest.mark.skipif(not supports_int8(ON_CPU), reason="int8 is not fast on this processor")
@pytest.mark.parametrize("words", [("--on-farm",), ("--progress", "openjd")])
def test_on_a_farm_a_machine_that_cannot_refuses(
    trained: Shot, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], words
) -> None:
    assert read_style_header(trained.style_path("style")).arithmetic == INT8
    monkeypatch.setattr(stylize_job, "supports_int8", lambda device: False)
    assert main(["stylize", str(trained.folder), "--frames", "1", *words]) == 1
    told = capfd.readouterr()
    assert "paints in int8, which this machine cannot" in told.err
    assert ("openjd_fail: " in told.out) == ("openjd" in words)
    assert trained.out_frames("style") == []
    monkeypatch.setattr(tiled_inference, "supports_int8", lambda device: False)
    assert main(["stylize", str(trained.folder), "--frames", "1"]) == 0


def test_a_gpu_that_was_not_asked_for_does_not_paint_a_style_of_int8(
    trained: Shot, monkeypatch: pytest.MonkeyPatch
) -> None:
    on_gpu = Device(torch.device("meta"), torch.float32)
    monkeypatch.setattr(
        stylize_job, "choose_device", lambda name: on_gpu if name == "auto" else ON_CPU
    )
    seen = []
    real = TiledInference.__init__

    def noted(self, network, device, *others, **more):
        seen.append(device.unit.type)
        real(self, network, device, *others, **more)

    monkeypatch.setattr(TiledInference, "__init__", noted)
    report = Told()
    pictures(changed(trained, INT8), report, device="auto")
    assert seen == ["cpu"]
    assert any("so the processor paints" in each for each in report.warnings)
