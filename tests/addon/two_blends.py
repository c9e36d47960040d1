# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests of shots in several .blends ask of them and do with them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

Part = Callable[[str], Any]


def save(path: Path, **options: Any) -> Any:
    path.parent.mkdir(parents=True, exist_ok=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(path), **options)
    return bpy.context.scene


def load(path: Path) -> Any:
    bpy.ops.wm.open_mainfile(filepath=str(path))
    return bpy.context.scene


def where(part: Part, scene: Any) -> Path:
    return Path(part("properties").shot_folder(scene)).resolve()


def steps(part: Part, scene: Any) -> dict[str, str]:
    found = part("states").look(scene).steps
    return {name: state.step.value for name, state in found.items()}


def owner(part: Part, scene: Any) -> str:
    return str(part("states").look(scene).owner)


def choose(action: str) -> None:
    assert bpy.ops.paintover.shot_choose(action=action) == {"FINISHED"}


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }
