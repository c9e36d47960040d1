# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``styles``: the trainings that are kept of each style, and one taken back."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ...shared.durations import format_seconds
from ...shared.errors import PaintoverError
from ...shared.frame_lists import format_frames
from ...shared.names import is_name, one_line
from ...shared.shot import Shot
from ...shared.trainings import kept
from ...shared.trainings.verdict import in_words, verdict
from ..terminal import Terminal
from .printing import print_data


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """List the trainings of styles, or take one back. Raises PaintoverError."""
    if options.take:
        sentence = take_back(options.shot, options.style, options.take)
        if not options.json:
            terminal.finished(sentence)
            return
    data = read_styles(options.shot, options.style)
    print_data(options, data, lambda: styles_in_words(data))


def read_styles(path: Path, style: str) -> dict[str, Any]:
    """Return the trainings of a shot's styles as JSON data.

    Args:
        path: the shot folder.
        style: name of a style; "" for all.

    Returns:
        ``folder``, and ``styles``: name → ``trained`` (whether it is there), ``trainings`` (newest
        first: ``name``, ``kept``, ``in_use``, ``best``, ``verdict``, ``words``, and what
        ``TrainingRecord`` has) and ``notes`` (sentences about records that cannot be read).

    Raises:
        PaintoverError: there is no shot, it is damaged, or it has no style of that name.
    """
    shot = Shot.open(path)
    names = [style] if style else _names(shot)
    if style and not shot.style_folder(style).is_dir() and not shot.style_path(style).is_file():
        raise PaintoverError(f'{path} has no style "{style}"; train it first.')
    return {"folder": str(path), "styles": {name: _style(shot, name) for name in names}}


def take_back(path: Path, style: str, training: str) -> str:
    """Take a training back; return a sentence that says so.

    Raises:
        PaintoverError: as ``kept.take_back``.
    """
    shot = Shot.open(path)
    name = style or "style"
    taken = kept.take_back(shot, name, training)
    return f"{shot.style_path(name)} is that of the training {taken.name}: {kept.describe(taken)}."


def styles_in_words(data: dict[str, Any]) -> str:
    """Return the data of ``read_styles`` as text."""
    lines = [f"Shot {data['folder']}"]
    for name, style in data["styles"].items():
        lines.append(f"  style {name}{'' if style['trained'] else ' (not trained)'}")
        for one in style["trainings"]:
            figure = "no figure" if one["held_out"] is None else f"{one['held_out']:.4f}"
            marks = [word for word in ("in use", "best") if one[word.replace(" ", "_")]]
            if not one["kept"]:
                marks.append("not kept")
            parts = (one["name"], format_seconds(one["seconds"]), figure, *marks)
            lines += [f"    {'  '.join(parts)}", f"      {one['words']}"]
        lines += [f"    {note}" for note in style["notes"]]
        if not style["trainings"]:
            lines.append("    no training is kept")
    return "\n".join(map(one_line, lines))


def _style(shot: Shot, name: str) -> dict[str, Any]:
    found = kept.read_trainings(shot, name)
    return {
        "trained": shot.style_path(name).is_file(),
        "trainings": [_training(one) for one in found.trainings],
        "notes": list(found.notes),
    }


def _training(one: kept.Training) -> dict[str, Any]:
    record = one.record
    return {
        "name": one.name,
        "kept": one.is_kept,
        "in_use": one.is_in_use,
        "best": one.is_best,
        "verdict": verdict(record).value,
        "words": in_words(record),
        "state": record.state,
        "began": record.began,
        "network": record.network,
        "keyframes": format_frames(record.trained_on),
        "held_out": record.held_out,
        "steps": record.steps,
        "seconds": record.seconds,
        "curve": record.curve,
    }


def _names(shot: Shot) -> list[str]:
    folder = shot.folder / "styles"
    found = folder.iterdir() if folder.is_dir() else ()
    names = {path.name.removesuffix(".safetensors") for path in found if path.name[0] != "."}
    return sorted(filter(is_name, names))
