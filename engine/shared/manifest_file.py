# SPDX-License-Identifier: GPL-3.0-or-later
"""``shot.json`` and its journal on the disk, where several processes may write them."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from .checked import TooMuchError, from_data
from .errors import LaterVersionError, PaintoverError
from .files import cannot_write, read_unchanged, write_bytes
from .journal import JOURNAL_NAME, is_long, note, noted
from .locks import held_in_turn
from .manifest import (
    MANIFEST_NAME,
    FrameRecord,
    Manifest,
    check_records,
    manifest_to_text,
    read_manifest,
)
from .manifest_merge import merged
from .names import one_line

TURN_SECONDS = 30.0
"""Longest wait for other processes that write ``shot.json``, each of which takes milliseconds."""


class ManifestFile:
    """The manifest of a shot folder as a file.

    Args:
        folder: the shot folder; it need not exist yet.

    Attributes:
        base: JSON of the manifest as it was read: ``write`` keeps what others have changed since.
            None: nothing was read, and ``write`` replaces all.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._path = folder, folder / MANIFEST_NAME
        self.base: bytes | None = None

    def read(self) -> Manifest:
        """Return the manifest, with what the journal has noted since.

        Raises:
            FileNotFoundError, NotADirectoryError: there is none.
            PaintoverError: it is damaged, or of a later version.
        """
        (manifest, self.base), _ = read_unchanged(
            self._state, self._read_with_journal, str(self._path)
        )
        return manifest

    def write(self, manifest: Manifest) -> Manifest:
        """Write a manifest, and return it with what others have changed.

        What others have changed since it was read stays, unless this manifest changes the same.

        Raises:
            PaintoverError: the file cannot be written, a later Paintover wrote it, or a value in it
            would not be read again.
        """
        with self._turn():
            if self.base is None:
                self._check_not_later()
            with self._only_readable():
                text = manifest_to_text(manifest)
                if self.base is not None:
                    manifest, text = self._with_changes_of_others(manifest, text)
            self._replace(text)
        if self.base is not None:
            self.base = text.encode()
        return manifest

    def note(self, frame: int, record: FrameRecord) -> None:
        """Write the record of one frame, at the same cost however long the shot is.

        Raises:
            PaintoverError: it cannot be written, or would not be read again.
        """
        with self._turn(), self._only_readable():
            note(self._path, frame, record)
            if is_long(self._path):
                self._replace(manifest_to_text(self._read_with_journal()[0]))

    def check_room(self, manifest: Manifest, frames: Collection[int], record: FrameRecord) -> None:
        """Raise PaintoverError if a manifest with more frames would not be read again.

        Args:
            manifest: the manifest.
            frames: the frames that are to be added, each once.
            record: as long as that of one of them may be.
        """
        with self._only_readable():
            check_records(len(frames), record)  # first, as it takes no time or memory
            known = {**manifest.frames, **dict.fromkeys(frames, record)}
            manifest_to_text(dataclasses.replace(manifest, frames=known))

    def _replace(self, text: str) -> None:
        """Write the manifest, which has what the journal has noted."""
        write_bytes(self._path, text.encode())
        self._path.with_name(JOURNAL_NAME).unlink(missing_ok=True)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Write the manifest or its journal while no other process does.

        Without its turn nothing is written, since changes of others could be lost.
        """
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock = self._folder / f".{MANIFEST_NAME}.lock"
            with held_in_turn(lock, TURN_SECONDS) as is_my_turn:
                if not is_my_turn:
                    raise PaintoverError(
                        f"{self._path} stays as it was, since another process has kept it for "
                        f"{TURN_SECONDS:.0f} seconds; end other Blenders and engines that use "
                        "this shot, then try again."
                    )
                yield
        except OSError as error:
            raise cannot_write(self._path, error) from error

    def _state(self) -> tuple[int, int, int] | None:
        try:
            now = self._path.stat()
        except OSError:
            return None
        return now.st_ino, now.st_size, now.st_mtime_ns

    def _read_with_journal(self) -> tuple[Manifest, bytes]:
        """Return the manifest and its JSON."""
        manifest = read_manifest(self._path)
        frames = noted(self._path)
        if not frames:
            return manifest, self._path.read_bytes()
        manifest.frames.update(frames)
        manifest.frame_start, manifest.frame_end = min(manifest.frames), max(manifest.frames)
        return manifest, manifest_to_text(manifest, any_length=True).encode()

    def _with_changes_of_others(self, manifest: Manifest, text: str) -> tuple[Manifest, str]:
        """Return a manifest and its JSON with what others have changed."""
        assert self.base is not None
        try:
            _, disk = self._read_with_journal()
        except LaterVersionError:
            raise
        except (OSError, PaintoverError):
            return manifest, text  # missing or damaged: it is replaced
        if disk == self.base:
            return manifest, text
        data = merged(json.loads(self.base), json.loads(disk), json.loads(text))
        both = from_data(Manifest, data)
        return both, manifest_to_text(both)

    @contextmanager
    def _only_readable(self) -> Iterator[None]:
        """Tell what would not be read again, instead of writing it."""
        try:
            yield
        except TooMuchError as error:
            raise PaintoverError(
                f"{self._path} stays as it was, since it would be too long to be read again; "
                "capture or import fewer frames into this folder, and the others into another."
            ) from error
        except ValueError as error:
            raise PaintoverError(
                f"{self._path} stays as it was, since it would hold a value that Paintover does "
                f"not read ({one_line(str(error))[:200]}); check what you have set last."
            ) from error

    def _check_not_later(self) -> None:
        """Refuse to replace a manifest of a later Paintover; a damaged one may be replaced."""
        try:
            read_manifest(self._path)
        except LaterVersionError:
            raise
        except (OSError, PaintoverError):
            pass
