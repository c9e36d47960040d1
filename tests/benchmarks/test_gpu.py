# SPDX-License-Identifier: GPL-3.0-or-later
"""The measurement for a borrowed GPU: its kit, its parts, what a cut or failed part leaves.

All but what asks for CUDA runs here on the CPU, at the size of the kit's real shots.
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.gpu import __main__ as gpu
from benchmarks.gpu import checks, kit, parts, run
from benchmarks.gpu.enlarged import enlarge
from benchmarks.gpu.page import write_page
from benchmarks.speed.extents import HD, FileJob
from engine.frames.frame import read_frame
from engine.jobs.train import train
from engine.networks.device import Device, choose_device
from engine.shared import protocol
from engine.shared.errors import PaintoverError
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

FRAMES = 3
CPU = Device(torch.device("cpu"), torch.float32)


@pytest.fixture(scope="module")
def small_kit(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kit of one pair, at the real size, of few frames."""
    folder = tmp_path_factory.mktemp("gpu")
    extent = dataclasses.replace(kit.EXTENT, frames=FRAMES)
    words = kit.prepare(folder / "kit", folder / "cache", print, kit.PAIRS[:1], extent)
    assert any("OpenImageIO==" in sentence for sentence in words)
    return folder / "kit"


def bench(small_kit: Path, work: Path) -> parts.Bench:
    return parts.Bench(kit.open_kit(small_kit), work, choose_device("cpu"), time.monotonic() + 600)


def test_a_kit_has_all_that_the_engine_reads_and_little_else(
    small_kit: Path, tmp_path: Path
) -> None:
    shot = bench(small_kit, tmp_path).shot(0)
    assert (shot.manifest.width, shot.manifest.height) == (512, 288)
    frame = read_frame(shot, FRAMES)
    for name in ("motion", "normal", "depth", "albedo", "object", "surface"):
        assert getattr(frame, name) is not None, name
    assert np.isfinite(frame.surface).mean() > 0.5
    assert shot.key_frames() == [1]
    assert len(list((small_kit / "room-gouache/truth").iterdir())) == FRAMES


def test_only_a_kit_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("kept")
    with pytest.raises(PaintoverError, match="nor a kit; choose another folder"):
        kit.prepare(tmp_path, tmp_path, print)
    assert (tmp_path / "mine.txt").read_text() == "kept"
    assert gpu.main(["--run", str(tmp_path), "--device", "cpu"]) == 1


def test_a_large_shot_shows_new_surface_in_every_tile(small_kit: Path, tmp_path: Path) -> None:
    small = bench(small_kit, tmp_path).shot(0)
    large = Shot.open(enlarge(small, FileJob(HD, FRAMES + 1), tmp_path / "large"))
    assert large.frames == [1, 2, 3, 4]
    frame, source = read_frame(large, 2), read_frame(small, 2)
    assert frame.image.shape == (1080, 1920, 3)
    assert np.array_equal(frame.image[270:540, 480:960], source.image[:270, :480])
    tiles = frame.surface[:540, :960].reshape(2, 270, 2, 480, 3)
    known = np.isfinite(tiles).all(axis=(0, 2, 4))
    assert known.mean() > 0.5
    across = (tiles[0, :, 1] - tiles[0, :, 0])[known]
    assert np.allclose(np.median(across, axis=0), [16, 0, 0], atol=0.01)
    repeated, first = read_frame(large, 4), read_frame(large, 1)
    assert np.array_equal(repeated.image, first.image)


def test_a_network_is_trained_and_scored_as_far_as_the_time_goes(
    small_kit: Path, tmp_path: Path
) -> None:
    ready = bench(small_kit, tmp_path)
    done = parts._quality(ready, 0, "fast", steps=30)
    assert done["steps"] == 30 and not done["cut"]
    assert done["psnr"] > 10 and 0 < done["ssim"] < 1
    soon = time.monotonic() + parts.SPARE_SECONDS + 6
    cut = parts._quality(dataclasses.replace(ready, ends=soon), 0, "fast", steps=10**6)
    assert cut["cut"] and 0 < cut["steps"] < 10**6
    late = parts._quality(dataclasses.replace(ready, ends=0.0), 0, "fast", steps=30)
    assert late["kind"] == "remark"


def test_pictures_in_half_precision_are_those_of_full_precision(
    small_kit: Path, tmp_path: Path
) -> None:
    shot = bench(small_kit, tmp_path).shot(0)
    train(protocol.Train(job=0, shot=str(shot.folder), steps=60, device="cpu"), Silent())
    full, half = checks.pictures_are_those_of_the_cpu(shot, CPU)
    assert full.passed and "largest 0.00" in full.seen
    assert "bfloat16" in half.name and "largest 0.00" not in half.seen


def test_what_was_found_is_written_however_parts_end(
    small_kit: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "MIN_SECONDS", 0.1)
    file = tmp_path / "gpu.json"
    names = ["a style in 10 s", "a style in 60 s, first pair"]
    (small_kit / "room-gouache/shot/keys/0001.png").rename(tmp_path / "key.png")
    found = run.run(small_kit, file, "cpu", names[:1], 60.0, print)
    assert found["parts"][names[0]]["state"] == "failed"
    assert found["parts"][names[0]]["error"]
    (tmp_path / "key.png").rename(small_kit / "room-gouache/shot/keys/0001.png")
    found = run.run(small_kit, file, "cpu", names[1:], 4.0, print)
    assert found["parts"][names[1]]["state"] == "cut"
    assert json.loads(file.read_text())["parts"][names[1]]["seconds"] < 20


def test_the_page_has_what_was_found_and_the_name_of_the_card(tmp_path: Path) -> None:
    quality = {
        **{"kind": "quality", "pair": "room:gouache", "network": "fast", "asked": "10 s"},
        **{"cut": False, "steps": 900, "seconds": 10.0, "seconds_a_frame": 0.05, "psnr": 27.126},
        **{"ssim": 0.876, "flip": None, "texture": 0.97, "flicker": 1.2, "flicker_truth": 1.1},
    }
    row = {"kind": "speed", "name": "gpu_4k_full", "value": 50.0, "unit": "frames/s", "paper": 2.0}
    check = {"kind": "check", "name": "tiles", "passed": False, "seen": "2 codes"}
    data = {
        "machine": {"device": "CUDA GPU (Some Card 3, bf16)"},
        "parts": {
            "one": {"state": "done", "seconds": 12.0, "results": [quality, row, check]},
            "two": {"state": "failed", "seconds": 1.0, "results": [], "error": ["x", "no memory"]},
        },
    }
    file = tmp_path / "gpu.json"
    file.write_text(json.dumps(data))
    page = write_page(file, tmp_path)
    assert page.name == "benchmarks-gpu-some-card-3.md"
    text = page.read_text("utf-8")
    assert "| room:gouache | `fast` | 10 s, 10 s | 900 | 27.13 | 0.876 | – | 0.97 |" in text
    assert "`gpu_4k_full` | 50.0 frames/s | 2.00 frames/s | 25.0×" in text
    assert "| tiles | ✗ | 2 codes |" in text
    assert "| two | failed: no memory | 1 |" in text
    file.write_text("{}")
    with pytest.raises(PaintoverError, match="was not written by --run"):
        write_page(file, tmp_path)
