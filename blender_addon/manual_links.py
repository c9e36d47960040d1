# SPDX-License-Identifier: GPL-3.0-or-later
"""F1 and the right-click menu open the page of Paintover's manual on a button or a setting.

The pages lie in the add-on, so this works without a network.
"""

from __future__ import annotations

from pathlib import Path

import bpy

FOLDER = Path(__file__).resolve().parent / "manual"
_OPERATORS = (
    ("capture*", "capture.html"),
    ("keyframe_repaint", "stylize.html#looking-at-it"),
    ("keyframe_look", "keyframes.html#the-list"),
    ("keyframe_take_back", "keyframes.html#the-list"),
    ("keyframe_duplicate", "keyframes.html#the-list"),
    ("keyframe_move", "keyframes.html#the-list"),
    ("keyframe_*", "keyframes.html"),
    ("mask_*", "keyframes.html#how-to-paint"),
    ("suggest*", "keyframes.html#which-frame"),
    ("matte_*", "mattes.html#from-blender"),
    ("train_watch", "train.html#watch-it"),
    ("train_keep", "train.html#watch-it"),
    ("train_continue", "train.html#train-again"),
    ("training_take", "train.html#go-back"),
    ("train", "train.html"),
    ("sweep", "sweep.html"),
    ("preview", "manual.html#2-add-keyframe-and-paint"),
    ("stylize", "stylize.html"),
    ("result_*", "stylize.html#looking-at-it"),
    ("go_to_unsteady", "stylize.html#unsteady-frames"),
    ("compose", "compositor.html"),
    ("live_finish", "live-painting.html#finish"),
    ("live_show", "live-painting.html#what-you-see"),
    ("live_conflict", "live-painting.html#it-never-takes-your-strokes"),
    ("live*", "live-painting.html"),
    ("farm_*", "farm.html#for-animators"),
    ("shot_*", "input.html#the-shot-and-its-blend"),
    ("engine_*", "install.html#the-engine"),
    ("example_open", "manual.html#before-you-begin"),
    ("*", "manual.html"),
)
_SETTINGS = (
    ("paintover_pg_scene.light", "stylize.html#light"),
    ("paintover_pg_scene.seconds", "train.html"),
    ("paintover_pg_scene.unpainted", "mattes.html#outside"),
    ("paintover_pg_matte*", "mattes.html#from-blender"),
    ("paintover_pg_keyframe.*", "keyframes.html#two-paintings-that-differ"),
    ("paintover_pg_keyframe_row.*", "keyframes.html#the-list"),
    ("paintover_pg_live*", "live-painting.html"),
    ("paintover_pg_training_view.*", "train.html#watch-it"),
    ("paintover_preferences.*", "install.html#the-engine"),
    ("paintover_*", "settings.html"),
)


def page(name: str) -> str:
    """Return the address of a page of the manual, such as ``train.html``."""
    return f"{FOLDER.as_uri()}/{name}"


def _links() -> tuple[str, tuple[tuple[str, str], ...]]:
    operators = [(f"bpy.ops.paintover.{pattern}", name) for pattern, name in _OPERATORS]
    settings = [(f"bpy.types.{pattern}", name) for pattern, name in _SETTINGS]
    return page(""), (*operators, *settings)


def register() -> None:
    bpy.utils.register_manual_map(_links)


def unregister() -> None:
    bpy.utils.unregister_manual_map(_links)
