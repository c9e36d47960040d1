# SPDX-License-Identifier: GPL-3.0-or-later
"""The scale benchmark: its model of a farm, its page, and what it counts."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.rows import Row
from benchmarks.scale import chunks, engine_costs, lengths, page
from benchmarks.scale.__main__ import install
from benchmarks.scale.chunks import FrameCost, OtherCost, Workers
from benchmarks.scale.engine_costs import Cost
from benchmarks.scale.extents import SHORT
from benchmarks.scale.model import FarmModel, check
from benchmarks.speed.extents import Size
from engine.images.pictures import write_picture
from engine.shared.errors import PaintoverError
from engine.shared.manifest import FrameRecord, Manifest
from engine.shared.shot import Shot

COST = FrameCost(Size(480, 270), start=2.0, frame=0.5, bytes=10_000_000)
OTHER = OtherCost(Size(480, 270), capture=0.2, start=3.0, step=0.04)


def test_the_model_counts_rounds_training_and_storage():
    model = FarmModel(COST)
    assert model.seconds(1, 40, 10) == 4 * (2 + 10 * 0.5)
    assert model.seconds(4, 40, 10) == model.seconds(9, 40, 10) == 7
    assert FarmModel(COST, cores=2).seconds(2, 40, 10) == 7
    assert FarmModel(COST, training=60).seconds(4, 40, 10) == 67
    assert FarmModel(COST, training=60).seconds(2, 400, 10, shots=4) == 120 + 20 * 7
    slow = FarmModel(COST, shared=1e6)
    assert slow.seconds(1000, 40, 1) == 400
    rows = check(COST, 40, 4, [Workers(2, Cost(15.0, 29.0))])
    assert rows == [["2", "15.0", "14.0", "29.0", "28.0"]]


def test_the_page_has_rows_tables_and_a_plot(tmp_path: Path):
    found = page.Measured([COST], [OTHER], COST, 32, [Workers(2, Cost(9.0, 18.0))])
    rows = [Row("chunk_overhead", 1.5, "s", aim=2.0, remark="how")]
    page.write(
        tmp_path / "scale.md", tmp_path / "scale.png", rows, found, {"cores": "2"}, "command", 2
    )
    text = (tmp_path / "scale.md").read_text(encoding="utf-8")
    assert "`chunk_overhead`" in text
    assert "| 1000 |" in text
    assert "| 480×270 | 0.20 | 3.0 | 0.040 |" in text
    assert "{" not in text
    assert cv2.imread(str(tmp_path / "scale.png")).shape[1] > 500


def test_costs_are_those_of_the_processes():
    cost = engine_costs.cost_of("info", "--help")
    assert 0 < cost.cpu < 60
    both = engine_costs.cost_together([("info", "--help")] * 2, 2)
    assert both.cpu > cost.cpu
    with pytest.raises(PaintoverError, match="holds no shot"):
        engine_costs.cost_of("info", "/nowhere")


def test_differing_pixels_are_counted_one_by_one(tmp_path: Path):
    pixels = np.zeros((4, 5, 3), np.float32)
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    write_picture(tmp_path / "a/0001.png", pixels)
    assert chunks._differing(tmp_path / "a/0001.png", tmp_path / "a/0001.png") == 0
    pixels[1, 2, 0] = pixels[3, 3] = 1 / 255
    write_picture(tmp_path / "b/0001.png", pixels)
    assert chunks._differing(tmp_path / "a/0001.png", tmp_path / "b/0001.png") == 2


def test_captured_frames_are_noted_for_real(tmp_path: Path):
    shot = Shot(tmp_path / "shot", Manifest(8, 8, 1, 1))
    shot.manifest.frames[1] = FrameRecord("0" * 32)
    shot.save()
    assert lengths._seconds_to_note(Shot.open(shot.folder), [2, 3, 4]) > 0
    assert Shot.open(shot.folder).frames == [1, 2, 3, 4]


@pytest.mark.skipif(not os.environ.get("PAINTOVER_LONG"), reason="a minute of small processes")
def test_long_shots_are_measured(tmp_path: Path):
    tiny = dataclasses.replace(SHORT, long=6, imported=(2, 4), stylized=(3, 6), noted=3)
    blender = install(tmp_path / "blender")
    rows = {row.name: row.value for row in lengths.length_rows(tmp_path, tiny, blender)}
    names = {"status_6", "panel_6", "capture_row_6", "import_4_over_2", "stylize_growth_6"}
    assert set(rows) == names
    assert all(isinstance(value, float) for value in rows.values())
