# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps as jobs on a scene, for the operators and the command line."""

from __future__ import annotations

from .capturing import capture_frames, import_pictures
from .composing import compose, run, stylized_frames
from .painting import preview, preview_name, stylize, suggest
from .scene_shot import check_painted, open_shot
from .training import keep_training, sweep, take_training_back, train

__all__ = [
    "capture_frames",
    "check_painted",
    "compose",
    "import_pictures",
    "keep_training",
    "open_shot",
    "preview",
    "preview_name",
    "run",
    "stylize",
    "stylized_frames",
    "suggest",
    "sweep",
    "take_training_back",
    "train",
]
