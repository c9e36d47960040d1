# SPDX-License-Identifier: GPL-3.0-or-later
"""A file from which a library may read only so much at a time."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

from ..shared.reading import open_file


class BoundedFile:
    """A file to read from, with a limit on the bytes that are read until the next step.

    Libraries keep what they read of a header in memory, or more, whatever it says that it is. To
    one that reads more than the limit, the file ends.

    Attributes:
        is_exhausted: whether the limit was reached.
    """

    def __init__(self, path: Path, most: int) -> None:
        """Open a file.

        Args:
            path: the file; no device or pipe.
            most: most bytes that may be read before ``next_step``, and between two of its calls.

        Raises:
            OSError: it may not be read, or is no file.
        """
        self.name = str(path)
        self._file = open_file(path)
        self._most = self._left = most
        self.is_exhausted = False

    def __enter__(self) -> BoundedFile:
        """Return the file."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the file."""
        self._file.close()

    def next_step(self) -> None:
        """Allow that as many bytes are read again."""
        self._left = self._most

    def read(self, size: int) -> bytes:
        """Read up to so many bytes, none beyond the limit."""
        self._left -= size
        self.is_exhausted |= self._left < 0
        return b"" if self.is_exhausted else self._file.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        """Go to a place in the file, and return it."""
        return self._file.seek(place, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return self._file.tell()
