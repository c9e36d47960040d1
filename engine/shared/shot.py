# SPDX-License-Identifier: GPL-3.0-or-later
"""The shot folder: the paths of its files, their digests, and its keyframes."""

from __future__ import annotations

import dataclasses
import json
import secrets
import time
from pathlib import Path
from typing import Annotated

from .checked import Digest, OneOf, Range, from_data
from .errors import PaintoverError
from .files import cannot_write, digest_json, link_or_copy, write_bytes
from .frame_lists import frame_name
from .manifest import MANIFEST_NAME, Manifest, read_manifest
from .names import check_name
from .pictures.digests import digest_picture
from .reading import read_json

KEY_SUFFIXES = (".png", ".exr")
OUT_SUFFIXES = (".png", ".exr")
MOST_RECORD = 1 << 16
"""Most bytes of the notes on a stylized frame."""


@dataclasses.dataclass(frozen=True)
class OutRecord:
    """Digests of everything that a stylized frame depends on; up to date while they match."""

    file: str
    input: Digest
    style: Digest
    settings: Digest
    light: Annotated[float, Range(0, 1)] = 0.5
    """As ``protocol.Stylize.light``; 0.5 if the style does not use it."""
    unpainted: Annotated[str, OneOf(("frame", "nothing"))] = "frame"
    """As ``protocol.Stylize.unpainted``; ``frame`` if the style does not learn alpha and the shot
    has no mattes."""


class Shot:
    """A shot folder on disk.

    Args:
        folder: the folder; it need not exist yet.
        manifest: contents of its ``shot.json``, saved or not.
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
        try:
            return cls(folder, read_manifest(folder / MANIFEST_NAME))
        except (FileNotFoundError, NotADirectoryError):
            raise PaintoverError(
                f"{folder} holds no shot yet; capture it in Blender, or import pictures into it."
            ) from None

    @staticmethod
    def exists(folder: Path) -> bool:
        """Return whether the folder has a manifest, readable or not."""
        return (folder / MANIFEST_NAME).exists()

    def save(self) -> None:
        """Write ``shot.json``, with a new id if it has none.

        Raises:
            PaintoverError: the file cannot be written.
        """
        self.manifest.id = self.manifest.id or secrets.token_hex(8)
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
        """``frames/0001.exr``: the render passes; may not exist."""
        return self.folder / "frames" / f"{frame_name(frame)}.exr"

    def guide_path(self, name: str, frame: int) -> Path:
        """``guides/NAME/0001.png``: an extra guide picture."""
        return self.folder / "guides" / name / f"{frame_name(frame)}.png"

    def matte_path(self, frame: int, name: str = "") -> Path:
        """``mattes/NAME/0001.png``: what of the frame is painted; NAME is that of the manifest."""
        return self.folder / "mattes" / (name or self.manifest.matte) / f"{frame_name(frame)}.png"

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

    def key_frames(self) -> list[int]:
        """Return the keyframes, sorted: frames with a painting that is not removed.

        Other pictures in ``keys/`` are told by ``keyframes.names``.
        """
        folder = self.folder / "keys"
        found = folder.iterdir() if folder.is_dir() else ()
        there = {path.name for path in found if path.suffix in KEY_SUFFIXES and path.is_file()}
        return [
            frame
            for frame in self.frames
            if frame not in self.manifest.removed_keys
            and any(f"{frame_name(frame)}{suffix}" in there for suffix in KEY_SUFFIXES)
        ]

    def key_is_painted(self, frame: int) -> bool:
        """Return whether a frame has a painting that shows more than the captured picture.

        A file that is known to be blank stays so when the frame is captured anew.
        """
        blank = ("", digest_picture(self.image_path(frame)), self.manifest.blank_keys.get(frame))
        return digest_picture(self.key_path(frame)) not in blank

    def painted_keys(self) -> list[int]:
        """Return the painted keyframes, sorted."""
        return [frame for frame in self.key_frames() if self.key_is_painted(frame)]

    def link_version(self, path: Path) -> Path | None:
        """Give a painting or mask a second name in ``keys/versions/``, with its date.

        The file stays where it is until another replaces it, so it is never absent.

        Returns:
            The path in ``versions/``, or None if the file does not exist.

        Raises:
            PaintoverError: there are 9999 versions of that date, or it cannot be written.
        """
        if not path.is_file():
            return None
        try:
            return self._linked_version(path)
        except OSError as error:
            raise cannot_write(path.parent / "versions", error) from error

    def _linked_version(self, path: Path) -> Path:
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(path.stat().st_mtime))
        folder = path.parent / "versions"
        folder.mkdir(exist_ok=True)
        stem, dot, rest = path.name.partition(".")
        for number in range(1, 10_000):
            serial = "" if number == 1 else f"-{number}"
            version = folder / f"{stem}.{stamp}{serial}{dot}{rest}"
            try:
                link_or_copy(path, version)
            except FileExistsError:
                if not version.samefile(path):
                    continue
            return version
        raise PaintoverError(f"{folder} has too many versions of {path.name}; delete some.")

    def keep_version(self, path: Path) -> Path | None:
        """Move a painting or mask to ``keys/versions/``; see ``link_version``."""
        version = self.link_version(path)
        if version is not None:
            try:
                path.unlink()
            except OSError as error:
                raise cannot_write(path, error) from error
        return version

    def style_path(self, style: str) -> Path:
        """``styles/NAME.safetensors``. Raises PaintoverError for a name that is not allowed."""
        return self.folder / "styles" / (check_name(style, "style") + ".safetensors")

    def style_folder(self, style: str) -> Path:
        """``styles/NAME/``: logs, loss curve, state to resume from."""
        return self.folder / "styles" / check_name(style, "style")

    def out_path(self, style: str, frame: int, suffix: str = ".png") -> Path:
        """``out/NAME/0001.png`` or ``.exr``: a stylized frame."""
        return self.folder / "out" / check_name(style, "style") / f"{frame_name(frame)}{suffix}"

    def out_frames(self, style: str, suffix: str = ".png") -> list[int]:
        """Return the frames of the shot that are stylized in this format, sorted."""
        folder = self.out_path(style, 0).parent
        try:
            names = {path.name for path in folder.iterdir()}
        except OSError:
            return []
        return [frame for frame in self.frames if f"{frame_name(frame)}{suffix}" in names]

    def out_record_path(self, style: str, frame: int) -> Path:
        """``out/NAME/made/0001.json``: the record of a stylized frame."""
        return self.out_path(style, frame).parent / "made" / f"{frame_name(frame)}.json"

    def frame_digest(self, frame: int) -> str:
        """Return the digest of a frame: its picture, passes and extra guides."""
        paths = [self.image_path(frame), self.passes_path(frame)]
        paths += [self.guide_path(name, frame) for name in self.manifest.guides]
        return digest_json([digest_picture(path) for path in paths])

    def input_digest(self, frame: int) -> str:
        """Return the digest of what is read to paint a frame: ``frame_digest``, and its matte."""
        digest = self.frame_digest(frame)
        if not self.manifest.matte:
            return digest
        return digest_json([digest, digest_picture(self.matte_path(frame))])

    def key_digest(self, frame: int) -> str:
        """Return the digest of a keyframe: its painting, its mask or matte, and its frame."""
        mask = self.key_mask_path(frame)
        if self.manifest.matte and not mask.is_file():
            mask = self.matte_path(frame)
        paths = [self.key_path(frame), mask]
        return digest_json([*(digest_picture(path) for path in paths), self.frame_digest(frame)])

    def read_out_record(self, style: str, frame: int) -> OutRecord | None:
        """Read the record of a stylized frame; None if it is damaged, or it or the frame lacks."""
        try:
            data = read_json(self.out_record_path(style, frame), MOST_RECORD)
            record = from_data(OutRecord, data)
        except (OSError, ValueError):
            return None
        if record.file not in [f"{frame_name(frame)}{suffix}" for suffix in OUT_SUFFIXES]:
            return None
        path = self.out_record_path(style, frame).parent.parent / record.file
        return record if path.is_file() else None

    def write_out_record(self, style: str, frame: int, record: OutRecord) -> None:
        """Write the record of a stylized frame. Call it after the frame is written."""
        text = json.dumps(dataclasses.asdict(record))
        write_bytes(self.out_record_path(style, frame), text.encode())

    def missing_files(self) -> list[Path]:
        """Return the files of captured frames that do not exist, in frame order."""
        missing = []
        for frame, record in sorted(self.manifest.frames.items()):
            if not self.image_path(frame).is_file():
                missing.append(self.image_path(frame))
            if record.passes and not self.passes_path(frame).is_file():
                missing.append(self.passes_path(frame))
        return missing

    def missing_mattes(self) -> list[int]:
        """Return the frames that lack their matte, sorted; none if the shot has no mattes."""
        if not self.manifest.matte:
            return []
        return [frame for frame in self.frames if not self.matte_path(frame).is_file()]
