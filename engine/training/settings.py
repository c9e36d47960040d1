# SPDX-License-Identifier: GPL-3.0-or-later
"""How each network is trained unless the user says otherwise."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from ..frames.frame import EXTRA_GUIDE
from ..guides import registry as guides
from ..motion.temporal_filter import FilterSettings
from ..networks.registry import MOST_BLOCKS, size_of
from ..shared.errors import PaintoverError
from ..shared.protocol import Train
from ..shared.shot import Shot
from ..shared.style_header import GAUSSIANS

PAPER = "paper"


@dataclasses.dataclass(frozen=True)
class Configuration:
    """Settings of training that change the result; a style records them.

    Attributes:
        blocks: residual blocks of the network.
        patch: side of the patches in pixels.
        batch: patches a step.
        rate: learning rate.
        muon: whether kernels are learnt by Muon (see ``optimizers``).
        gradients: weight of the gradient loss.
        adversarial: weight of the adversarial loss.
        steady: weight of the loss of steadiness over time, for shots with exact motion.
        vgg: file of the weights for the VGG loss; empty for none.
        filter: how many frames to each side the filter over time looks at, 0 for no filter.
    """

    blocks: int
    patch: int = 64
    batch: int = 8
    rate: float = 2e-3
    muon: bool = True
    gradients: float = 2.0
    adversarial: float = 0.0
    steady: float = 0.25
    vgg: str = ""
    filter: int = 0


LIMITS = {
    "blocks": (1, MOST_BLOCKS, "residual blocks"),
    "patch": (12, 512, "pixels to the side of a patch"),
    "batch": (1, 1000, "patches a step"),
    "rate": (1e-6, 0.1, "as learning rate"),
    "adversarial": (0, 100, "as weight of the adversarial loss"),
    "gradients": (0, 100, "as weight of the gradient loss"),
    "steady": (0, 100, "as weight of the loss of steadiness"),
}


def default_configuration(network: str) -> Configuration:
    """Return how a network is trained by default.

    That of ``paper`` is the published one (Texler et al., ACM TOG 39(4):73, 2020): it was found
    best among about 200,000.

    Raises:
        PaintoverError: there is no such network.
    """
    blocks = size_of(network).blocks
    if network != PAPER:
        return Configuration(blocks)
    return Configuration(
        blocks,
        patch=36,
        batch=40,
        rate=3e-4,
        muon=False,
        steady=0.0,
        gradients=0.0,
        adversarial=0.5,
        filter=FilterSettings().radius,
    )


def default_guides(network: str, shot: Shot) -> list[str]:
    """Name the guides of a network by default: all that are of use, or the paper's own."""
    if network != PAPER:
        return guides.available(shot)
    extra = [EXTRA_GUIDE + name for name in shot.manifest.guides]
    return ["colour", *extra, GAUSSIANS]


def configure(request: Train, network: str, recorded: Mapping[str, Any]) -> Configuration:
    """Return the settings of a training run.

    Args:
        request: what it sets comes first.
        network: its name.
        recorded: the settings of the style or run that it goes on from come second; empty for a
            new one.

    Raises:
        PaintoverError: there is no such network, or it cannot be trained so.
    """
    configuration = default_configuration(network)
    known = {field.name for field in dataclasses.fields(Configuration)}
    changes = {name: value for name, value in recorded.items() if name in known}
    blocks = int(changes.get("blocks", configuration.blocks))
    if recorded and request.blocks not in (0, blocks):
        raise PaintoverError(
            f"The style that training should go on from has {blocks} residual blocks, not "
            f"{request.blocks}; leave the number out, or train anew."
        )
    for name in ("blocks", "patch", "batch", "rate", "vgg"):
        if getattr(request, name):
            changes[name] = getattr(request, name)
    for name in ("adversarial", "gradients", "steady", "muon"):
        if getattr(request, name) is not None:
            changes[name] = getattr(request, name)
    if request.filter is not None:
        changes["filter"] = FilterSettings().radius if request.filter else 0
    for name, (least, most, what) in LIMITS.items():
        value = changes.get(name, least)
        if not least <= value <= most:
            raise PaintoverError(f"{value:g} {what} cannot be; choose {least:g} to {most:g}.")
    return dataclasses.replace(configuration, **changes)
