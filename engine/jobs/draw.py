# SPDX-License-Identifier: GPL-3.0-or-later
"""The last step of a training: frames are drawn where the paintings cannot be carried."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..inference.drawing import draw_frames, frames_to_look_at
from ..inference.frame_pipeline import FramePipeline
from ..inference.tiled_inference import TiledInference
from ..networks.device import Device
from ..networks.style_file import load_style, save_style
from ..shared.frame_lists import name_frames
from ..shared.protocol import Train
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.style_header import ALPHA_LEARNT
from ..training.budget import Budget
from ..training.dataset import TrainingSet
from ..training.run_log import RunLog

SHARE = 0.12
"""Share of the seconds of a training that is set aside for drawing, where it may be needed."""


class DrawingStep:
    """Draws frames with what a training has learnt.

    Args:
        shot: the shot.
        request: of the training.
        training_set: its paintings.
        most: frames to draw at most.

    Raises:
        PaintoverError: the motion between the shot's frames cannot be followed.
        Cancelled: the reporter asked to stop.
    """

    def __init__(self, shot: Shot, request: Train, training_set: TrainingSet, most: int) -> None:
        self._shot, self._request, self._most = shot, request, most
        can_draw = bool(training_set.projection) and training_set.alpha != ALPHA_LEARNT
        looked_at = frames_to_look_at(shot, training_set.digests) if most and can_draw else []
        training_set.inputs.prepare("train", looked_at)
        self._is_due, self._seconds = bool(looked_at), math.inf

    def set_aside(self, budget: Budget) -> float:
        """Return the seconds of a budget that drawing may take; 0 if none are needed or given."""
        if not self._is_due or not budget.seconds:
            return 0.0
        self._seconds = SHARE * budget.seconds
        return self._seconds

    def run(self, device: Device, log: RunLog, report: Reporter, check: Callable[[], None]) -> None:
        """Draw frames with the style that the training has written, and add them to it.

        Args:
            device: where to compute.
            log: of the training.
            report: hears the progress, and may cancel.
            check: called before the style is written; may raise to leave it as it is.

        Raises:
            PaintoverError: the style, a frame or a keyframe cannot be read, or the style not
                written.
        """
        if not self._is_due:
            return
        shot, request = self._shot, self._request
        path = shot.style_path(request.style)
        style = load_style(path)
        inference = TiledInference(style.network, device)
        pipeline = FramePipeline(
            shot, request.style, style.header, inference, style.activations, report
        )
        drawn = draw_frames(shot, pipeline, self._most, self._seconds, request.seed, report)
        if drawn:
            check()
            save_style(path, style.network.state_dict(), style.header, style.activations, drawn)
        log.say(f"drew {name_frames([one.frame for one in drawn]) if drawn else 'no frame'}")
