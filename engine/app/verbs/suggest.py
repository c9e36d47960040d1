# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``suggest``."""

from __future__ import annotations

import argparse

from ...jobs.suggest import suggest
from ...shared.coverage_records import describe, report
from ...shared.flicker_records import read_flickers, unsteady_frames
from ...shared.protocol import Suggest
from ...shared.shot import Shot
from ..terminal import Terminal
from .printing import print_data


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Print what the paintings show of a shot, and which frames to paint next.

    Raises PaintoverError and Cancelled.
    """
    request = Suggest(job=0, shot=str(options.shot), keys=options.keys)
    coverage = suggest(request, terminal)
    flickers = read_flickers(Shot.open(options.shot), options.style)
    people = describe(coverage, unsteady_frames(flickers))
    print_data(options, report(coverage, flickers), lambda: people)
