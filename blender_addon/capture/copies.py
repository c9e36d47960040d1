# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the camera and the world of a scene are copies of those that were captured.

**Full Copy** of a scene and appending one copy them, under names such as ``Camera.001``.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from .. import shot_folders


def place_of(scene: Any) -> list[str]:
    """Return the file name of the scene's .blend, and its own name."""
    return [Path(shot_folders.blend_of(scene)).name, scene.name]


def are_copies(earlier: Any, now: Any, scene: Any, captured: list[str | None]) -> bool:
    """Return whether names that differ only in a number like ``.001`` name copies.

    A camera is one if it is the only one of these names in the scene. A world or a material is one
    if the scene is another than the captured one.

    Args:
        earlier: ``names`` of ``settings.settings_now`` at the capture.
        now: those of now.
        scene: the scene.
        captured: ``place_of`` the captured scene.
    """
    if not isinstance(earlier, list) or len(earlier) != len(now):
        return False
    old_cameras, new_cameras = _cameras(earlier[0]), _cameras(now[0])
    if old_cameras.keys() != new_cameras.keys():
        return False
    is_another = captured != place_of(scene)
    pairs = [(name, new_cameras[frame]) for frame, name in old_cameras.items()]
    bases = [_base(thing.name) for thing in scene.objects if thing.type == "CAMERA"]
    return all(
        old == new or (_base(old) == _base(new) and bases.count(_base(new)) == 1)
        for old, new in pairs
    ) and all(
        old == new or (_base(old) == _base(new) and is_another)
        for old, new in zip(earlier[1:], now[1:], strict=True)
    )


def _cameras(names: Any) -> dict[int | None, str]:
    """Return the names of the cameras by the frame of their marker, None for the scene's."""
    return {None: names} if isinstance(names, str) else dict(names)


def _base(name: str) -> str:
    return re.sub(r"\.\d+$", "", name)
