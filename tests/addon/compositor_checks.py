# SPDX-License-Identifier: GPL-3.0-or-later
"""Composes, and compares what Blender renders with the stylized frames."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt
from compositor_kinds import IS_5
from conftest import picture, read_codes, write_png
from test_compositor import render

Part = Callable[[str], Any]


def painted(shot: Any, frame: int) -> npt.NDArray[np.int64]:
    return read_codes(shot.out_path("style", frame))


def compose() -> None:
    assert bpy.ops.paintover.compose() == {"FINISHED"}


def remove() -> None:
    assert bpy.ops.paintover.compose(remove=True) == {"FINISHED"}


def tree_of(scene: Any) -> Any:
    return scene.compositing_node_group if IS_5 else scene.node_tree


def state(part: Part, scene: Any, shot: Any) -> tuple[str, str]:
    found = part("compositor").state(scene, shot, "style")
    return found.step.value, found.why


def assert_shows(scene: Any, shot: Any, path: Path, frame: int = 2) -> None:
    np.testing.assert_array_equal(render(scene, frame, path / "out.png"), painted(shot, frame))


def shot_of(part: Part, scene: Any, frames: list[int], size: tuple[int, int]) -> Any:
    """A shot of these frames, all stylized."""
    manifests = part("engine.shared.manifest")
    manifest = manifests.Manifest(*size, frames[0], frames[-1])
    shot = part("engine.shared.shot").Shot(part("properties").shot_folder(scene), manifest)
    for frame in frames:
        pixels = np.ones((size[1], size[0], 4), np.float32)
        tile = picture(frame, seed=7)[: size[1], : size[0]]
        pixels[: tile.shape[0], : tile.shape[1]] = tile
        write_png(shot.image_path(frame), pixels)
        write_png(shot.out_path("style", frame), pixels)
        manifest.frames[frame] = manifests.FrameRecord(image="")
    shot.save()
    return shot
