# SPDX-License-Identifier: GPL-3.0-or-later
"""The speed benchmark: what it counts, what its rows say, and one tiny run of everything."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.rows import Row
from benchmarks.speed import __main__ as speed
from benchmarks.speed import blender, sections, to_quality
from benchmarks.speed.arithmetic import count_work
from benchmarks.speed.extents import SHORT, SQUARE, WIDE, FileJob, Size
from benchmarks.speed.inference import blob, computed_share
from benchmarks.speed.to_quality import Quality
from benchmarks.table import to_markdown
from engine.networks.device import choose_device
from engine.networks.registry import build

TINY_JOB = FileJob(Size(128, 128), 3, 0.5)
TINY = dataclasses.replace(
    SHORT,
    sizes=(WIDE, SQUARE),
    turns=1,
    small=TINY_JOB,
    full=TINY_JOB,
    asked=TINY_JOB,
    footage=TINY_JOB,
    learnt=TINY_JOB.size,
    learnt_frames=TINY_JOB.frames,
    scored=(2,),
    step_turns=1,
    budgets=(1.0, 4.0),
    train_paper=True,
    large=Size(128, 96),
    many_frames=22,
    large_gpu=TINY_JOB,
    gpu_seconds=0.5,
)
NAMES = {
    "inference_512x288_full": "frames/s",
    "inference_640_mask10": "frames/s",
    "inference_640_full": "frames/s",
    "train_steps": "steps/s",
    "train_to_paper250": "s",
    "files_640_mask10": "frames/s",
    "files_512x288_full": "frames/s",
    "train_overhead_60": "s",
    "stylize_footage_960": "s",
    "memory_4k": "MiB",
    "memory_4k_guides": "MiB",
    "memory_growth_1000": "MiB",
    "engine_start": "s",
}
MAY_BE_0 = ("memory_growth_1000", "train_overhead_60")
WITH_YARDSTICK = [name for name, unit in NAMES.items() if "/" in unit or "paper" in name]


def test_the_published_network_costs_what_was_published() -> None:
    paper = build("paper", 3, projection=False, alpha=False)
    assert count_work(paper).flop == pytest.approx(2.055e6, rel=0.01)
    assert paper.training
    ours = build("fast", 27, projection=True, alpha=False)
    assert count_work(ours).flop < count_work(paper).flop / 20


def test_a_blob_covers_its_share_and_tiles_compute_less_than_the_frame() -> None:
    mask = blob(SQUARE, 0.1)
    assert mask.mean() == pytest.approx(0.1, abs=0.001)
    ours = build("fast", 27, projection=True, alpha=False)
    assert 0.1 < computed_share(mask, ours) < 0.5
    assert computed_share(np.ones_like(mask), ours) > 1


def test_ratios_say_how_many_times_better_ours_is() -> None:
    assert Row("a", 60.0, "frames/s", paper=2.0).ratio == 30
    assert Row("a", 2.0, "s", paper=60.0).ratio == 30
    assert Row("a", 30.0, "dB", paper=20.0).ratio == pytest.approx(10)
    assert Row("a", 900.0, "MiB").ratio is None
    assert Row("a", None, "s", paper=60.0, ratio_aim=25).met is False
    assert Row("a", 2.0, "s", paper=60.0, ratio_aim=25).met is True
    assert Row("a", 33.0, "frames/s", aim=34).met is False
    assert Row("a", 33.0, "MiB", aim=34).met is True
    assert Row("a", 33.0, "s").met is None


def test_the_table_says_what_was_not_reached() -> None:
    rows = [
        Row("slow", None, "s", paper=60.0, ratio_aim=25, remark="tried all"),
        Row("quick", 50.0, "frames/s", paper=1.0, aim=34, ratio_aim=40),
    ]
    lines = to_markdown(rows, {"cores": "2"}, ["A remark."]).splitlines()
    assert lines[2] == "| `slow` | not reached | 60.0 s |  | ≥ 25.0× ✗ | tried all |"
    assert lines[3] == (
        "| `quick` | 50.0 frames/s | 1.00 frames/s | 50.0× | ≥ 34.0 frames/s, ≥ 40.0× ✓ |  |"
    )
    assert "A remark." in lines and lines[-1] == "Machine: cores: 2."


def test_a_kept_quality_counts_only_for_the_settings_it_was_measured_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(to_quality, "KEPT", tmp_path / "kept.json")
    to_quality.keep("one", Quality(20.0, 0.5))
    to_quality.keep("two", Quality(21.0, 0.6))
    assert to_quality.kept_quality("one") == Quality(20.0, 0.5)
    assert to_quality.kept_quality("three") is None
    monkeypatch.setattr(to_quality, "STEPS", 300)
    assert to_quality.kept_quality("one") is None
    assert Quality(20.0, 0.6).reaches(Quality(20.0, 0.5))
    assert not Quality(25.0, 0.4).reaches(Quality(20.0, 0.5))


def test_the_short_form_finds_what_was_kept_for_it() -> None:
    name = sections.LEARNT.name.replace(":", "-")
    size = f"{SHORT.learnt.width}x{SHORT.learnt.height}x{SHORT.learnt_frames}"
    scored = ", ".join(map(str, SHORT.scored))
    kept = to_quality.kept_quality(f"{name}-{size}, frames {scored}")
    assert kept is not None and kept.psnr > 10


def test_a_tiny_run_has_every_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(speed, "SHORT", TINY)
    monkeypatch.setattr(to_quality, "KEPT", tmp_path / "kept.json")
    monkeypatch.setattr(to_quality, "STEPS", 1)
    monkeypatch.setattr(blender, "STARTS", 1)
    file = tmp_path / "speed.json"
    words = ["--short", "--device", "cpu", "--cache", str(tmp_path / "cache")]
    assert speed.main([*words, "--json", str(file)]) == 0
    data = json.loads(file.read_text())
    assert data["machine"]["device"].startswith("CPU")
    rows = {row["name"]: row for row in data["rows"]}
    assert {name: row["unit"] for name, row in rows.items()} == NAMES
    for name, row in rows.items():
        assert set(row) == {"name", "value", "unit", "paper", "ratio"}
        assert math.isfinite(row["value"]) and row["value"] >= 0
        assert row["value"] > 0 or name in MAY_BE_0
        if name in WITH_YARDSTICK:
            value, paper = row["value"], row["paper"]
            better = value / paper if "/s" in row["unit"] else paper / value
            assert row["ratio"] == pytest.approx(better) and paper > 0
        else:
            assert row["paper"] is None and row["ratio"] is None
    printed = capsys.readouterr().out
    assert all(f"| `{name}` |" in printed for name in NAMES)
    assert "gpu_4k_full" in printed and "MFLOP" in printed

    bench = sections.Bench(TINY, choose_device("cpu"), tmp_path / "cache")
    made = sections.gpu_rows(bench, tmp_path / "gpu")
    assert [row.name for row in made] == ["gpu_files_1080p", "gpu_train_10s"]
    assert all(row.ratio and row.ratio > 0 for row in made)
