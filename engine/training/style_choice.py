# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a training's style replaces the style that is there: never by a worse one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..networks.style_file import load_style
from ..shared.errors import PaintoverError
from ..shared.frame_lists import counted
from ..shared.style_header import ALPHA, StyleHeader
from .trainer import Trainer


def reason_to_keep(path: Path, trainer: Trainer, header: StyleHeader) -> str:
    """Return a sentence that says why the style in a file stays, "" if it is to be replaced.

    A finished training replaces it, unless it took fewer steps with the same settings on the same
    paintings. What is left, and every training that was stopped, replaces it only if its held-out
    loss is lower on the present paintings. Where that cannot be compared, more steps are better.

    Args:
        path: of the style, which need not exist.
        trainer: of the training; its best state is what would be written.
        header: of the training, with ``steps`` and ``finished``.
    """
    if not path.is_file():
        return ""
    try:
        network, there, *_ = load_style(path)
    except PaintoverError:
        return ""
    same = there.trained_on == header.trained_on and _recipe(there) == _recipe(header)
    if header.finished and not (same and header.steps < there.steps):
        return ""
    losses = math.nan, trainer.best_loss
    if there.guides == header.guides and there.settings.get(ALPHA) == header.settings.get(ALPHA):
        losses = trainer.held_out_loss(network), trainer.best_loss
    if all(map(math.isfinite, losses)):
        is_better = losses[0] <= losses[1]
    else:
        is_better = there.steps >= header.steps
    if not is_better:
        return ""
    ended = "is done" if header.finished else "was stopped"
    return (
        f'Training {ended} after {counted(header.steps, "step")}, but the style "{path.stem}" from '
        f"before, of {counted(there.steps, 'step')}, is better and stays; train longer, or resume "
        "to go on."
    )


def _recipe(header: StyleHeader) -> tuple[str, list[str], Mapping[str, Any]]:
    """Return what a user chooses for a training, without the seed."""
    settings = {name: value for name, value in header.settings.items() if name != "seed"}
    return header.network, header.guides, settings
