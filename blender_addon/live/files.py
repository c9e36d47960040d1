# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that pixels go through between Blender and the engine while a session runs."""

from __future__ import annotations

import contextlib
from pathlib import Path

from .. import user_folders
from ..engine.shared.files import cannot_write
from ..engine.shared.temporary import remove_leftovers, temporary_file


class LiveFiles:
    """Temporary files that ``close`` deletes; those of Blenders that crashed are deleted first.

    Raises:
        PaintoverError: no folder can be written.
    """

    def __init__(self) -> None:
        self._folder = user_folders.cache_folder("live")
        self._stack = contextlib.ExitStack()
        remove_leftovers(self._folder)

    def make(self, name: str) -> Path:
        """Make an empty file and return its path. Raises PaintoverError if it cannot be made."""
        path = self._folder / name
        try:
            return self._stack.enter_context(temporary_file(path))
        except OSError as error:
            raise cannot_write(path, error) from error

    def close_with(self, resource: contextlib.AbstractContextManager[object]) -> None:
        """Let ``close`` leave a resource before the files are deleted."""
        self._stack.enter_context(resource)

    def close(self) -> None:
        """Delete the files."""
        self._stack.close()
