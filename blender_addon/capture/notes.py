# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the user's own picture a capture leaves out, in sentences for the user."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import bpy

from .. import stereo, versions
from . import scene_state

_ENGINES = {"CYCLES": "Cycles", versions.EEVEE: "EEVEE", "BLENDER_WORKBENCH": "Workbench"}
_HIGH_RANGE = ("Rec.2100", "ST2084", "PQ", "HLG")


def of_scene(scene: Any, layer: bpy.types.ViewLayer) -> list[str]:
    """Return a sentence for each setting of the scene that makes its picture another one.

    Args:
        scene: the scene as the user has it.
        layer: the view layer that is captured.
    """
    render = scene.render
    sentences = []
    others = [other.name for other in scene.view_layers if other.use and other.name != layer.name]
    if others and not render.use_single_layer:
        sentences.append(
            f"Captured the view layer {layer.name}; {_listed(others)} "
            f"{'are' if len(others) > 1 else 'is'} not in the picture (Source ▸ Shot ▸ View "
            "Layer chooses another)."
        )
    sentences += _of_views(scene)
    if render.use_border:
        sentences.append("Render Region is on; the whole picture was captured.")
    if render.use_motion_blur:
        sentences.append("Motion blur is not in the captured frames; paint needs sharp ones.")
    if scene.frame_step > 1:
        sentences.append(
            f"Every frame was captured, not every {_ordinal(scene.frame_step)}: paint is carried "
            "from frame to frame."
        )
    if not scene_state.writes_motion(scene):
        sentences.append(
            "Cycles leaves out particles while it writes motion, so motion is estimated from the "
            "pictures; use EEVEE for exact motion."
        )
    display = scene.display_settings.display_device
    if any(name in display for name in _HIGH_RANGE):
        sentences.append(
            f"The display {display} shows more light than the captured PNG can hold; choose an "
            "SDR display such as sRGB to paint, or expect banding."
        )
    return sentences


def _of_views(scene: Any) -> list[str]:
    """Return a sentence if a view of stereoscopy does not show the captured picture."""
    captured, obstacle = stereo.captured(scene), stereo.obstacle(scene)
    others = [name for name in stereo.rendered(scene) if name not in captured]
    if obstacle:
        return [f"Stereo: {obstacle}"]
    if others:
        return [
            f"Stereo: {_listed(captured)} was captured; {_listed(others)} will show the render."
        ]
    return []


def of_passes(engine: str, meanings: Collection[str]) -> list[str]:
    """Return a sentence if the render engine wrote no surfaces.

    Args:
        engine: Blender's name of the render engine.
        meanings: of the passes that it wrote.
    """
    if "surface" in meanings:
        return []
    name = _ENGINES.get(engine, engine)
    missing = "surfaces" if "motion" in meanings else "surfaces or motion"
    return [
        f"{name} tells nothing about {missing}, so paint is carried by what moves in the "
        "pictures; Cycles and EEVEE carry it better."
    ]


def _listed(names: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(names[:-1]), names[-1]]))


def _ordinal(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
