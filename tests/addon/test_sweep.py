# SPDX-License-Identifier: GPL-3.0-or-later
"""The search for settings through its operator, with the real engine."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import bpy
import numpy as np
import pytest
from conftest import engine_runs, read_codes, write_png

pytestmark = pytest.mark.skipif(
    not engine_runs(), reason="the engine's Python lacks the engine's packages"
)


@pytest.fixture
def painted(scene: Any, part: Callable[[str], Any]) -> Any:
    """The scene's three frames, captured; frame 1 is painted in other colors."""
    assert bpy.ops.paintover.capture() == {"FINISHED"}
    shot = part("steps").open_shot(scene)
    bpy.ops.paintover.keyframe_add(frame=1)
    codes = read_codes(shot.image_path(1)).astype(np.float32)
    codes[..., :3] = 255 - codes[..., [2, 0, 1]]
    write_png(shot.key_path(1), codes / 255)
    return shot


def test_one_click_finds_settings_and_goes_on(
    scene: Any, painted: Any, part: Callable[[str], Any], monkeypatch: Any
) -> None:
    told: list[Any] = []
    show = part("jobs")._show
    monkeypatch.setattr(part("jobs"), "_show", lambda p: (told.append(p), show(p))[1])
    assert part("operators.sweep").PAINTOVER_OT_sweep.bl_label == "Find Settings"
    assert bpy.ops.paintover.sweep.get_rna_type().properties["minutes"].default == 2.0
    assert bpy.ops.paintover.sweep(minutes=0.1) == {"FINISHED"}
    assert scene.paintover.style == "sweep"
    assert painted.style_path("sweep").is_file()
    data = json.loads((painted.sweep_folder("sweep") / "results.json").read_text())
    assert data["trials"]
    assert any(progress.seconds_left > 0 for progress in told)
    fractions = [progress.fraction for progress in told]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1
    assert part("states").look(scene).steps["train"].step.value == "up to date"


def test_a_cancelled_search_keeps_its_trials_and_the_scenes_style(
    scene: Any, painted: Any, part: Callable[[str], Any]
) -> None:
    jobs, steps = part("jobs"), part("steps")
    job = steps.sweep(scene, print, minutes=2.0)
    with pytest.raises(part("engine.shared.errors").Cancelled):
        jobs.run_to_end("Find Settings", _cancelling(job, jobs))
    assert scene.paintover.style != "sweep"
    assert not painted.style_path("sweep").exists()
    assert (painted.sweep_folder("sweep") / "journal.log").stat().st_size
    assert not jobs.busy()


def _cancelling(job: Any, jobs: Any) -> Any:
    """Run a job, and ask to cancel it in its first trial, as the button does."""
    try:
        for progress in job:
            if progress.text.startswith("Trial"):
                jobs.request_cancel()
            yield progress
    finally:
        job.close()
