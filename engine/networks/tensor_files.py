# SPDX-License-Identifier: GPL-3.0-or-later
"""Tensors in safetensors files: read within bounds, their digest, and checks of their values."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from ..shared.checked import WrongDataError
from ..shared.reading import open_file

DIGEST_LENGTH = 32
"""Characters of the digest of tensors."""
LARGEST_VALUE = 1e6
"""Largest magnitude of a weight, an activation or a moment; those of trained networks are below
a thousandth of it."""


def read_tensors(path: Path, most: int) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read the tensors and the metadata of a safetensors file.

    Args:
        path: the file.
        most: most bytes that it may have.

    Raises:
        OSError: there is no such file, or it may not be read.
        ValueError: it is too large or damaged.
    """
    with open_file(path) as file:
        if file.seek(0, 2) > most:
            raise WrongDataError("too large")
    try:
        with safe_open(path, "pt") as opened:
            tensors = {name: opened.get_tensor(name) for name in opened.keys()}  # noqa: SIM118
            return tensors, dict(opened.metadata() or {})
    except (SafetensorError, RuntimeError, TypeError, KeyError, AttributeError) as error:
        raise WrongDataError(str(error)) from error


def digest_tensors(tensors: Mapping[str, Tensor], text: str = "") -> str:
    """Return the digest of tensors with their names, kinds and shapes, and of a text beside them.

    Args:
        tensors: on the CPU, contiguous.
        text: what else is in the file.
    """
    hasher = hashlib.blake2b(digest_size=DIGEST_LENGTH // 2)
    for part in (text, *(name for name in sorted(tensors))):
        hasher.update(len(part.encode()).to_bytes(8, "little") + part.encode())
    for name in sorted(tensors):
        value = tensors[name]
        hasher.update(f"{value.dtype} {tuple(value.shape)} ".encode())
        hasher.update(value.flatten().view(torch.uint8).numpy().data)
    return hasher.hexdigest()


def check_tensors(tensors: Mapping[str, Tensor], like: Mapping[str, Tensor] | None = None) -> None:
    """Check that tensors can be computed with.

    Args:
        tensors: the tensors.
        like: tensors of the same names, kinds (whole or floating-point) and shapes; None: these
            are free, but all are floating-point.

    Raises:
        ValueError: names, kinds or shapes differ, or a value is not finite or very large.
    """
    if like is not None and tensors.keys() != like.keys():
        raise WrongDataError("the names of the tensors differ")
    for name, value in tensors.items():
        wanted = value if like is None else like[name]
        is_float = wanted.is_floating_point() or like is None
        if value.shape != wanted.shape or value.is_floating_point() != is_float:
            raise WrongDataError(f"{name} has another shape or kind")
        if is_float and not (value.abs() <= LARGEST_VALUE).all():
            raise WrongDataError(f"{name} is not finite or very large")
