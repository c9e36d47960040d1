# SPDX-License-Identifier: GPL-3.0-or-later
"""The training settings and guides of a network: its defaults, and what a run overrides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..frames.frame import EXTRA_GUIDE
from ..guides import registry as guides
from ..networks.registry import size_of
from ..shared.errors import PaintoverError
from ..shared.shot import Shot
from ..shared.style_header import GAUSSIANS
from ..shared.training_settings import NETWORK_DEFAULTS, TYPES, TrainingSettings, override

PAPER = "paper"


def default_settings(network: str) -> TrainingSettings:
    """Return the default settings of a network, ``blocks`` filled in.

    Raises:
        PaintoverError: there is no such network.
    """
    settings = TrainingSettings(blocks=size_of(network).blocks)
    return override(settings, NETWORK_DEFAULTS.get(network, {}))


def default_guides(network: str, shot: Shot) -> list[str]:
    """Return the names of a network's default guides, in channel order.

    ``paper`` gets those of its publication, other networks every guide that the shot has.
    """
    if network != PAPER:
        return guides.available(shot)
    extra = [EXTRA_GUIDE + name for name in shot.manifest.guides]
    return ["colour", *extra, GAUSSIANS]


def run_settings(
    requested: Mapping[str, Any], network: str, recorded: Mapping[str, Any]
) -> TrainingSettings:
    """Return the settings of a training run.

    Args:
        requested: ``protocol.Train.settings``; these take precedence over all others.
        network: name of the network; its defaults fill in what is neither requested nor recorded.
        recorded: ``StyleHeader.settings`` of the style or run to continue from; empty for a new
            style. Keys that are no training settings are ignored.

    Raises:
        PaintoverError: there is no such network, a setting is not allowed, or ``requested`` asks
            for another number of blocks than the recorded network has.
    """
    settings = override(
        default_settings(network), {name: recorded[name] for name in TYPES if name in recorded}
    )
    settings, blocks = override(settings, requested), settings.blocks
    if recorded and settings.blocks != blocks:
        raise PaintoverError(
            f"The style to continue from has {blocks} residual blocks, not {settings.blocks}; "
            "leave the number out, or train a new style."
        )
    return settings
