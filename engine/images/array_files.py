# SPDX-License-Identifier: GPL-3.0-or-later
"""Arrays in the caches of a shot: safetensors files with a digest, which anyone may have made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..shared.checked import WrongDataError
from ..shared.files import digest_bytes, digest_json, write_bytes
from ..shared.reading import open_file

Arrays = Mapping[str, npt.NDArray[Any]]
_DIGEST = "digest"


def write_arrays(path: Path, arrays: Arrays, digest: str) -> None:
    """Write arrays, whole or not at all.

    Args:
        path: the file.
        arrays: by their names.
        digest: of what they were made from.

    Raises:
        PaintoverError: the file cannot be written.
    """
    whole = {name: np.ascontiguousarray(one) for name, one in arrays.items()}
    write_bytes(path, save(whole, {_DIGEST: digest + _digest_of(whole)}))


def read_arrays(path: Path, digest: str, most: int) -> dict[str, npt.NDArray[Any]] | None:
    """Read arrays; None if they are missing, out of date, damaged or too large.

    Their names, kinds, shapes and values may be any: see ``checked_array``.

    Args:
        path: the file.
        digest: of what they are to have been made from.
        most: most bytes that the file may have.
    """
    try:
        with open_file(path) as file:
            if file.seek(0, 2) > most:
                return None
        with safe_open(path, "np") as opened:
            stored = (opened.metadata() or {}).get(_DIGEST, "")
            if not stored.startswith(digest):
                return None
            arrays = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
    except (OSError, ValueError, KeyError, TypeError, AttributeError, SafetensorError):
        return None  # AttributeError: a kind of number that NumPy has not
    return arrays if stored == digest + _digest_of(arrays) else None


def checked_array(
    arrays: Arrays, name: str, kind: type[np.generic], *shape: int | None
) -> npt.NDArray[Any]:
    """Return one of the arrays.

    Args:
        arrays: as they were read.
        name: its name.
        kind: of its numbers.
        shape: that it must have; None: any length.

    Raises:
        ValueError: it is missing, or of another kind or shape.
    """
    found = arrays.get(name)
    if found is None or found.dtype != kind or len(found.shape) != len(shape):
        raise WrongDataError(f"{name} is missing or of another kind")
    if any(wanted not in (None, length) for wanted, length in zip(shape, found.shape, strict=True)):
        raise WrongDataError(f"{name} has another shape")
    return found


def is_within(values: npt.NDArray[Any], low: float, high: float) -> bool:
    """Return whether all numbers of an array are from ``low`` to ``high``; NaN is not."""
    return bool(((values >= low) & (values <= high)).all())


def _digest_of(arrays: Arrays) -> str:
    """Return the digest of contiguous arrays with their names, kinds and shapes."""
    names = sorted(arrays)
    heads = [[name, str(arrays[name].dtype), list(arrays[name].shape)] for name in names]
    return digest_bytes(digest_json(heads).encode(), *(arrays[name].tobytes() for name in names))
