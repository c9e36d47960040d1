# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's folder, held by one Blender at a time."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from ..engine.shared.errors import PaintoverError
from ..engine.shared.locks import held_alone
from . import faults, places


@contextlib.contextmanager
def held_folder(folder: Path) -> Iterator[None]:
    """Hold the engine's folder alone; errors of the disk become sentences."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with held_alone(folder / places.LOCK) as is_alone:
            if not is_alone:
                raise PaintoverError(
                    "Another Blender is installing the engine; wait until it has ended."
                )
            yield
    except OSError as error:
        raise faults.disk_error(error, folder) from error
