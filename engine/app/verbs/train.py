# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``train``."""

from __future__ import annotations

import argparse
import time

from ...jobs.train import train
from ...shared import training_settings
from ...shared.durations import format_seconds
from ...shared.freshness import Step, style_state
from ...shared.protocol import Train
from ...shared.shot import Shot
from ...training.resume import was_stopped
from ..terminal import Terminal

_FIELDS = ("style", "seconds", "steps", "resume", "from_style", "keys", "network", "guides")


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Train a style, unless ``--if-needed`` finds it up to date.

    With ``--go-on`` a training that was stopped goes on, and if there is none, one begins.

    Raises PaintoverError and Cancelled.
    """
    if options.if_needed or options.go_on:
        shot = Shot.open(options.shot)
        if not options.go_on and style_state(shot, options.style).step is Step.UP_TO_DATE:
            terminal.finished(f"{shot.style_path(options.style)} is up to date.")
            return
        options.resume = options.resume or was_stopped(shot, options.style, options.keys)
    settings = {name: getattr(options, name) for name in training_settings.TYPES}
    request = Train(
        job=0,
        shot=str(options.shot),
        device=options.device,
        seed=options.seed,
        settings={name: value for name, value in settings.items() if value is not None},
        **{name: getattr(options, name) for name in _FIELDS},
    )
    began = time.monotonic()
    result = train(request, terminal)
    if result["kept"]:
        return
    path = Shot.open(options.shot).style_path(options.style)
    terminal.finished(f"Trained {path} in {format_seconds(time.monotonic() - began)}.")
    terminal.finished(f"{result['went']}.")
