# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``check``."""

from __future__ import annotations

import argparse
import dataclasses
import json

from ...jobs.check import check, sentence
from ..terminal import Terminal


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Tell whether the engine works on this machine. Raises PaintoverError."""
    found = check(options.device)
    if options.json:
        print(json.dumps(dataclasses.asdict(found)))  # on one line, by which Blender finds it
    else:
        terminal.finished(sentence(found))
