# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and writes style files and the state that training resumes from, both safetensors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import safetensors
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from ..guides import registry as guides
from ..shared.errors import PaintoverError
from ..shared.files import write_bytes
from ..shared.shot import Shot
from ..shared.style_header import (
    ALPHA,
    ALPHA_LEARNT,
    COVERAGE,
    PROJECTION,
    STYLE_VERSION,
    StyleHeader,
    read_style_header,
)
from .activation_ranges import PREFIX, ActivationRanges
from .base import Painter
from .gated_unet import GatedPainter
from .registry import build

RESUME_NAME = "resume.safetensors"
RESUME_VERSION = 2
_RESUME_KEY = "paintover_resume"


def network_for(header: StyleHeader) -> Painter:
    """Build the network that a header describes, with random weights.

    Raises:
        PaintoverError: the network is unknown, or its number of blocks is out of range.
    """
    return build(
        header.network,
        header.channels,
        projection=PROJECTION in header.guides,
        alpha=header.settings.get(ALPHA) == ALPHA_LEARNT,
        coverage=COVERAGE in header.guides,
        blocks=int(header.settings.get("blocks", 0)),
    )


def save_style(
    path: Path,
    weights: dict[str, Tensor],
    header: StyleHeader,
    activations: ActivationRanges | None = None,
) -> None:
    """Write a style file atomically.

    Args:
        path: the file.
        weights: the network's state dict.
        header: the style's header.
        activations: the network's activation ranges, for int8; None: none.

    Raises:
        PaintoverError: the file cannot be written.
    """
    tensors = {**weights, **(activations.tensors() if activations else {})}
    on_host = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_bytes(path, save(on_host, metadata=header.to_metadata()))


def load_style(path: Path) -> tuple[Painter, StyleHeader, ActivationRanges | None]:
    """Read a style file.

    Returns:
        The network on the CPU in evaluation mode, the header, and the network's activation ranges,
        None where the file has none.

    Raises:
        PaintoverError: the file is missing, damaged, cut short or of another version, or its
            weights or channels do not fit its network.
    """
    header = read_style_header(path)
    if header.version < STYLE_VERSION:
        raise PaintoverError(
            f"{path} was trained by an earlier Paintover, which computed guides differently; "
            "train it again."
        )
    if header.channels != guides.channels(header.guides):
        raise PaintoverError(
            f"{path} was trained with {header.channels} channels, but its guides have "
            f"{guides.channels(header.guides)} in this version of Paintover; train it again."
        )
    network = network_for(header)
    try:
        tensors = load_file(path)
        activations = ActivationRanges.from_tensors(tensors)
        network.load_state_dict({k: v for k, v in tensors.items() if not k.startswith(PREFIX)})
        if activations and not (isinstance(network, GatedPainter) and activations.fits(network)):
            raise ValueError
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        raise PaintoverError(
            f"{path} is damaged or does not fit its network; train it again."
        ) from error
    network.requires_grad_(False).eval()
    return network, header, activations


def find_style(shot: Shot, name: str) -> Path:
    """Return the path of a style, given by name or by a path ending in ``.safetensors``."""
    return Path(name) if name.endswith(".safetensors") else shot.style_path(name)


def save_resume(folder: Path, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
    """Write tensors and JSON-able numbers to ``resume.safetensors`` in a folder, atomically."""
    text = json.dumps({**numbers, "version": RESUME_VERSION})
    write_bytes(folder / RESUME_NAME, save(tensors, metadata={_RESUME_KEY: text}))


def load_resume(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and numbers as ``save_resume`` wrote them.

    Raises:
        PaintoverError: the file is missing, damaged or of another version.
    """
    path = folder / RESUME_NAME
    if not path.is_file():
        raise PaintoverError(f"There is no {path} to resume from; train without resuming.")
    try:
        with safetensors.safe_open(path, "pt") as file:
            numbers = json.loads(file.metadata()[_RESUME_KEY])
        tensors = load_file(path)
        if numbers["version"] != RESUME_VERSION:
            raise ValueError
    except (SafetensorError, OSError, ValueError, KeyError, TypeError):
        raise damaged_resume(folder) from None
    return tensors, numbers


def damaged_resume(folder: Path) -> PaintoverError:
    """Return the error for a state that training cannot resume from."""
    return PaintoverError(
        f"{folder / RESUME_NAME} is damaged or of another version; train without resuming."
    )
