# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``preview``."""

from __future__ import annotations

import argparse

from ...jobs.preview import preview
from ...shared.protocol import Preview
from ..terminal import Terminal
from .printing import painted_sentence

_FIELDS = ("style", "keys", "frames", "format", "depth", "force", "unpainted")


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Project the paintings to the frames. Raises PaintoverError and Cancelled."""
    given = {name: getattr(options, name) for name in _FIELDS}
    result = preview(Preview(job=0, shot=str(options.shot), **given), terminal)
    terminal.finished(painted_sentence(options.shot, options.style, result))
