# SPDX-License-Identifier: GPL-3.0-or-later
"""The operators in ``bpy.ops.paintover``, one module per step."""

from __future__ import annotations

import bpy

from . import (
    capture,
    compose,
    engine,
    example,
    farm,
    keyframe_files,
    keyframe_transfer,
    keyframes,
    live,
    masks,
    matte,
    preview,
    result,
    result_camera,
    run,
    shot,
    stylize,
    suggest,
    sweep,
    train,
    trainings,
)

classes = (
    *capture.classes,
    *matte.classes,
    *keyframes.classes,
    *keyframe_transfer.classes,
    *keyframe_files.classes,
    *masks.classes,
    *suggest.classes,
    preview.PAINTOVER_OT_preview,
    *train.classes,
    *trainings.classes,
    sweep.PAINTOVER_OT_sweep,
    *stylize.classes,
    *result.classes,
    result_camera.PAINTOVER_OT_result_camera,
    compose.PAINTOVER_OT_compose,
    *run.classes,
    *live.classes,
    *farm.classes,
    *shot.classes,
    *engine.classes,
    example.PAINTOVER_OT_example_open,
)


def register() -> None:
    for cls in classes:
        bpy.utils.register_class(cls)


def unregister() -> None:
    for cls in reversed(classes):
        bpy.utils.unregister_class(cls)
