# SPDX-License-Identifier: GPL-3.0-or-later
"""Merges a manifest with what others have written to ``shot.json`` since it was read."""

from __future__ import annotations

from typing import Any

_GONE: Any = object()
_DEPTHS = {"source": 3}
"""Field of the manifest → levels of names below which values are taken whole."""


def merged(base: Any, disk: Any, mine: Any) -> Any:
    """Return a manifest with the changes of both sides; where both changed a value, with ours.

    Frames of two sides are joined only where their size and passes agree. Ours are also taken where
    changes of both do not go together: of guides whose names differ by case alone, and of a range
    that would end before it starts.

    Args:
        base: data of the manifest as it was read.
        disk: data of the manifest as it is on the disk.
        mine: data of the manifest as it is to be written.
    """
    result = {}
    for name in {**mine, **disk}:
        before, there, ours = (side.get(name, _GONE) for side in (base, disk, mine))
        value = _merged(before, there, ours, _DEPTHS.get(name, 2) - 1)
        if value is not _GONE:
            result[name] = value
    alike = all(disk.get(name) == mine.get(name) for name in ("width", "height", "passes"))
    if not alike:
        result["frames"] = mine["frames"]
    elif result["frames"] != mine["frames"] and result["frames"]:
        numbers = [int(frame) for frame in result["frames"]]
        result["frame_start"], result["frame_end"] = min(numbers), max(numbers)
    if result["frame_end"] < result["frame_start"]:
        result["frame_start"], result["frame_end"] = mine["frame_start"], mine["frame_end"]
    guides: dict[str, str] = {}
    for name in result["guides"]:  # ours come first
        guides.setdefault(name.casefold(), name)
    result["guides"] = list(guides.values())
    return result


def _merged(base: Any, disk: Any, mine: Any, depth: int) -> Any:
    if disk in (base, mine):
        return mine
    if mine == base:
        return disk
    old = {} if base is _GONE else base
    if depth and all(isinstance(side, dict) for side in (old, disk, mine)):
        result = {}
        for name in {**mine, **disk}:
            before, there, ours = (side.get(name, _GONE) for side in (old, disk, mine))
            value = _merged(before, there, ours, depth - 1)
            if value is not _GONE:
                result[name] = value
        return result
    if depth and all(isinstance(side, list) for side in (base, disk, mine)):
        kept = [value for value in mine if value in disk or value not in base]
        return kept + [value for value in disk if value not in base and value not in mine]
    return mine
