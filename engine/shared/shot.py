# SPDX-License-Identifier: GPL-3.0-or-later
"""The shot folder: the paths of its files, their digests, and its keyframes."""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from .checked import Digest, OneOf, Range, from_data
from .errors import LaterVersionError, PaintoverError
from .files import (
    cannot_write,
    digest_json,
    link_or_copy,
    read_by_state,
    read_unchanged,
    write_bytes,
)
from .frame_lists import frame_name
from .journal import JOURNAL_NAME, note, noted
from .locks import held_in_turn
from .manifest import (
    MANIFEST_NAME,
    Manifest,
    manifest_to_text,
    read_manifest,
)
from .manifest_merge import merged
from .names import check_name, one_line
from .pictures.digests import digest_picture
from .places import check_place
from .reading import read_json

KEY_SUFFIXES = (".png", ".exr")
OUT_SUFFIXES = (".png", ".exr")
CLAIM_SUFFIX = ".claim"
MOST_RECORD = 1 << 16
"""Most bytes of the notes on a stylized frame."""
TURN_SECONDS = 10.0
"""Longest wait for another process that writes ``shot.json``, which takes milliseconds."""


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
        self._base: bytes | None = None

    @classmethod
    def open(cls, folder: Path) -> Shot:
        """Read a shot folder.

        Raises:
            PaintoverError: there is no ``shot.json``, or it is damaged or of a later version.
        """
        path = folder / MANIFEST_NAME
        try:
            (manifest, base), _ = read_unchanged(
                lambda: _state(path), lambda: _read_with_journal(path), str(path)
            )
        except (FileNotFoundError, NotADirectoryError):
            raise PaintoverError(
                f"{folder} holds no shot yet; capture it in Blender, or import pictures into it."
            ) from None
        shot = cls(folder, manifest)
        shot._base = base
        return shot

    @staticmethod
    def exists(folder: Path) -> bool:
        """Return whether the folder has a manifest, readable or not."""
        return (folder / MANIFEST_NAME).exists()

    def goes_on_from(self, before: Shot | None) -> None:
        """Let ``save`` keep what others have changed since a shot was read.

        Without it, ``save`` keeps that only for a shot from ``open``, else it replaces all.

        Args:
            before: the shot as it was read; None: there was none.
        """
        self._base = before._base if before else b"{}"

    def save(self) -> None:
        """Write ``shot.json``, with a new id if it has none.

        What others have changed in it since the shot was read stays, unless this shot changes the
        same.

        Raises:
            PaintoverError: the file cannot be written, a later Paintover wrote it, or a value in it
            would not be read again.
        """
        self.manifest.id = self.manifest.id or secrets.token_hex(8)
        path = self.folder / MANIFEST_NAME
        with self._turn(path):
            text = _readable_text(path, self.manifest)
            if self._base is not None:
                text = self._with_changes_of_others(path, text)
            else:
                _check_not_later(path)
            write_bytes(path, text.encode())
            path.with_name(JOURNAL_NAME).unlink(missing_ok=True)
        if self._base is not None:
            self._base = text.encode()

    def note_frame(self, frame: int) -> None:
        """Write the record of one frame, at the same cost however long the shot is.

        Nothing else of the manifest is written.

        Raises:
            PaintoverError: it cannot be written.
        """
        path = self.folder / MANIFEST_NAME
        with self._turn(path):
            try:
                note(path, frame, self.manifest.frames[frame])
            except ValueError as error:
                raise _unreadable(path, error) from error

    def _with_changes_of_others(self, path: Path, text: str) -> str:
        """Return what to save, and take over what others have changed."""
        assert self._base is not None
        try:
            _, disk = _read_with_journal(path)
        except LaterVersionError:
            raise
        except (OSError, PaintoverError):
            return text  # missing or damaged: it is replaced
        if disk == self._base:
            return text
        data = merged(json.loads(self._base), json.loads(disk), json.loads(text))
        self.manifest = from_data(Manifest, data)
        return manifest_to_text(self.manifest)

    @contextmanager
    def _turn(self, path: Path) -> Iterator[None]:
        """Write the manifest or its journal while no other process does."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with held_in_turn(self.folder / f".{MANIFEST_NAME}.lock", TURN_SECONDS):
                yield
        except OSError as error:
            raise cannot_write(path, error) from error

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
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(path.stat().st_mtime))
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

    def trainings_folder(self, style: str) -> Path:
        """``styles/NAME/trainings/``: trainings that are kept; see ``trainings.kept``."""
        return self.style_folder(style) / "trainings"

    def training_claim_path(self, style: str) -> Path:
        """``styles/.NAME.claim``: who trains the style, while it is trained; see ``claims``."""
        return self.folder / "styles" / f".{check_name(style, 'style')}{CLAIM_SUFFIX}"

    def frame_claim_path(self, style: str, frame: int) -> Path:
        """``out/NAME/made/.0001.claim``: who paints a frame, while it is painted."""
        folder = self.out_path(style, frame).parent
        return folder / "made" / f".{frame_name(frame)}{CLAIM_SUFFIX}"

    def sweep_folder(self, name: str) -> Path:
        """``sweeps/NAME/``: the trials of a search for settings, and its results."""
        return self.folder / "sweeps" / check_name(name, "style")

    def out_path(self, style: str, frame: int, suffix: str = ".png") -> Path:
        """``out/NAME/0001.png`` or ``.exr``: a stylized frame."""
        return self.folder / "out" / check_name(style, "style") / f"{frame_name(frame)}{suffix}"

    def out_frames(self, style: str, suffix: str = ".png") -> list[int]:
        """Return the frames of the shot that are stylized in this format, sorted."""
        names = _names(self.out_path(style, 0).parent)
        return [frame for frame in self.frames if f"{frame_name(frame)}{suffix}" in names]

    def out_record_path(self, style: str, frame: int) -> Path:
        """``out/NAME/made/0001.json``: the record of a stylized frame."""
        return self.out_path(style, frame).parent / "made" / f"{frame_name(frame)}.json"

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
            record = _read_record(f"{folder}/made/{frame_name(frame)}.json")
            if record is not None and os.path.isfile(f"{folder}/{record.file}"):  # noqa: PTH113
                found[frame] = record
        return found

    def write_out_record(self, style: str, frame: int, record: OutRecord) -> None:
        """Write the record of a stylized frame. Call it after the frame is written."""
        text = json.dumps(dataclasses.asdict(record))
        write_bytes(self.out_record_path(style, frame), text.encode())

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


def _names(folder: Path) -> set[str]:
    """Return the names in a folder; none if it cannot be read."""
    try:
        return set(os.listdir(folder))  # noqa: PTH208 - a tenth of the time of pathlib's
    except OSError:
        return set()


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        now = path.stat()
    except OSError:
        return None
    return now.st_ino, now.st_size, now.st_mtime_ns


def _read_with_journal(path: Path) -> tuple[Manifest, bytes]:
    """Read ``shot.json`` and its journal; return the manifest and its JSON."""
    manifest = read_manifest(path)
    frames = noted(path)
    if not frames:
        return manifest, path.read_bytes()
    manifest.frames.update(frames)
    manifest.frame_start, manifest.frame_end = min(manifest.frames), max(manifest.frames)
    return manifest, manifest_to_text(manifest).encode()


def _parse_record(path: Path) -> OutRecord | None:
    try:
        record = from_data(OutRecord, read_json(path, MOST_RECORD))
    except (OSError, ValueError):
        return None
    return record if record.file in [path.stem + suffix for suffix in OUT_SUFFIXES] else None


_read_record = read_by_state(_parse_record, None)


def _readable_text(path: Path, manifest: Manifest) -> str:
    """Return the JSON of a manifest. Raises PaintoverError if it would not be read again."""
    try:
        return manifest_to_text(manifest)
    except ValueError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: ValueError) -> PaintoverError:
    return PaintoverError(
        f"{path} stays as it was, since it would hold a value that Paintover does not read "
        f"({one_line(str(error))[:200]}); check what you have set last."
    )


def _check_not_later(path: Path) -> None:
    """Raise PaintoverError if a later Paintover wrote a manifest; a damaged one may be replaced."""
    try:
        read_manifest(path)
    except LaterVersionError:
        raise
    except (OSError, PaintoverError):
        pass
