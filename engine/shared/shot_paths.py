# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths of a shot folder's files, whether they are there or not."""

from __future__ import annotations

from pathlib import Path

from .frame_lists import frame_name
from .names import check_name

KEY_SUFFIXES = (".png", ".exr")
OUT_SUFFIXES = (".png", ".exr")
CLAIM_SUFFIX = ".claim"


class ShotPaths:
    """The files of a shot by what they are.

    Args:
        folder: the shot folder; it need not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def image_path(self, frame: int) -> Path:
        """``frames/0001.png``: the picture, display-referred, straight alpha."""
        return self.folder / "frames" / f"{frame_name(frame)}.png"

    def passes_path(self, frame: int) -> Path:
        """``frames/0001.exr``: the render passes; may not exist."""
        return self.folder / "frames" / f"{frame_name(frame)}.exr"

    def guide_path(self, name: str, frame: int) -> Path:
        """``guides/NAME/0001.png``: an extra guide picture."""
        return self.folder / "guides" / name / f"{frame_name(frame)}.png"

    def live_path(self, frame: int) -> Path:
        """``live/0001.png``: a frame as a live session outside Blender shows it."""
        return self.folder / "live" / f"{frame_name(frame)}.png"

    def cache_folder(self, name: str) -> Path:
        """``cache/NAME/``: cached results; may be deleted at any time."""
        return self.folder / "cache" / name

    def key_path(self, frame: int) -> Path:
        """The painting of a frame: the existing EXR or PNG, or else the path for a new PNG."""
        stem = self.folder / "keys" / frame_name(frame)
        for suffix in reversed(KEY_SUFFIXES):
            if stem.with_suffix(suffix).is_file():
                return stem.with_suffix(suffix)
        return stem.with_suffix(".png")

    def key_mask_path(self, frame: int) -> Path:
        """``keys/0001.mask.png``: training uses its white part only; may not exist."""
        return self.folder / "keys" / f"{frame_name(frame)}.mask.png"

    def style_path(self, style: str) -> Path:
        """``styles/NAME.safetensors``. Raises PaintoverError for a name that is not allowed."""
        return self.folder / "styles" / (check_name(style, "style") + ".safetensors")

    def style_folder(self, style: str) -> Path:
        """``styles/NAME/``: logs, loss curve, state to resume from."""
        return self.folder / "styles" / check_name(style, "style")

    def trainings_folder(self, style: str) -> Path:
        """``styles/NAME/trainings/``: trainings that are kept; see ``trainings.kept``."""
        return self.style_folder(style) / "trainings"

    def training_claim_path(self, style: str) -> Path:
        """``styles/.NAME.claim``: who trains the style, while it is trained; see ``claims``."""
        return self.folder / "styles" / f".{check_name(style, 'style')}{CLAIM_SUFFIX}"

    def sweep_folder(self, name: str) -> Path:
        """``sweeps/NAME/``: the trials of a search for settings, and its results."""
        return self.folder / "sweeps" / check_name(name, "style")

    def out_path(self, style: str, frame: int, suffix: str = ".png") -> Path:
        """``out/NAME/0001.png`` or ``.exr``: a stylized frame."""
        return self.folder / "out" / check_name(style, "style") / f"{frame_name(frame)}{suffix}"

    def out_record_path(self, style: str, frame: int) -> Path:
        """``out/NAME/made/0001.json``: the record of a stylized frame."""
        return self.out_path(style, frame).parent / "made" / f"{frame_name(frame)}.json"

    def frame_claim_path(self, style: str, frame: int) -> Path:
        """``out/NAME/made/.0001.claim``: who paints a frame, while it is painted."""
        folder = self.out_path(style, frame).parent
        return folder / "made" / f".{frame_name(frame)}{CLAIM_SUFFIX}"
