# SPDX-License-Identifier: GPL-3.0-or-later
"""The shot folder: where everything of a shot lies, and what its files are like.

Shared by Blender and the engine, so it needs nothing but the standard library.
"""

from __future__ import annotations

import dataclasses
import json
import re
import time
from collections.abc import Iterable
from pathlib import Path

from .errors import PaintoverError
from .files import digest_file, digest_json, write_bytes
from .frame_lists import frame_name
from .manifest import MANIFEST_NAME, Manifest, manifest_from_json

KEY_SUFFIXES = (".png", ".exr")
OUT_SUFFIXES = (".png", ".exr")


@dataclasses.dataclass(frozen=True)
class OutRecord:
    """What a stylized frame was made from: it is up to date while these hold."""

    file: str
    input: str
    style: str
    settings: str
    light: float = 0.5
    """``protocol.Stylize.light``; 0.5 too where the style has no use for it."""


def check_name(name: str, kind: str) -> str:
    """Return a name that is safe in file names on every system.

    Args:
        name: what the user typed.
        kind: what it names, for the message: ``style`` or ``guide``.

    Raises:
        PaintoverError: the name has other characters than letters, digits, spaces, ``.``, ``-``
            and ``_``, does not begin with a letter or a digit, or ends with a dot or a space.
    """
    if not re.fullmatch(r"[^\W_][\w .-]*", name) or name.strip(". ") != name:
        raise PaintoverError(
            f'"{name}" cannot be the name of a {kind}; use letters, digits, spaces, "-" and "_".'
        )
    return name


class Shot:
    """A shot folder on disk.

    Args:
        folder: the folder; it need not exist yet.
        manifest: what stands, or will stand, in its ``shot.json``.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        self.folder = folder
        self.manifest = manifest

    @classmethod
    def open(cls, folder: Path) -> Shot:
        """Read a shot folder.

        Raises:
            PaintoverError: there is no ``shot.json``, or it is damaged or of a later version.
        """
        path = folder / MANIFEST_NAME
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, NotADirectoryError):
            raise PaintoverError(
                f"{folder} holds no shot yet; capture it in Blender, or import pictures into it."
            ) from None
        except OSError as error:
            raise PaintoverError(f"Cannot read {path}: {error.strerror or error}.") from error
        except ValueError:
            raise PaintoverError(
                f"{path} is damaged; capture or import the shot again (paintings are kept)."
            ) from None
        return cls(folder, manifest_from_json(path, data))

    @staticmethod
    def exists(folder: Path) -> bool:
        """Tell whether the folder has a manifest, readable or not."""
        return (folder / MANIFEST_NAME).is_file()

    def save(self) -> None:
        """Write ``shot.json``. Raises PaintoverError where it cannot be written."""
        data = dataclasses.asdict(self.manifest)
        data["frames"] = {str(frame): record for frame, record in sorted(data["frames"].items())}
        text = json.dumps(data, indent=1, ensure_ascii=False) + "\n"
        write_bytes(self.folder / MANIFEST_NAME, text.encode())

    @property
    def frames(self) -> list[int]:
        """The frames that were captured or imported, sorted."""
        return sorted(self.manifest.frames)

    def image_path(self, frame: int) -> Path:
        """``frames/0001.png``: the picture, display-referred, straight alpha."""
        return self.folder / "frames" / f"{frame_name(frame)}.png"

    def passes_path(self, frame: int) -> Path:
        """``frames/0001.exr``: the renderer's passes; may be missing."""
        return self.folder / "frames" / f"{frame_name(frame)}.exr"

    def guide_path(self, name: str, frame: int) -> Path:
        """``guides/NAME/0001.png``: an extra guide picture."""
        return self.folder / "guides" / name / f"{frame_name(frame)}.png"

    def cache_folder(self, name: str) -> Path:
        """``cache/NAME/``: what was computed once and is looked up again; free to be deleted."""
        return self.folder / "cache" / name

    def key_path(self, frame: int) -> Path:
        """The painting of a frame: the EXR or PNG that is there, else the PNG that would be."""
        stem = self.folder / "keys" / frame_name(frame)
        for suffix in reversed(KEY_SUFFIXES):
            if stem.with_suffix(suffix).is_file():
                return stem.with_suffix(suffix)
        return stem.with_suffix(".png")

    def key_mask_path(self, frame: int) -> Path:
        """``keys/0001.mask.png``: learn from its white part only; may be missing."""
        return self.folder / "keys" / f"{frame_name(frame)}.mask.png"

    def key_frames(self) -> list[int]:
        """Frames that have a painting which is in use (not removed), sorted."""
        folder = self.folder / "keys"
        found = set()
        for path in folder.iterdir() if folder.is_dir() else ():
            if path.suffix in KEY_SUFFIXES and re.fullmatch(r"-?\d+", path.stem):
                found.add(int(path.stem))
        return sorted(found - set(self.manifest.removed_keys))

    def key_is_painted(self, frame: int) -> bool:
        """Tell whether the keyframe differs from the captured picture that it began as."""
        painting = digest_file(self.key_path(frame))
        return painting != "" and painting != digest_file(self.image_path(frame))

    def painted_keys(self) -> list[int]:
        """Return the keyframes in use that are painted, sorted."""
        return [frame for frame in self.key_frames() if self.key_is_painted(frame)]

    def keep_version(self, path: Path) -> Path | None:
        """Move a painting or mask to ``keys/versions/`` under a dated name, so that none is lost.

        Returns:
            Where it lies now, or None if there was no such file.
        """
        if not path.is_file():
            return None
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(path.stat().st_mtime))
        folder = path.parent / "versions"
        folder.mkdir(exist_ok=True)
        stem, dot, rest = path.name.partition(".")
        for number in range(1, 10_000):
            serial = "" if number == 1 else f"-{number}"
            kept = folder / f"{stem}.{stamp}{serial}{dot}{rest}"
            if not kept.exists():
                path.replace(kept)
                return kept
        raise PaintoverError(f"{folder} holds too many versions of {path.name}; tidy it up.")

    def style_path(self, style: str) -> Path:
        """``styles/NAME.safetensors``. Raises PaintoverError for an impossible name."""
        return self.folder / "styles" / (check_name(style, "style") + ".safetensors")

    def style_folder(self, style: str) -> Path:
        """``styles/NAME/``: log, loss curve, resume state."""
        return self.folder / "styles" / check_name(style, "style")

    def out_path(self, style: str, frame: int, suffix: str = ".png") -> Path:
        """``out/NAME/0001.png`` or ``.exr``: a stylized frame."""
        return self.folder / "out" / check_name(style, "style") / f"{frame_name(frame)}{suffix}"

    def out_record_path(self, style: str, frame: int) -> Path:
        """``out/NAME/made/0001.json``: what the stylized frame was made from."""
        return self.out_path(style, frame).parent / "made" / f"{frame_name(frame)}.json"

    def frame_digest(self, frame: int) -> str:
        """Digest of everything that shows one frame: picture, passes, extra guides."""
        paths = [self.image_path(frame), self.passes_path(frame)]
        paths += [self.guide_path(name, frame) for name in self.manifest.guides]
        return digest_json([digest_file(path) for path in paths])

    def key_digest(self, frame: int) -> str:
        """Digest of a keyframe: its painting, its mask and the frame that it paints over."""
        paths = [self.key_path(frame), self.key_mask_path(frame)]
        return digest_json([*(digest_file(path) for path in paths), self.frame_digest(frame)])

    def input_digest(self, frame: int, keys: Iterable[int]) -> str:
        """Digest of what one stylized frame is computed from, besides the style."""
        return digest_json([self.frame_digest(frame), *(self.key_digest(key) for key in keys)])

    def read_out_record(self, style: str, frame: int) -> OutRecord | None:
        """Read what a stylized frame was made from; None if it is missing or damaged."""
        try:
            data = json.loads(self.out_record_path(style, frame).read_text(encoding="utf-8"))
            record = OutRecord(**data)
        except (OSError, ValueError, TypeError):
            return None
        path = self.out_record_path(style, frame).parent.parent / record.file
        return record if path.is_file() else None

    def write_out_record(self, style: str, frame: int, record: OutRecord) -> None:
        """Note what a stylized frame was made from. Call it after the frame is in its place."""
        text = json.dumps(dataclasses.asdict(record))
        write_bytes(self.out_record_path(style, frame), text.encode())

    def missing_files(self) -> list[Path]:
        """Files of captured frames that are gone, in frame order."""
        missing = []
        for frame, record in sorted(self.manifest.frames.items()):
            if not self.image_path(frame).is_file():
                missing.append(self.image_path(frame))
            if record.passes and not self.passes_path(frame).is_file():
                missing.append(self.passes_path(frame))
        return missing
