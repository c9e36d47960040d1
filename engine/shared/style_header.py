# SPDX-License-Identifier: GPL-3.0-or-later
"""Metadata of style files, read from the safetensors header without PyTorch."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Any

from .checked import (
    Digest,
    Frame,
    Length,
    OneOf,
    Pattern,
    Range,
    WrongDataError,
    extensible,
    from_data,
    parse_json,
)
from .errors import DamagedError, LaterVersionError, PaintoverError
from .files import digest_json
from .names import NAME
from .reading import open_file
from .training_settings import TYPES, TrainingSettings, Value, override

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
INT8, FLOAT = "int8", "float"
"""Values of ``StyleHeader.arithmetic``."""
FILTER = "filter"
"""Training setting: radius of the temporal filter in frames; 0 disables it."""
_MOST_HEADER_BYTES = 1 << 24


@dataclasses.dataclass
class StyleHeader:
    """Metadata of ``styles/NAME.safetensors``."""

    network: Annotated[str, Pattern(r"[\w-]{1,64}")]
    """Name of the network size, such as ``fast``."""
    guides: list[Annotated[str, Pattern(f"(guide:)?{NAME}")]]
    """Names of the network's guides, in channel order."""
    channels: Annotated[int, Range(0, 10_000)]
    """Number of channels of these guides."""
    trained_on: dict[Frame, Digest]
    """Keyframe → its ``Shot.key_digest`` at the time of training."""
    settings: dict[str, Value] = dataclasses.field(default_factory=dict)
    """Training settings that change the result (patch size, batch, learning rate, seed …)."""
    steps: Annotated[int, Range(0, 1e12)] = 0
    seconds: Annotated[float, Range(0, 1e12)] = 0.0
    curve: list[Annotated[list[float], Length(4, 4)]] = dataclasses.field(default_factory=list)
    """Training curve: rows of step, seconds, training loss, held-out loss."""
    finished: bool = True
    """Whether training ran to its end; False: it was stopped by the user."""
    version: Annotated[int, Range(1, STYLE_VERSION)] = STYLE_VERSION
    paintings: dict[Frame, Digest] = dataclasses.field(default_factory=dict)
    """Keyframe → its ``Shot.painting_digest`` then; empty in styles of earlier versions."""
    arithmetic: Annotated[str, OneOf(("", INT8, FLOAT))] = ""
    """What every machine paints in, chosen where the style was trained; "" in styles of earlier
    versions, where each machine chooses."""
    drawn: dict[Frame, Digest] = dataclasses.field(default_factory=dict)
    """Drawn frame in the file → the ``Shot.input_digest`` of its frame then."""
    size: Annotated[list[Annotated[int, Range(1, 65536)]], Length(0, 2)] = dataclasses.field(
        default_factory=list
    )
    """Width and height of drawn frames; empty if there is none."""

    @property
    def alpha(self) -> str:
        """Where the alpha of stylized frames comes from (see ``ALPHA``)."""
        return str(self.settings.get(ALPHA, ALPHA_FRAME))

    def to_metadata(self, weights: str = "") -> dict[str, str]:
        """Return the header as safetensors metadata (strings only).

        Args:
            weights: digest of the file's tensors; "" leaves them unchecked.
        """
        # By way of text, so that numbers of frames are names, as they will be read.
        data = json.loads(json.dumps({**dataclasses.asdict(self), "weights": weights}))
        return {METADATA_KEY: json.dumps({**data, "check": _check_of(data)}, sort_keys=True)}


def check_settings(settings: Mapping[str, Value]) -> None:
    """Check the settings that a style or a run has recorded.

    Raises:
        ValueError: one that this version knows has a value that it does not allow.
    """
    known = {name: settings[name] for name in TYPES if name in settings}
    if known.get("blocks") == 0:
        del known["blocks"]
    try:
        override(TrainingSettings(), known)
    except PaintoverError as error:
        raise WrongDataError(str(error)) from None
    if settings.get(ALPHA, ALPHA_FRAME) not in (ALPHA_FRAME, ALPHA_OPAQUE, ALPHA_LEARNT):
        raise WrongDataError(f"alpha {settings[ALPHA]!r}")


def _check_of(data: Mapping[str, Any]) -> str:
    """Return the digest of a header, so that a bit that has flipped in a file is noticed."""
    return digest_json({name: value for name, value in data.items() if name != "check"})


def has_surface(passes: Collection[str]) -> bool:
    """Return whether these passes allow projection along the surface."""
    return set(SURFACE_NEEDS) <= set(passes)


def read_style_header(path: Path) -> StyleHeader:
    """Read the header of a style file.

    Raises:
        PaintoverError: the file is missing, damaged, not a style, or of a later version.
    """
    return read_header_and_digest(path)[0]


def read_header_and_digest(path: Path) -> tuple[StyleHeader, str]:
    """Read the header of a style file, and the digest of its tensors, "" in files of before.

    Raises:
        PaintoverError: as ``read_style_header``.
    """
    try:
        header = _metadata(path)
        version = header.get("version")
        if type(version) is int and version > STYLE_VERSION:
            raise LaterVersionError(
                f"{path} was written by a later Paintover (version {str(version)[:20]}); update "
                "Paintover, or train a style of another name."
            )
        if type(version) is not int:
            raise WrongDataError("no version")
        check = header.pop("check", "")
        if ("weights" in header or check) and check != _check_of(header):
            raise WrongDataError("the digest is another one")
        weights = from_data(Digest, header.pop("weights", ""))
        read = from_data(StyleHeader, header)
        check_settings(read.settings)
        return read, weights
    except FileNotFoundError:
        raise PaintoverError(f"There is no style {path}; train it first.") from None
    except OSError as error:
        raise PaintoverError(
            f"Cannot read {path}: {error.strerror or error}; check its permissions, or train it "
            "again."
        ) from error
    except ValueError as error:
        raise DamagedError(
            f"{path} is damaged or not a Paintover style; train it again."
        ) from error


def refuse_later_style(path: Path) -> None:
    """Refuse to replace a style that this version cannot read but a later one can.

    Raises:
        LaterVersionError: the file is such a style.
    """
    try:
        read_style_header(path)
    except LaterVersionError:
        raise
    except PaintoverError:
        pass


@extensible
@dataclasses.dataclass(frozen=True)
class _Tensor:
    """Where a tensor lies in a safetensors file, behind the header."""

    data_offsets: Annotated[list[Annotated[int, Range(0, 1 << 50)]], Length(2, 2)]


def _metadata(path: Path) -> dict[str, Any]:
    """Return Paintover's part of the header of a safetensors file, which must be whole."""
    with open_file(path) as file:
        size = int.from_bytes(file.read(8), "little")
        if not 2 <= size <= _MOST_HEADER_BYTES:
            raise WrongDataError("the header is too long")
        header = parse_json(file.read(size))
        length = file.seek(0, 2)
    try:
        text = header.pop("__metadata__")[METADATA_KEY]
    except (KeyError, TypeError, AttributeError):
        raise WrongDataError("no header of a style") from None
    ends = [one.data_offsets[1] for one in from_data(dict[str, _Tensor], header).values()]
    if 8 + size + max(ends, default=0) != length:
        raise WrongDataError("the file is cut short, or longer than its tensors")
    data = parse_json(from_data(str, text))
    if not isinstance(data, dict):
        raise WrongDataError("no header of a style")
    return data
