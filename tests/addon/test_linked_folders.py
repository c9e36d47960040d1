# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of a shot that are links: nothing is written or deleted through them by the add-on."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import picture, write_png

Part = Callable[[str], Any]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


def test_no_mattes_of_another_shot_are_deleted(shot: Any, part: Part, tmp_path: Path) -> None:
    matte = tmp_path / "other" / "mattes" / "objects-0a1b2c3d" / "0001.png"
    write_png(matte, picture(1))
    (tmp_path / "other" / "shot.json").write_text("{}")
    (shot.folder / "mattes").symlink_to(tmp_path / "other" / "mattes")
    plan = part("capture.plan").Plan("", set(), "", {})
    _settle_without(plan, shot)
    assert matte.is_file()
    (shot.folder / "mattes").unlink()
    (tmp_path / "other" / "mattes").rename(shot.folder / "mattes")
    _settle_without(plan, shot)
    assert not list((shot.folder / "mattes").iterdir())


def _settle_without(plan: Any, shot: Any) -> None:
    """Let a shot that had mattes which Blender rendered have none."""
    shot.manifest.matte = "objects-ffffffff"
    plan.settle(shot)
    assert not shot.manifest.matte


def test_no_frames_of_another_shot_are_taken_in(shot: Any, part: Part, tmp_path: Path) -> None:
    frame = tmp_path / "other" / "frames" / "0001.png"
    write_png(frame, picture(1))
    (shot.folder / "capture").symlink_to(tmp_path / "other")
    stage = part("engine.shared.shot").Shot(shot.folder / "capture", shot.manifest)
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="is a link"):
        part("capture.staging").take_in(stage, shot, 1, "")
    assert frame.is_file()
