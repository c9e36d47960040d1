# SPDX-License-Identifier: GPL-3.0-or-later
"""The base of the operators that paint frames of the shot."""

from __future__ import annotations

from bpy.props import BoolProperty, StringProperty

from ..engine.shared.frame_lists import parse_frames
from ..jobs import JobOperator
from . import polls


class FramesOperator(polls.PolledOperator, JobOperator):
    """Base of operators that paint all frames of the shot, or some."""

    frames: StringProperty(
        name="Frames",
        description="Frames to paint, such as 1-30,45. Leave empty for all frames of the shot",
        options={"SKIP_SAVE"},
    )
    force: BoolProperty(
        name="Force",
        description="Also paint frames that are up to date",
        options={"SKIP_SAVE"},
    )

    def chosen_frames(self) -> list[int] | None:
        """Return the given frames, None for all. Raises PaintoverError if they cannot be read."""
        return parse_frames(self.frames) if self.frames.strip() else None
