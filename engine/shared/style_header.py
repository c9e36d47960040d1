# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata of style files, read from the safetensors header without PyTorch."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

from .errors import PaintoverError

STYLE_VERSION = 2
METADATA_KEY = "paintover"
GAUSSIANS = "gaussians"
"""Name of the guide that depends on all frames between the frame and the first keyframe."""
PROJECTION = "projection"
"""Name of the guide with the projected paint of keyframes; light and weights apply to it."""
COVERAGE = "coverage"
"""Name of the guide with the projected alpha of keyframes, where alpha is learnt."""
SURFACE_NEEDS = ("surface", "object")
"""Passes that projection along the surface needs. Without them it follows the motion, and a
frame depends on all frames between it and the keyframes."""
ALPHA = "alpha"
"""Style setting: where the alpha of stylized frames comes from (see ``frames/alpha.py``)."""
ALPHA_FRAME, ALPHA_OPAQUE, ALPHA_LEARNT = "frame", "opaque", "learnt"
FILTER = "filter"
"""Training setting: radius of the temporal filter in frames; 0 disables it."""
_MOST_HEADER_BYTES = 1 << 24


@dataclasses.dataclass
class StyleHeader:
    """Metadata of ``styles/NAME.safetensors``."""

    network: str
    """Name of the network size, such as ``fast``."""
    guides: list[str]
    """Names of the network's guides, in channel order."""
    channels: int
    """Number of channels of these guides."""
    trained_on: dict[int, str]
    """Keyframe → its ``Shot.key_digest`` at the time of training."""
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)
    """Training settings that change the result (patch size, batch, learning rate, seed …)."""
    steps: int = 0
    seconds: float = 0.0
    curve: list[list[float]] = dataclasses.field(default_factory=list)
    """Training curve: rows of step, seconds, training loss, held-out loss."""
    finished: bool = True
    """Whether training ran to its end; False: it was stopped by the user."""
    version: int = STYLE_VERSION

    def to_metadata(self) -> dict[str, str]:
        """Return the header as safetensors metadata (strings only)."""
        return {METADATA_KEY: json.dumps(dataclasses.asdict(self), sort_keys=True)}


def has_surface(passes: Collection[str]) -> bool:
    """Return whether these passes allow projection along the surface."""
    return set(SURFACE_NEEDS) <= set(passes)


def read_style_header(path: Path) -> StyleHeader:
    """Read the header of a style file.

    Raises:
        PaintoverError: the file is missing, damaged, not a style, or of a later version.
    """
    damaged = PaintoverError(f"{path} is damaged or not a Paintover style; train it again.")
    try:
        with path.open("rb") as file:
            size = int.from_bytes(file.read(8), "little")
            if not 2 <= size <= _MOST_HEADER_BYTES:
                raise damaged
            header = json.loads(file.read(size))
        data = json.loads(header["__metadata__"][METADATA_KEY])
        version = int(data["version"])
    except FileNotFoundError:
        raise PaintoverError(f"There is no style {path}; train it first.") from None
    except OSError as error:
        raise PaintoverError(f"Cannot read {path}: {error.strerror or error}.") from error
    except (ValueError, KeyError, TypeError):
        raise damaged from None
    if version > STYLE_VERSION:
        raise PaintoverError(
            f"{path} was written by a later Paintover (version {version}); update Paintover, "
            "or train the style again."
        )
    try:
        trained_on = {int(frame): str(digest) for frame, digest in data["trained_on"].items()}
        return StyleHeader(**{**data, "trained_on": trained_on})
    except (ValueError, KeyError, TypeError, AttributeError):
        raise damaged from None
