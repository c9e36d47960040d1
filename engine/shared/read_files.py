# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading files that may be replaced at any moment, together with the digest of what was read."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import TypeVar

from .errors import PaintoverError

_Read = TypeVar("_Read")
_Digest = TypeVar("_Digest")

ATTEMPTS = 5
"""How often files are read until they stay the same meanwhile."""


@dataclasses.dataclass(frozen=True)
class ReadDigests:
    """Digests of what a job has read; other files may lie there by now.

    Attributes:
        style: of the style file, or what stands for it in records.
        keys: keyframe → ``Shot.key_digest``.
        frame: ``Shot.frame_digest`` of the stylized frame.
    """

    style: str
    keys: Mapping[int, str]
    frame: str


def read_unchanged(
    digest: Callable[[], _Digest], read: Callable[[], _Read], what: str
) -> tuple[_Read, _Digest]:
    """Read files, again if they are replaced meanwhile.

    Args:
        digest: returns the digest of the files as they are now.
        read: reads them.
        what: names them in the error's sentence.

    Returns:
        What was read, and its digest.

    Raises:
        PaintoverError: the files change all the time.
    """
    before = digest()
    for _ in range(ATTEMPTS):
        found = read()
        after = digest()
        if after == before:
            return found, before
        before = after
    raise PaintoverError(f"{what} changes while it is read; try again when it is written.")
