# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``sweep``."""

from __future__ import annotations

import argparse
import json

from ...jobs.sweep import sweep
from ...shared.protocol import Sweep
from ..terminal import Terminal

_FIELDS = (
    *("style", "minutes", "trials", "trial_seconds", "trial_steps", "train_style"),
    *("train_seconds", "paper", "keys", "device", "seed"),
)


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Search for training settings. Raises PaintoverError and Cancelled."""
    given = {name: getattr(options, name) for name in _FIELDS}
    result = sweep(Sweep(job=0, shot=str(options.shot), **given), terminal)
    if options.json:
        print(json.dumps(result["results"], indent=1))
        return
    terminal.finished(f"{result['folder']} has the results of {result['trials']} trials.")
    print(result["table"])
