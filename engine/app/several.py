# SPDX-License-Identifier: GPL-3.0-or-later
"""One command line for several shots: each is done in turn, and one that fails stops no other."""

from __future__ import annotations

import argparse
import copy
from pathlib import Path
from typing import Any

from ..shared.errors import PaintoverError
from ..shared.places import real_path
from .arguments.values import split_weights

SHOT = "{shot}"
"""Stands for the name of the shot's folder, in the paths of its own pictures."""
_FOLDERS = ("input", "painted", "mask", "guide", "truth")


def each_shot(options: argparse.Namespace) -> list[argparse.Namespace]:
    """Return the options of each shot, with its folder as ``shot``.

    Args:
        options: with ``shots``, or of a verb that has none; with ``only`` for the shot of that
            number alone.

    Raises:
        PaintoverError: several shots would take their pictures from one folder, or the words of
            ``weights`` are wrong.
    """
    if options.verb == "weights":
        options.shots, options.points = split_weights(options.words)
    shots = getattr(options, "shots", None)
    if shots is None:
        return [options]
    several = len(shots) > 1
    if several and options.verb in ("import", "matte"):
        folders = [value for name in _FOLDERS for value in _folders(getattr(options, name, None))]
        same = [folder for folder in folders if SHOT not in folder]
        if same:
            raise PaintoverError(
                f"All {len(shots)} shots would take the same pictures from {same[0]}; put {SHOT} "
                "into the path, which stands for the name of each shot's folder."
            )
    each = [_for_shot(options, shot) for shot in shots]
    return each[options.only - 1 : options.only] if options.only else each


def _for_shot(options: argparse.Namespace, shot: Path) -> argparse.Namespace:
    own = copy.copy(options)
    own.shot = shot
    name = real_path(shot).name
    for folder in _FOLDERS:
        value = getattr(own, folder, None)
        if value:
            setattr(own, folder, _filled(value, name))
    return own


def _filled(value: Any, name: str) -> Any:
    if isinstance(value, list):
        return [(guide, folder.replace(SHOT, name)) for guide, folder in value]
    return type(value)(str(value).replace(SHOT, name))


def _folders(value: Any) -> list[str]:
    if isinstance(value, list):
        return [folder for _, folder in value]
    return [str(value)] if value else []
