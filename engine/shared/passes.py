# SPDX-License-Identifier: GPL-3.0-or-later
"""What renderers call their passes, and what those passes mean. Standard library only."""

from __future__ import annotations

import re

SURFACE_AOV = "paintover_surface"
OBJECT_AOV = "paintover_object"
OBJECT_STEP = 2.0**-15
"""The numbers of the objects are multiples of this, which 24-bit floats hold exactly."""

NAMES: dict[str, tuple[str, ...]] = {
    "alpha": ("Combined",),
    "motion": ("Vector",),
    "normal": ("Normal",),
    "depth": ("Depth", "Z"),
    "albedo": ("Diffuse Color", "DiffCol", "Denoising Albedo"),
    "object": (OBJECT_AOV, "Object Index", "IndexOB"),
    "surface": (SURFACE_AOV, "rest"),
}
"""Meaning → names of the pass in Blender 4.5 and 5.x, the best one first."""

COSTS: dict[str, str] = {
    "alpha": "the subject is not told from the background, so the whole picture is painted",
    "motion": "motion is estimated from the pictures, which is slower and wrong at edges",
    "normal": "shape is told by colour alone, so strokes follow the form less well",
    "depth": "the edges between near and far are told less well",
    "albedo": "shadows are harder to tell from dark colours",
    "object": "things of like colour are mixed up, and paint is carried along the motion instead",
    "surface": "paint is carried along the motion instead, so drawing drifts with time",
}
"""What a shot without a pass loses, in words that follow "without it"."""

_COMPONENT = re.compile(r"^(?:(?P<layer>.+)\.)?(?P<name>[^.]+)\.(?P<component>[A-Za-z])$")


def split_channel(channel: str) -> tuple[str, str, str] | None:
    """Split ``ViewLayer.Vector.X`` into view layer, pass and component; None if it is not one."""
    match = _COMPONENT.match(channel)
    if not match:
        return None
    return match["layer"] or "", match["name"], match["component"].upper()


def meanings(passes: list[str]) -> dict[str, str]:
    """Choose the pass for each meaning from the names of the passes that there are.

    Returns:
        Meaning → name of the pass, for every meaning that has one.
    """
    present = set(passes)
    return {
        meaning: next(name for name in names if name in present)
        for meaning, names in NAMES.items()
        if present.intersection(names)
    }
