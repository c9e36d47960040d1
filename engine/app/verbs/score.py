# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``score``."""

from __future__ import annotations

import argparse

from ...evaluation.flicker_report import FlickerReport, measure_flicker
from ...evaluation.scores import Scores, score
from ...shared.shot import Shot
from ..terminal import Terminal
from .printing import print_data


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Print how good the stylized frames are. Raises PaintoverError and Cancelled."""
    shot = Shot.open(options.shot)
    scores: Scores | FlickerReport
    if options.truth is None:
        scores = measure_flicker(shot, options.style, options.frames, terminal)
    else:
        scores = score(
            shot,
            options.truth,
            options.style,
            options.frames,
            with_jod=options.jod,
            report=terminal,
        )
    print_data(options, scores.as_data(), scores.as_table)
