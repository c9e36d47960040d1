# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures for all tests of the engine; the small shots themselves are in ``synthetic.py``."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import shots
import synthetic

from engine.shared.shot import Shot


@pytest.fixture
def strange_folder(tmp_path: Path) -> Path:
    """A folder whose path has spaces and letters beyond ASCII."""
    folder = tmp_path / "Über die Brücke 日本 é"
    folder.mkdir()
    return folder


@pytest.fixture
def rendered_shot(strange_folder: Path) -> Shot:
    """Three frames with every pass, EXR in many parts."""
    return synthetic.make_shot(strange_folder / "shot")


@pytest.fixture
def painted_shot(rendered_shot: Shot) -> Shot:
    """The same, with a painting of frame 2."""
    synthetic.paint(rendered_shot, 2)
    return rendered_shot


def _fails(words: list[str]) -> bool:
    return subprocess.run(words, capture_output=True, check=False).returncode != 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a disk of so many bytes; skips where this user may not."""
    folder = tmp_path / "disk"

    def mount(size: int) -> Path:
        folder.mkdir()
        words = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
        if not shutil.which("mount") or _fails(words):
            pytest.skip("this user may not mount a small disk")
        return folder

    yield mount
    if folder.is_mount():
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def full_disk(small_disk: Callable[[int], Path]) -> Path:
    """A disk of 64 KiB; skips where this user may not mount one."""
    return small_disk(64 << 10)


@pytest.fixture(scope="session")
def trained_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shot with a style that was trained by a few steps; not to be changed."""
    folder = tmp_path_factory.mktemp("trained") / "shot"
    shots.make_shot(folder)
    result = shots.run_engine("train", folder, "--steps", 4)
    assert result.returncode == 0, result.stderr
    return folder


@pytest.fixture
def trained(trained_folder: Path, tmp_path: Path) -> Shot:
    """A copy of it, to be changed."""
    shutil.copytree(trained_folder, tmp_path / "trained")
    return Shot.open(tmp_path / "trained")
