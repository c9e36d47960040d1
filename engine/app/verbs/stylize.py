# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``stylize``."""

from __future__ import annotations

import argparse

from ...jobs.stylize import stylize
from ...shared.flicker_records import describe
from ...shared.protocol import Stylize
from ..terminal import Terminal
from .printing import painted_sentence

_FIELDS = ("style", "frames", "format", "depth", "force", "device", "light", "unpainted")


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Paint frames with a style. Raises PaintoverError and Cancelled."""
    given = {name: getattr(options, name) for name in _FIELDS}
    on_farm = options.on_farm or options.progress == "openjd"
    request = Stylize(job=0, shot=str(options.shot), on_farm=on_farm, **given)
    result = stylize(request, terminal)
    terminal.finished(painted_sentence(options.shot, options.style, result))
    if result["unsteady"]:
        terminal.finished(describe(result["unsteady"]))
