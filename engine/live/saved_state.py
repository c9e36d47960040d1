# SPDX-License-Identifier: GPL-3.0-or-later
"""What a session has learnt, on disk: its state to go on from, and the style that it becomes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import torch

from ..guides import registry as guides
from ..jobs.train import write_style
from ..networks.device import Device
from ..networks.style_file import load_style, network_for
from ..shared.errors import PaintoverError
from ..shared.frame_lists import name_frames
from ..shared.shot import Shot
from ..shared.style_header import ALPHA, StyleHeader, refuse_later_style
from ..shared.training_settings import TrainingSettings
from ..shared.trainings.kept import (
    RESUME_NAME,
    delete_old_trainings,
    keep_present_style,
    keep_previous,
)
from ..training.budget import Budget
from ..training.patch_sampler import Patches
from ..training.resume import load_run, save_run
from ..training.settings import default_settings
from .learner import HORIZON, Learner
from .live_set import LiveSet
from .paintings import Paintings


def live_settings(network: str) -> TrainingSettings:
    """Return the training settings of a session."""
    return dataclasses.replace(default_settings(network), steady=0.0, strokes=0.0, adversarial=0.0)


class SavedState:
    """Makes the learner of a session, keeps its state on disk, and writes the style.

    Args:
        shot: the shot.
        style: name of the style.
        network: name of its network.
        device: where to compute.
        seed: of all random numbers.
        keep: whether to go on from what is on disk.
    """

    def __init__(
        self, shot: Shot, style: str, network: str, device: Device, seed: int, *, keep: bool
    ) -> None:
        self._style, self._network, self._device, self._seed = style, network, device, seed
        self._folder = shot.style_folder(style) / "live"
        self._keep = keep

    def learner(self, live_set: LiveSet, paintings: Paintings, patches: Patches) -> Learner:
        """Return a learner: from the last session's state, from the style, or from nothing."""
        settings, header = live_settings(self._network), self._header(live_set)
        if self._keep:
            found = self._resumed(live_set, paintings, patches) or self._from_style(
                live_set, paintings, patches
            )
            if found:
                return found
        with torch.random.fork_rng():
            torch.manual_seed(self._seed)
            network = network_for(header)
        return Learner(network, self._device, settings, patches, self._seed)

    def save(self, learner: Learner, live_set: LiveSet, paintings: Paintings) -> None:
        """Write the state.

        Raises:
            PaintoverError: training diverged, or the file cannot be written.
        """
        header = self._header(live_set)
        header.trained_on = _digests(paintings)
        header.steps, header.seconds = learner.trainer.steps, learner.learnt_for
        seconds = learner.spent * HORIZON
        save_run(self._folder, learner.trainer, header, Budget(0, HORIZON), seconds)

    def finish(self, style: str, learner: Learner, live_set: LiveSet, paintings: Paintings) -> Path:
        """Write the style and return its path.

        Args:
            style: its name; empty: the session's.
            learner: what was learnt.
            live_set: of which paintings.
            paintings: the same on disk.

        Raises:
            PaintoverError: paintings are not saved, too little is learnt, or the file cannot be
                written.
        """
        if unsaved := paintings.unsaved():
            raise PaintoverError(
                f"The painting of frame {name_frames(unsaved)} is not saved; save it, since a "
                "style is learnt from files."
            )
        if not learner.is_ready:
            raise PaintoverError(
                "Too little is learnt for a style; wait some seconds, then finish again."
            )
        shot, name = paintings.shot, style or self._style
        path = shot.style_path(name)
        refuse_later_style(path)
        learner.trainer.validate()
        header = self._header(live_set)
        header.trained_on = {key: shot.key_digest(key) for key in live_set.order}
        header.paintings = {key: shot.painting_digest(key) for key in live_set.order}
        if not paintings.are_as_on_disk():
            raise PaintoverError("A painting was saved at this moment; finish again.")
        header.steps, header.seconds = learner.trainer.steps, round(learner.learnt_for, 2)
        keep_present_style(shot, name)
        keep_previous(path, shot.style_folder(name))
        write_style(path, learner.trainer, header, learner.patches, None, self._device)
        keep_present_style(shot, name)
        delete_old_trainings(shot, name)
        return path

    def _header(self, live_set: LiveSet) -> StyleHeader:
        settings = dataclasses.asdict(live_settings(self._network))
        settings |= {"seed": self._seed, ALPHA: live_set.alpha}
        names = live_set.names
        return StyleHeader(self._network, names, guides.channels(names), {}, settings)

    def _resumed(self, live_set: LiveSet, paintings: Paintings, patches: Patches) -> Learner | None:
        if not (self._folder / RESUME_NAME).is_file():
            return None
        try:
            saved = load_run(self._folder)
            if not self._fits(saved.header, live_set):
                return None
            is_same = saved.trained_on == _digests(paintings)
            learner = Learner(
                saved.network(),
                self._device,
                live_settings(self._network),
                patches,
                self._seed,
                saved.seconds / HORIZON if is_same else 0.0,
            )
            saved.restore(learner.trainer, saved.trained_on)
        except PaintoverError:
            return None  # damaged, or of another version: what was learnt is lost, paint is not
        learner.trainer.forget_best()
        learner.learnt_for = saved.header.seconds
        return learner

    def _from_style(
        self, live_set: LiveSet, paintings: Paintings, patches: Patches
    ) -> Learner | None:
        path = paintings.shot.style_path(self._style)
        if not path.is_file():
            return None
        try:
            network, header, *_ = load_style(path)
        except PaintoverError:
            return None
        if not self._fits(header, live_set):
            return None
        network.requires_grad_(True).train()
        settings = live_settings(self._network)
        learner = Learner(network, self._device, settings, patches, self._seed)
        learner.began_trained = True
        return learner

    def _fits(self, header: StyleHeader, live_set: LiveSet) -> bool:
        """Return whether a network can go on with the paintings."""
        return (
            header.network == self._network
            and header.guides == live_set.names
            and header.settings.get(ALPHA) == live_set.alpha
            and header.settings.get("blocks") == live_settings(self._network).blocks
        )


def _digests(paintings: Paintings) -> dict[int, str]:
    """Return keyframe → digest of its files; "" where strokes that are not saved count instead."""
    shot, unsaved = paintings.shot, paintings.unsaved()
    return {
        key: "" if key in unsaved else shot.painting_digest(key)
        for key in sorted(paintings.keyframes)
    }
