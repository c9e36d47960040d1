# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``matte``."""

from __future__ import annotations

import argparse

from ...jobs.mattes import remove_mattes, set_mattes
from ...shared.frame_lists import counted
from ..terminal import Terminal


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Give a shot mattes, or remove them. Raises PaintoverError and Cancelled."""
    if options.none:
        remove_mattes(options.shot, terminal)
        terminal.finished(f"{options.shot} has no mattes; all of each frame is painted.")
        return
    count = set_mattes(options.shot, options.input, terminal)
    terminal.finished(f"{options.shot} has mattes for {counted(count, 'frame')}.")
