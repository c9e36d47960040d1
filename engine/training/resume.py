# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a training run on disk, from which the run can be resumed exactly."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from torch import Tensor

from ..networks.base import Painter
from ..networks.style_file import damaged_resume, load_resume, network_for, save_resume
from ..shared.style_header import StyleHeader
from .budget import Budget
from .trainer import Trainer


@dataclasses.dataclass(frozen=True)
class SavedRun:
    """The state of a training run as it was saved.

    Attributes:
        folder: ``styles/NAME``.
        header: header of the style; ``trained_on`` is empty.
        trained_on: keyframe → digest of its painting when it was learnt.
        budget: budget of the run.
        seconds: seconds of training so far.
        tensors: ``Trainer.tensors()``.
        numbers: ``Trainer.numbers()``.
    """

    folder: Path
    header: StyleHeader
    trained_on: dict[int, str]
    budget: Budget
    seconds: float
    tensors: dict[str, Tensor]
    numbers: dict[str, Any]

    def network(self) -> Painter:
        """Build the network, its weights random.

        Raises:
            PaintoverError: the state is damaged.
        """
        try:
            return network_for(self.header)
        except (KeyError, TypeError, ValueError):
            raise damaged_resume(self.folder) from None

    def restore(self, trainer: Trainer, digests: dict[int, str]) -> None:
        """Load the state into a trainer.

        Args:
            trainer: a new trainer of the same network.
            digests: keyframe → digest of its painting now. If any differs, the best state so far
                no longer counts, since it was measured on other paintings.

        Raises:
            PaintoverError: the state is damaged or of another network.
        """
        try:
            trainer.restore(self.tensors, self.numbers)
        except (KeyError, RuntimeError, TypeError, ValueError):
            raise damaged_resume(self.folder) from None
        if self.trained_on != digests:
            trainer.forget_best()


def load_run(folder: Path) -> SavedRun:
    """Read the state of a run.

    Args:
        folder: ``styles/NAME``.

    Raises:
        PaintoverError: there is no such state, or it is damaged or of another version.
    """
    tensors, data = load_resume(folder)
    try:
        header = StyleHeader(**{**data["header"], "trained_on": {}})
        header.curve = [list(row) for row in header.curve]
        return SavedRun(
            folder,
            header,
            trained_on={int(frame): digest for frame, digest in data["trained_on"].items()},
            budget=Budget(**data["budget"]),
            seconds=float(data["seconds"]),
            tensors=tensors,
            numbers=data["learner"],
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        raise damaged_resume(folder) from None


def save_run(
    folder: Path, trainer: Trainer, header: StyleHeader, budget: Budget, seconds: float
) -> None:
    """Write the state of a run, whole or not at all.

    Args:
        folder: ``styles/NAME``.
        trainer: its weights, optimizers and counters are written.
        header: header of the style.
        budget: budget of the run.
        seconds: seconds of training so far.

    Raises:
        PaintoverError: the training loss is not finite, or the file cannot be written.
    """
    trainer.check()
    data = {
        "learner": trainer.numbers(),
        "budget": dataclasses.asdict(budget),
        "seconds": seconds,
        "trained_on": header.trained_on,
        "header": dataclasses.asdict(header),
    }
    save_resume(folder, trainer.tensors(), data)
