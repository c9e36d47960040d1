# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads and writes style files and the state that training resumes from, both safetensors."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import save
from torch import Tensor

from ..frames.drawn_frame import DrawnFrame
from ..guides import registry as guides
from ..shared.checked import WrongDataError, parse_json
from ..shared.errors import DamagedError, PaintoverError
from ..shared.files import write_bytes
from ..shared.shot import Shot
from ..shared.style_header import (
    ALPHA_LEARNT,
    COVERAGE,
    PROJECTION,
    STYLE_VERSION,
    StyleHeader,
    read_header_and_digest,
)
from ..shared.trainings.kept import RESUME_NAME
from .activation_ranges import PREFIX, ActivationRanges
from .base import Painter
from .gated_unet import GatedPainter
from .registry import build
from .tensor_files import DIGEST_LENGTH, check_tensors, digest_tensors, read_tensors

RESUME_VERSION = 3
MOST_DRAWN_BYTES = 128 << 20
"""Most bytes of the drawn frames of a style."""
MOST_DRAWN_PIXELS = 4_000_000
"""Most pixels of a drawn frame; larger frames are not drawn, to bound time and memory."""
MOST_STYLE_BYTES = (64 << 20) + MOST_DRAWN_BYTES
"""Most bytes of a style file."""
DRAWN = "drawn."
"""Prefix of the names of drawn frames in a style file."""
MOST_RESUME_BYTES = 160 << 20
"""Most bytes of the state of a training."""
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
        alpha=header.alpha == ALPHA_LEARNT,
        coverage=COVERAGE in header.guides,
        blocks=int(header.settings.get("blocks", 0)),
    )


def save_style(
    path: Path,
    weights: dict[str, Tensor],
    header: StyleHeader,
    activations: ActivationRanges | None = None,
    drawn: Sequence[DrawnFrame] = (),
) -> None:
    """Write a style file atomically.

    Args:
        path: the file.
        weights: the network's state dict.
        header: the style's header.
        activations: the network's activation ranges, for int8; None: none.
        drawn: drawn frames; the last are left out if the file would grow too large.

    Raises:
        PaintoverError: the file cannot be written.
    """
    tensors = {**weights, **(activations.tensors() if activations else {})}
    header = dataclasses.replace(header, drawn={}, size=[])
    room = MOST_DRAWN_BYTES
    for one in drawn:
        packed = one.packed()
        room -= len(packed)
        if room < 0:
            break
        tensors[f"{DRAWN}{one.frame}"] = torch.from_numpy(packed)
        header.drawn[one.frame], header.size = one.digest, [*one.mask.shape[::-1]]
    on_host = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_bytes(path, save(on_host, metadata=header.to_metadata(digest_tensors(on_host))))


class Style(NamedTuple):
    """What is in a style file.

    Attributes:
        network: on the CPU, in evaluation mode.
        header: the header.
        activations: the network's activation ranges; None where the file has none.
        drawn: the drawn frames.
    """

    network: Painter
    header: StyleHeader
    activations: ActivationRanges | None
    drawn: list[DrawnFrame]


def load_style(path: Path) -> Style:
    """Read a style file.

    Raises:
        PaintoverError: the file is missing, damaged, cut short or of another version, or its
            weights or channels do not fit its network.
    """
    header, digest = read_header_and_digest(path)
    if header.version < STYLE_VERSION:
        raise PaintoverError(
            f"{path} was trained by an earlier Paintover, which computed guides differently; "
            "train it again."
        )
    try:
        channels = guides.channels(header.guides)
        network = network_for(header)
    except PaintoverError as error:
        raise PaintoverError(f"{path}: {error}") from error
    if header.channels != channels:
        raise PaintoverError(
            f"{path} was trained with {header.channels} channels, but its guides have "
            f"{channels} in this version of Paintover; train it again."
        )
    try:
        tensors, _ = read_tensors(path, MOST_STYLE_BYTES)
        if digest and digest != digest_tensors(tensors):
            raise WrongDataError("the digest of the weights is another one")
        drawn = _unpack_drawn(header, tensors)
        weights = {k: v for k, v in tensors.items() if not k.startswith(PREFIX)}
        check_tensors(weights, network.state_dict())
        check_tensors({k: v for k, v in tensors.items() if k.startswith(PREFIX)})
        activations = ActivationRanges.from_tensors(tensors)
        network.load_state_dict(weights)
        if activations and not (isinstance(network, GatedPainter) and activations.fits(network)):
            raise WrongDataError("the activation ranges do not fit")
    except (OSError, RuntimeError, ValueError) as error:
        raise DamagedError(
            f"{path} is damaged or does not fit its network; train it again."
        ) from error
    network.requires_grad_(False).eval()
    return Style(network, header, activations, drawn)


def _unpack_drawn(header: StyleHeader, tensors: dict[str, Tensor]) -> list[DrawnFrame]:
    """Take the drawn frames out of the tensors of a file.

    Raises:
        ValueError: one is missing or damaged.
    """
    found = []
    for frame, digest in header.drawn.items():
        packed = tensors.pop(f"{DRAWN}{frame}", None)
        if packed is None or packed.dtype != torch.uint8 or len(header.size) != 2:
            raise WrongDataError("a drawn frame is missing")
        width, height = header.size
        if width * height > MOST_DRAWN_PIXELS:
            raise WrongDataError("a drawn frame is too large")
        found.append(DrawnFrame.unpacked(frame, packed.numpy(), (height, width), digest))
    return found


def find_style(shot: Shot, name: str) -> Path:
    """Return the path of a style, given by name or by a path ending in ``.safetensors``."""
    return Path(name) if name.endswith(".safetensors") else shot.style_path(name)


def save_resume(folder: Path, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
    """Write tensors and JSON-able numbers to ``resume.safetensors`` in a folder, atomically."""
    text = json.dumps({**numbers, "version": RESUME_VERSION})
    check = digest_tensors(tensors, text)
    write_bytes(folder / RESUME_NAME, save(tensors, metadata={_RESUME_KEY: check + text}))


def load_resume(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Read tensors and numbers as ``save_resume`` wrote them.

    Raises:
        PaintoverError: the file is missing, damaged or of another version.
    """
    path = folder / RESUME_NAME
    if not path.exists():
        raise PaintoverError(f"There is no {path} to resume from; train without resuming.")
    try:
        tensors, metadata = read_tensors(path, MOST_RESUME_BYTES)
        check, text = metadata[_RESUME_KEY][:DIGEST_LENGTH], metadata[_RESUME_KEY][DIGEST_LENGTH:]
        if check != digest_tensors(tensors, text):
            raise WrongDataError("the digest is another one")
        numbers = parse_json(text)
        if not isinstance(numbers, dict) or numbers.pop("version", None) != RESUME_VERSION:
            raise WrongDataError("the version is another one")
    except (OSError, ValueError, KeyError) as error:
        raise damaged_resume(folder) from error
    return tensors, numbers


def damaged_resume(folder: Path) -> PaintoverError:
    """Return the error for a state that training cannot resume from."""
    return DamagedError(
        f"{folder / RESUME_NAME} is damaged or of another version; train without resuming."
    )
