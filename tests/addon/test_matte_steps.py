# SPDX-License-Identifier: GPL-3.0-or-later
"""From a matte of Blender's to the composited frame: outside of it nothing is ever painted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from compositor_checks import painted
from conftest import engine_runs, read_codes, write_png
from matte_scenes import Part, choose, hero_behind_a_post, matte_codes
from test_compositor import render


@pytest.mark.skipif(not engine_runs(), reason="the engine's Python lacks the engine's packages")
def test_from_capture_to_compositor(scene: Any, part: Part, tmp_path: Path) -> None:
    hero = hero_behind_a_post(scene)
    scene.cycles.samples = 2
    scene.view_settings.view_transform = "AgX"
    scene.frame_end = 2
    for frame, x in ((1, 0.0), (2, 0.4)):
        hero.location.x = x
        hero.keyframe_insert("location", frame=frame)
    choose(scene, hero)
    main = part("command").main
    assert main(["capture"]) == 0
    shot = part("steps").open_shot(scene)
    frame = read_codes(shot.image_path(1))
    painting = 255 - frame
    painting[..., 3] = 255
    write_png(tmp_path / "painted.png", painting / 255)
    assert main(["keyframe", "add", "1", "--file", str(tmp_path / "painted.png")]) == 0
    assert main(["train", "--seconds", "1"]) == 0
    for unpainted in ("frame", "nothing"):
        assert main(["stylize", "--unpainted", unpainted]) == 0
        bpy.ops.paintover.compose()
        for number in (1, 2):
            inside = matte_codes(shot, number) > 0
            assert 5000 < inside.sum() < inside.size / 2
            out, before = painted(shot, number), read_codes(shot.image_path(number))
            if unpainted == "frame":
                np.testing.assert_array_equal(out[~inside], before[~inside])
            else:
                assert (out[~inside] == 0).all()
            whole = matte_codes(shot, number) == 255
            assert np.abs(out - before)[whole][:, :3].mean() > 20, "nothing is painted"
            composed = render(scene, number, tmp_path / "composed.png")
            np.testing.assert_array_equal(composed, out)
            np.testing.assert_array_equal(out[whole][:, 3], 255)
        whole = matte_codes(shot, 1) == 255
        np.testing.assert_array_equal(painted(shot, 1)[whole], painting[whole])
    steps = part("states").look(scene).steps
    assert {step.step.value for step in steps.values()} == {"up to date"}
    choose(scene)
    assert main(["capture"]) == 0
    assert part("states").look(scene).steps["stylize"].step.value == "out of date"
