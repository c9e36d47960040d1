# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of color spaces and views, in Blender's own OpenColorIO configuration and in a studio's."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest

Part = Callable[[str], Any]


def test_names_of_blenders_own_configuration(scene: Any, part: Part) -> None:
    names = part("colour_names")
    before = [len(bpy.data.scenes), len(bpy.data.images)]
    assert (names.srgb(), names.linear()) == ("sRGB", "Linear Rec.709")
    assert names.of_painting("sRGB", is_linear=True) == "Linear Rec.709"
    assert names.scene_linear() == "Linear Rec.709"
    plain = names.plain_output()
    assert (plain.space, plain.display, plain.view) == ("sRGB", "sRGB", "Standard")
    assert plain.linear_space == "Linear Rec.709"
    assert [len(bpy.data.scenes), len(bpy.data.images)] == before
    for display in ("sRGB", "Display P3", "Rec.1886", "Rec.2020"):
        scene.display_settings.display_device = display
        assert names.space_of_display(display) == display
    assert names.space_of_display("ST2084-P3-D65 - Display") is None


def test_painting_is_shown_in_the_display_of_its_shot(shot: Any, part: Part) -> None:
    keyframes = part("keyframes.images")
    keys = shot.folder / "keys"
    keys.mkdir()
    for frame, display in ((1, "Display P3"), (2, "P3-D65 - Display"), (3, "sRGB")):
        shot.manifest.colour.display = display
        shutil.copy(shot.image_path(frame), shot.key_path(frame))
        space = keyframes.load(shot, frame).colorspace_settings.name
        assert space == (display if frame == 1 else "sRGB")


@pytest.mark.parametrize(
    ("spaces", "srgb", "linear"),
    [
        (["scene_linear", "sRGB", "Linear"], "sRGB", None),
        (["ACEScg", "Utility - sRGB - Texture", "Utility - Linear - sRGB"], 1, 2),
        (["lin_rec709_scene", "srgb_rec709_scene"], 1, 0),
        (["Raw", "ACEScct"], None, None),
    ],
)
def test_names_of_other_configurations(
    part: Part, monkeypatch: pytest.MonkeyPatch, spaces: list[str], srgb: Any, linear: Any
) -> None:
    names = part("colour_names")
    monkeypatch.setattr(names, "_spaces", lambda: spaces)
    shown = names.of_painting("Monitor", is_linear=False)
    assert shown == (spaces[srgb] if isinstance(srgb, int) else srgb)
    for find, wanted in ((names.srgb, srgb), (names.linear, linear)):
        if wanted is None:
            with pytest.raises(part("engine.shared.errors").PaintoverError, match="OpenColorIO"):
                find()
        else:
            assert find() == (wanted if isinstance(wanted, str) else spaces[wanted])


def test_capture_keyframe_and_compositor_in_a_studios_configuration(
    archive: Path, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        "OCIO": "ocio://cg-config-v1.0.0_aces-v1.3_ocio-v2.1",
        "BLENDER_USER_RESOURCES": str(tmp_path / "user"),
    }
    (tmp_path / "user").mkdir()
    program = Path(__file__).with_name("studio_colours.py")
    done = subprocess.run(
        [sys.executable, str(program), str(archive), str(tmp_path)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert "keyframe in sRGB - Texture" in done.stdout
    assert "display sRGB - Display view ACES 1.0 - SDR Video" in done.stdout
