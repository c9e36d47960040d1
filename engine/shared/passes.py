# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of render passes and their meanings."""

from __future__ import annotations

import re

SURFACE_AOV = "paintover_surface"
OBJECT_AOV = "paintover_object"
OBJECT_STEP = 2.0**-15
"""Object ids are multiples of this, which 24-bit floats represent exactly."""

NAMES: dict[str, tuple[str, ...]] = {
    "alpha": ("Combined",),
    "motion": ("Vector",),
    "normal": ("Normal",),
    "depth": ("Depth", "Z"),
    "albedo": ("Diffuse Color", "DiffCol", "Denoising Albedo"),
    "object": (OBJECT_AOV, "Object Index", "IndexOB"),
    "surface": (SURFACE_AOV, "rest"),
}
"""Meaning → names of the pass in Blender 4.5 and 5.x, best first."""

COSTS: dict[str, str] = {
    "alpha": "there is no background to leave out, so the whole picture is painted",
    "motion": "motion is estimated from the pictures, which is slower and wrong at edges",
    "normal": "only colour shows the shape, so strokes follow it less well",
    "depth": "the edges between near and far are told less well",
    "albedo": "shadows are harder to tell from dark colours",
    "object": "objects of similar colour get each other's paint, and paint follows the motion",
    "surface": "paint follows the motion instead of the surface, so it drifts with time",
}
"""Meaning → what a shot without that pass loses."""

_COMPONENT = re.compile(r"^(?:(?P<layer>.+)\.)?(?P<name>[^.]+)\.(?P<component>[A-Za-z])$")


def split_channel(channel: str) -> tuple[str, str, str] | None:
    """Split an EXR channel such as ``ViewLayer.Vector.X`` into (view layer, pass, component).

    Returns:
        None for a channel that is not named like this.
    """
    match = _COMPONENT.match(channel)
    if not match:
        return None
    return match["layer"] or "", match["name"], match["component"].upper()


def meanings(passes: list[str]) -> dict[str, str]:
    """Choose the best pass for each meaning.

    Args:
        passes: names of the passes in a file.

    Returns:
        Meaning → name of the pass, for each meaning that has a pass.
    """
    present = set(passes)
    return {
        meaning: next(name for name in names if name in present)
        for meaning, names in NAMES.items()
        if present.intersection(names)
    }
