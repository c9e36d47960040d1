# SPDX-License-Identifier: GPL-3.0-or-later
"""The shot folder: its manifest, the digests of its files, and its keyframes."""

from __future__ import annotations

import os
import secrets
from collections.abc import Collection, Iterable
from pathlib import Path

from .dates import date_stamp
from .errors import NoShotError, PaintoverError
from .files import cannot_write, delete, digest_json, link_or_copy
from .frame_lists import frame_name
from .manifest import MANIFEST_NAME, FrameRecord, Manifest
from .manifest_file import ManifestFile
from .out_records import OutRecord, read_record, write_record
from .pictures.digests import digest_picture
from .places import check_place, is_file, is_folder, is_there
from .shot_paths import KEY_SUFFIXES, ShotPaths


class Shot(ShotPaths):
    """A shot folder on disk.

    Args:
        folder: the folder; it need not exist yet.
        manifest: contents of its ``shot.json``, saved or not.
    """

    def __init__(self, folder: Path, manifest: Manifest) -> None:
        super().__init__(folder)
        self.manifest = manifest
        self._file = ManifestFile(folder)

    @classmethod
    def open(cls, folder: Path) -> Shot:
        """Read a shot folder.

        Raises:
            NoShotError: there is no ``shot.json``.
            PaintoverError: it cannot be read, or is damaged or of a later version.
        """
        file = ManifestFile(folder)
        try:
            manifest = file.read()
        except (FileNotFoundError, NotADirectoryError):
            raise NoShotError(
                f"{folder} holds no shot yet; capture it in Blender, or import pictures into it."
            ) from None
        shot = cls(folder, manifest)
        shot._file = file
        return shot

    @staticmethod
    def exists(folder: Path) -> bool:
        """Return whether the folder has a manifest, readable or not.

        False where the disk cannot tell, as for a name that is too long; ``open`` says why.
        """
        return is_there(folder / MANIFEST_NAME)

    def goes_on_from(self, before: Shot | None) -> None:
        """Let ``save`` keep what others have changed since a shot was read.

        Without it, ``save`` keeps that only for a shot from ``open``, else it replaces all.

        Args:
            before: the shot as it was read; None: there was none.
        """
        self._file.base = before._file.base if before else b"{}"

    def save(self) -> None:
        """Write ``shot.json``, with a new id if it has none.

        What others have changed in it since the shot was read stays, unless this shot changes the
        same.

        Raises:
            PaintoverError: the file cannot be written, a later Paintover wrote it, or a value in it
            would not be read again.
        """
        self.manifest.id = self.manifest.id or secrets.token_hex(8)
        self.manifest = self._file.write(self.manifest)

    def check_room(self, frames: Collection[int], record: FrameRecord) -> None:
        """Raise PaintoverError if ``shot.json`` with more frames would be too long to be read.

        Args:
            frames: the frames that are to be added, each once.
            record: as long as that of one of them may be.
        """
        self._file.check_room(self.manifest, frames, record)

    def note_frame(self, frame: int) -> None:
        """Write the record of one frame, at the same cost however long the shot is.

        Nothing else of the manifest is written.

        Raises:
            PaintoverError: it cannot be written.
        """
        self._file.note(frame, self.manifest.frames[frame])

    @property
    def frames(self) -> list[int]:
        """The frames that were captured or imported, sorted."""
        return sorted(self.manifest.frames)

    def check_frames(self) -> None:
        """Raise PaintoverError if no frame was captured or imported yet."""
        if not self.manifest.frames:
            raise PaintoverError(f"{self.folder} has no frames yet; capture or import them.")

    def matte_path(self, frame: int, name: str = "") -> Path:
        """``mattes/NAME/0001.png``: what of the frame is painted; NAME is that of the manifest."""
        return self.folder / "mattes" / (name or self.manifest.matte) / f"{frame_name(frame)}.png"

    def copy_digest(self, frame: int, path: Path) -> str:
        """Return the digest of a frame's picture, passes, guide or matte as a job has made it.

        It is "" where none is noted.
        """
        record = self.manifest.frames.get(frame)
        if record is None:
            return ""
        if path == self.image_path(frame):
            return record.image
        if path == self.passes_path(frame):
            return record.passes
        return record.copies.get(copy_folder(self.folder, path), "")

    def key_frames(self) -> list[int]:
        """Return the keyframes, sorted: frames with a painting that is not removed.

        Other pictures in ``keys/`` are told by ``keyframes.names``.

        Raises:
            PaintoverError: the folder cannot be read.
        """
        folder = self.folder / "keys"
        try:
            names = os.listdir(folder) if is_folder(folder) else []  # noqa: PTH208 - as _names
        except OSError as error:
            raise PaintoverError(
                f"{folder} cannot be read ({error.strerror}); check its permissions."
            ) from error
        there = {name for name in names if name.endswith(KEY_SUFFIXES) and is_file(folder / name)}
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

    def link_version(self, path: Path, name: str = "") -> Path | None:
        """Give a painting or mask a second name in ``keys/versions/``, with its date.

        The file stays where it is until another replaces it, so it is never absent.

        Args:
            path: the file, in ``keys/``.
            name: of the painting or mask, if the file has a temporary name.

        Returns:
            The path in ``versions/``, or None if the file does not exist.

        Raises:
            PaintoverError: there are 9999 versions of that date, or it cannot be written.
        """
        if not path.is_file():
            return None
        try:
            return self._linked_version(path, name or path.name)
        except OSError as error:
            raise cannot_write(path.parent / "versions", error) from error

    def _linked_version(self, path: Path, name: str) -> Path:
        stamp = date_stamp(path.stat().st_mtime)
        folder = path.parent / "versions"
        check_place(folder / path.name)
        folder.mkdir(exist_ok=True)
        stem, dot, rest = name.partition(".")
        for number in range(1, 10_000):
            serial = "" if number == 1 else f"-{number}"
            version = folder / f"{stem}.{stamp}{serial}{dot}{rest}"
            try:
                link_or_copy(path, version)
            except FileExistsError:
                if not version.samefile(path):
                    continue
            return version
        raise PaintoverError(f"{folder} has too many versions of {name}; delete some.")

    def keep_version(self, path: Path) -> Path | None:
        """Move a painting or mask to ``keys/versions/``; see ``link_version``.

        Raises PaintoverError as that, or if the file cannot be deleted where it was.
        """
        version = self.link_version(path)
        if version is not None:
            delete(path)
        return version

    def out_frames(self, style: str, suffix: str = ".png") -> list[int]:
        """Return the frames of the shot that are stylized in this format, sorted."""
        names = _names(self.out_path(style, 0).parent)
        return [frame for frame in self.frames if f"{frame_name(frame)}{suffix}" in names]

    def frame_digest(self, frame: int) -> str:
        """Return the digest of a frame: its picture, passes and extra guides."""
        folder, name = os.fspath(self.folder), frame_name(frame)
        paths = [f"{folder}/frames/{name}.png", f"{folder}/frames/{name}.exr"]
        paths += [f"{folder}/guides/{guide}/{name}.png" for guide in self.manifest.guides]
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

    def painting_digest(self, frame: int) -> str:
        """Return the digest of a painting and its mask file, without its frame."""
        return digest_json(
            [digest_picture(p) for p in (self.key_path(frame), self.key_mask_path(frame))]
        )

    def read_out_record(self, style: str, frame: int) -> OutRecord | None:
        """Read the record of a stylized frame; None if the record or the frame is missing."""
        return self.read_out_records(style, [frame]).get(frame)

    def read_out_records(self, style: str, frames: Iterable[int]) -> dict[int, OutRecord]:
        """Read the records of stylized frames, without those whose record or frame is missing."""
        folder = os.fspath(self.out_path(style, 0).parent)
        found = {}
        for frame in frames:
            record = read_record(f"{folder}/made/{frame_name(frame)}.json")
            if record is not None and os.path.isfile(f"{folder}/{record.file}"):  # noqa: PTH113
                found[frame] = record
        return found

    def write_out_record(self, style: str, frame: int, record: OutRecord) -> None:
        """Write the record of a stylized frame. Call it after the frame is written."""
        write_record(self.out_record_path(style, frame), record)

    def missing_files(self) -> list[Path]:
        """Return the files of captured frames that do not exist, in frame order."""
        there = _names(self.folder / "frames")
        missing = []
        for frame, record in sorted(self.manifest.frames.items()):
            name = frame_name(frame)
            if f"{name}.png" not in there:
                missing.append(self.image_path(frame))
            if record.passes and f"{name}.exr" not in there:
                missing.append(self.passes_path(frame))
        return missing

    def missing_mattes(self) -> list[int]:
        """Return the frames that lack their matte, sorted; none if the shot has no mattes."""
        if not self.manifest.matte:
            return []
        there = _names(self.matte_path(0).parent)
        return [frame for frame in self.frames if f"{frame_name(frame)}.png" not in there]


def copy_folder(folder: Path, path: Path) -> str:
    """Return the name in ``FrameRecord.copies`` for the folder of a guide or matte of a shot."""
    return path.parent.relative_to(folder).as_posix()


def _names(folder: Path) -> set[str]:
    """Return the names in a folder; none if it cannot be read."""
    try:
        return set(os.listdir(folder))  # noqa: PTH208 - a tenth of the time of pathlib's
    except OSError:
        return set()
