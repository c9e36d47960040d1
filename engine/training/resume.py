# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of a training run on disk, from which the run can be resumed exactly."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from torch import Tensor

from ..guides import registry as guides
from ..networks.base import Painter
from ..networks.style_file import damaged_resume, load_resume, network_for, save_resume
from ..shared.checked import Digest, Frame, Range, WrongDataError, from_data
from ..shared.errors import PaintoverError
from ..shared.shot import Shot
from ..shared.style_header import StyleHeader, check_settings
from .budget import Budget
from .trainer import Trainer, TrainerNumbers


@dataclasses.dataclass(frozen=True)
class _Numbers:
    """What is saved of a run beside its tensors."""

    learner: TrainerNumbers
    budget: Budget
    seconds: Annotated[float, Range(0, 1e12)]
    trained_on: dict[Frame, Digest]
    header: StyleHeader


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
    numbers: TrainerNumbers

    def network(self) -> Painter:
        """Build the network, its weights random.

        Raises:
            PaintoverError: the network is unknown.
        """
        return network_for(self.header)

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
        except (KeyError, RuntimeError, TypeError, ValueError) as error:
            raise damaged_resume(self.folder) from error
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
        saved = from_data(_Numbers, data)
        check_settings(saved.header.settings)
        if saved.header.channels != guides.channels(saved.header.guides):
            raise WrongDataError("the guides have another number of channels")
    except (PaintoverError, ValueError) as error:
        raise damaged_resume(folder) from error
    return SavedRun(
        folder,
        dataclasses.replace(saved.header, trained_on={}, paintings={}),
        saved.trained_on,
        saved.budget,
        saved.seconds,
        tensors,
        saved.learner,
    )


def was_stopped(shot: Shot, style: str, keys: Sequence[int] = ()) -> bool:
    """Return whether a training of the style on the present paintings was stopped, and goes on.

    Args:
        shot: the shot.
        style: name of the style.
        keys: the keyframes that are learnt; all painted ones if there are none.
    """
    try:
        saved = load_run(shot.style_folder(style))
    except PaintoverError:
        return False
    present = {key: shot.key_digest(key) for key in keys or shot.painted_keys()}
    return not saved.budget.finished and saved.trained_on == present


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
    numbers = _Numbers(trainer.numbers(), budget, seconds, header.trained_on, header)
    save_resume(folder, trainer.tensors(), dataclasses.asdict(numbers))
