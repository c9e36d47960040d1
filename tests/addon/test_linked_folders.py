# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of a shot that are links: nothing is written or deleted through them by the add-on."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from captures import plan_of
from conftest import picture, write_png

Part = Callable[[str], Any]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


def test_no_mattes_of_another_shot_are_deleted(shot: Any, part: Part, tmp_path: Path) -> None:
    matte = tmp_path / "other" / "mattes" / "objects-0a1b2c3d" / "0001.png"
    write_png(matte, picture(1))
    (tmp_path / "other" / "shot.json").write_text("{}")
    (shot.folder / "mattes").symlink_to(tmp_path / "other" / "mattes")
    _settle_without_mattes(shot, part)
    assert matte.is_file()
    (shot.folder / "mattes").unlink()
    (tmp_path / "other" / "mattes").rename(shot.folder / "mattes")
    _settle_without_mattes(shot, part)
    assert not list((shot.folder / "mattes").iterdir())


def _settle_without_mattes(shot: Any, part: Part) -> None:
    """Let a shot that had mattes which Blender rendered have none."""
    shot.manifest.matte = "objects-ffffffff"
    plan_of(part, shot).settle(shot)
    assert not shot.manifest.matte


@pytest.fixture
def frames_elsewhere(shot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The frames of the shot are a link to another disk."""
    elsewhere = tmp_path / "another disk"
    (shot.folder / "frames").rename(elsewhere)
    (shot.folder / "frames").symlink_to(elsewhere)
    real = Path.replace

    def replace(path: Path, target: Path) -> Path:
        if path.parent.resolve() != Path(target).parent.resolve():
            raise OSError(errno.EXDEV, os.strerror(errno.EXDEV))
        return real(path, target)

    monkeypatch.setattr(Path, "replace", replace)
    return elsewhere


def test_frames_that_waited_are_taken_in_on_another_disk(
    shot: Any, part: Part, frames_elsewhere: Path
) -> None:
    stage = part("engine.shared.shot").Shot(shot.folder / "capture", shot.manifest)
    write_png(stage.image_path(1), picture(7))
    new = stage.image_path(1).read_bytes()
    stage.passes_path(1).write_bytes(b"passes")
    part("capture.staging").take_in(stage, shot, 1, plan_of(part, shot))
    assert (frames_elsewhere / "0001.png").read_bytes() == new
    assert (frames_elsewhere / "0001.exr").read_bytes() == b"passes"
    assert not list(stage.folder.rglob("*.*"))
    assert not [path for path in frames_elsewhere.iterdir() if path.name.startswith(".")]


def test_a_full_disk_leaves_no_half_frame(
    shot: Any, part: Part, frames_elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = part("engine.shared.shot").Shot(shot.folder / "capture", shot.manifest)
    write_png(stage.image_path(1), picture(7))
    before = {path.name: path.read_bytes() for path in frames_elsewhere.iterdir()}

    def full(source: Path, target: Path) -> None:
        Path(target).write_bytes(source.read_bytes()[:50])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(shutil, "copyfile", full)
        with pytest.raises(part("engine.shared.errors").PaintoverError, match="No space left"):
            part("capture.staging").take_in(stage, shot, 1, plan_of(part, shot))
    assert {path.name: path.read_bytes() for path in frames_elsewhere.iterdir()} == before
    assert stage.image_path(1).is_file()


def test_no_frames_of_another_shot_are_taken_in(shot: Any, part: Part, tmp_path: Path) -> None:
    frame = tmp_path / "other" / "frames" / "0001.png"
    write_png(frame, picture(1))
    (shot.folder / "capture").symlink_to(tmp_path / "other")
    stage = part("engine.shared.shot").Shot(shot.folder / "capture", shot.manifest)
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="is a link"):
        part("capture.staging").take_in(stage, shot, 1, plan_of(part, shot))
    assert frame.is_file()
