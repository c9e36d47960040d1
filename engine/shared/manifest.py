# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of a shot, ``shot.json``."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

from .checked import (
    Digest,
    Frame,
    Known,
    Length,
    Pattern,
    Range,
    TooMuchError,
    WrongDataError,
    from_data,
)
from .errors import DamagedError, LaterVersionError, PaintoverError
from .names import MATTE_NAME, NAME
from .reading import check_length, read_json

MANIFEST_VERSION = 2
_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False)
MANIFEST_NAME = "shot.json"
PASS_MEANINGS = (
    "image",
    "alpha",
    "motion",
    "normal",
    "depth",
    "albedo",
    "object",
    "surface",
)

LARGEST_SIDE = 65536
"""Largest width or height of a shot that is read, in pixels; that of Blender."""
_Side = Annotated[int, Range(1, LARGEST_SIDE)]
_CopyFolder = Annotated[str, Pattern(rf"(guides/{NAME}|mattes/{MATTE_NAME})")]
_Source = Annotated[
    dict[str, Any],
    Known(
        (
            *(
                (name, str)
                for name in ("kind", "blend", "blender", "engine", "scene", "view_layer")
            ),
            ("input", str),
            ("views", list[str]),
            ("settings", dict[Digest, dict[str, Any]]),
            ("matte", dict[str, Any]),
        )
    ),
]


@dataclasses.dataclass
class Colour:
    """View settings that made the pictures display-referred, with Blender's names."""

    display: str = "sRGB"
    view: str = "Standard"
    look: str = "None"
    exposure: float = 0.0
    gamma: float = 1.0


@dataclasses.dataclass
class Camera:
    """Camera of one frame."""

    world_to_clip: Annotated[list[float], Length(16, 16)]
    """Row-major 4×4 matrix from world to clip space (x right, y up, −1..1 after division by w)."""
    orthographic: bool = False
    """Whether w is 1 everywhere, so there is no perspective."""
    name: str = ""
    """Name of the camera object: where the next frame has another one, the shot is cut."""


@dataclasses.dataclass
class FrameRecord:
    """Digests of one captured frame's picture, passes and render settings, and its camera.

    A digest is "" where there is no such file or setting.
    """

    image: Digest
    passes: Digest = ""
    settings: Digest = ""
    camera: Camera | None = None
    matte: Digest = ""
    """Of the matte that Blender rendered with the frame."""
    copies: dict[_CopyFolder, Digest] = dataclasses.field(default_factory=dict)
    """Folder of guides or mattes → digest of what was imported or rendered there for the frame."""


@dataclasses.dataclass
class Manifest:
    """Contents of ``shot.json``."""

    width: _Side
    height: _Side
    frame_start: Frame
    frame_end: Frame
    fps: Annotated[float, Range(1e-9, 1e12)] = 24.0
    source: _Source = dataclasses.field(default_factory=dict)
    passes: dict[str, str] = dataclasses.field(default_factory=dict)
    """Meaning → source: the name of the renderer's pass, or "estimated"."""
    guides: list[Annotated[str, Pattern(NAME)]] = dataclasses.field(default_factory=list)
    """Names of the extra guide folders under ``guides/``."""
    colour: Colour = dataclasses.field(default_factory=Colour)
    frames: dict[Frame, FrameRecord] = dataclasses.field(default_factory=dict)
    removed_keys: list[Frame] = dataclasses.field(default_factory=list)
    """Frames whose painting stays in ``keys/`` but is not trained on."""
    weights: dict[Frame, dict[Frame, Annotated[float, Range(0, 1)]]] = dataclasses.field(
        default_factory=dict
    )
    """Keyframe → frame → weight, 0..1; see ``keyframes.weights``."""
    blank_keys: dict[Frame, Digest] = dataclasses.field(default_factory=dict)
    """Keyframe → digest of a painting file that only shows the frame; see ``keyframes.blank``."""
    id: Annotated[str, Pattern(r"[\w-]{0,64}")] = ""
    """Random; a copy of the shot has another one. "" until the first ``Shot.save``."""
    owner: dict[str, str] = dataclasses.field(default_factory=dict)
    """The scene that the shot belongs to: ``blend``, the path of its .blend from the shot folder,
    and ``scene``, its name; empty if it belongs to none."""
    matte: Annotated[str, Pattern(MATTE_NAME)] = ""
    """Name of the folder under ``mattes/`` that says what of each frame is painted; "" for all."""
    version: int = MANIFEST_VERSION

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the frames."""
        return self.width, self.height


def read_manifest(path: Path) -> Manifest:
    """Read ``shot.json``.

    Raises:
        FileNotFoundError, NotADirectoryError: there is no such file.
        PaintoverError: the file cannot be read, or is damaged or of a later version.
    """
    version: Any = None
    try:
        data = read_json(path)
        version = data.get("version") if isinstance(data, dict) else None
        if type(version) in (int, float) and version > MANIFEST_VERSION:
            raise LaterVersionError(
                f"{path} was written by a later Paintover (version {str(version)[:20]}); "
                "update Paintover to open it."
            )
        manifest = from_data(Manifest, data)
        if type(version) is not int or "frames" not in data or "colour" not in data:
            raise WrongDataError("a field is missing")
        _check_together(manifest)
    except (FileNotFoundError, NotADirectoryError):
        raise
    except OSError as error:
        raise PaintoverError(
            f"Cannot read {path}: {error.strerror or error}; check its permissions, or bring the "
            "file back from a backup."
        ) from error
    except TooMuchError as error:
        raise PaintoverError(
            f"{path} is too long to be read, as of a shot of very many frames; delete that file, "
            "then capture or import fewer frames into this folder (paintings are kept)."
        ) from error
    except ValueError as error:
        raise DamagedError(
            f"{path} is damaged; capture the shot again, or delete that file and import again "
            "(paintings are kept)."
        ) from error
    # Earlier versions listed "position", which nothing read.
    manifest.passes = {k: v for k, v in manifest.passes.items() if k in PASS_MEANINGS}
    manifest.version = MANIFEST_VERSION
    return manifest


def _check_together(manifest: Manifest) -> None:
    """Raise WrongDataError if values that are right by themselves do not go together."""
    if manifest.frame_end < manifest.frame_start:
        raise WrongDataError("the range ends before it starts")
    if len({name.casefold() for name in manifest.guides}) < len(manifest.guides):
        raise WrongDataError("a guide is named twice")


def manifest_to_text(manifest: Manifest, *, any_length: bool = False) -> str:
    """Return the JSON of a manifest, a line for each frame.

    Args:
        manifest: the manifest.
        any_length: also if it would be too long to be read.

    Raises:
        ValueError: it holds what ``read_manifest`` would refuse.
        TooMuchError: it has too many frames.
    """
    frames = {str(frame): manifest.frames[frame] for frame in sorted(manifest.frames)}
    records = {frame: record_to_data(record) for frame, record in frames.items()}
    fields = dataclasses.asdict(dataclasses.replace(manifest, frames={}))
    text = json.dumps(fields, indent=1, ensure_ascii=False, allow_nan=False)
    _check_together(from_data(Manifest, {**json.loads(text), "frames": records}))
    lines = ",\n".join(f'  "{frame}": {_ENCODER.encode(data)}' for frame, data in records.items())
    text = text.replace('\n "frames": {}', f'\n "frames": {{\n{lines}\n }}', 1) + "\n"
    if not any_length:
        check_length(text)
    return text


def check_records(count: int, record: FrameRecord) -> None:
    """Raise TooMuchError if a manifest with so many frames like this would be too long."""
    check_length(_ENCODER.encode(record_to_data(record)), count)


def record_to_data(record: FrameRecord) -> dict[str, Any]:
    """Return the JSON data of a frame's record."""
    data = {**vars(record), "camera": vars(record.camera) if record.camera else None}
    if not record.copies:  # as in most shots, which would be longer for it
        del data["copies"]
    return data
