# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of a shot, ``shot.json``."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from .errors import PaintoverError

MANIFEST_VERSION = 2
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

    world_to_clip: list[float]
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

    image: str
    passes: str = ""
    settings: str = ""
    camera: Camera | None = None
    matte: str = ""
    """Of the matte that Blender rendered with the frame."""


@dataclasses.dataclass
class Manifest:
    """Contents of ``shot.json``."""

    width: int
    height: int
    frame_start: int
    frame_end: int
    fps: float = 24.0
    source: dict[str, Any] = dataclasses.field(default_factory=dict)
    passes: dict[str, str] = dataclasses.field(default_factory=dict)
    """Meaning → source: the name of the renderer's pass, or "estimated"."""
    guides: list[str] = dataclasses.field(default_factory=list)
    """Names of the extra guide folders under ``guides/``."""
    colour: Colour = dataclasses.field(default_factory=Colour)
    frames: dict[int, FrameRecord] = dataclasses.field(default_factory=dict)
    removed_keys: list[int] = dataclasses.field(default_factory=list)
    """Frames whose painting stays in ``keys/`` but is not trained on."""
    weights: dict[int, dict[int, float]] = dataclasses.field(default_factory=dict)
    """Keyframe → frame → weight, 0..1; see ``keyframes.weights``."""
    blank_keys: dict[int, str] = dataclasses.field(default_factory=dict)
    """Keyframe → digest of a painting file that only shows the frame; see ``keyframes.blank``."""
    id: str = ""
    """Random; a copy of the shot has another one. "" until the first ``Shot.save``."""
    owner: dict[str, str] = dataclasses.field(default_factory=dict)
    """The scene that the shot belongs to: ``blend``, the path of its .blend from the shot folder,
    and ``scene``, its name; empty if it belongs to none."""
    matte: str = ""
    """Name of the folder under ``mattes/`` that says what of each frame is painted; "" for all."""
    version: int = MANIFEST_VERSION


def manifest_from_json(path: Path, data: Any) -> Manifest:
    """Return the manifest in JSON data.

    Args:
        path: of the file, for error messages.
        data: the parsed file.

    Raises:
        PaintoverError: the file is damaged or of a later version.
    """
    damaged = PaintoverError(
        f"{path} is damaged; capture the shot again, or delete that file and import again "
        "(paintings are kept)."
    )
    if not isinstance(data, dict) or not isinstance(data.get("version"), int):
        raise damaged
    if data["version"] > MANIFEST_VERSION:
        raise PaintoverError(
            f"{path} was written by a later Paintover (version {data['version']}); "
            "update Paintover to open it."
        )
    try:
        frames = {int(frame): _record(record) for frame, record in data["frames"].items()}
        colour = Colour(**data["colour"])
        weights = {
            int(key): {int(frame): float(weight) for frame, weight in curve.items()}
            for key, curve in data.get("weights", {}).items()
        }
        # Earlier versions listed "position", which nothing read.
        passes = {k: v for k, v in data.get("passes", {}).items() if k in PASS_MEANINGS}
        parsed = {
            **{"frames": frames, "colour": colour, "weights": weights, "passes": passes},
            "blank_keys": {
                int(key): str(blank) for key, blank in data.get("blank_keys", {}).items()
            },
            "owner": {str(part): str(value) for part, value in data.get("owner", {}).items()},
            "id": str(data.get("id", "")),
            "version": MANIFEST_VERSION,
        }
        manifest = Manifest(**{**data, **parsed})
        positive = manifest.width > 0 and manifest.height > 0
        is_inside = re.fullmatch(r"([^\W_][\w -]*)?", manifest.matte) is not None
    except (KeyError, TypeError, ValueError, AttributeError):
        raise damaged from None
    if not (positive and is_inside):
        raise damaged
    return manifest


def _record(data: Mapping[str, Any]) -> FrameRecord:
    camera = data.get("camera")
    return FrameRecord(**{**data, "camera": Camera(**camera) if camera else None})
