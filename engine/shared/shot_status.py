# SPDX-License-Identifier: GPL-3.0-or-later
"""Which frames of a shot are painted, and who works on what, for farms.

It looks at names and dates of files alone, and opens none but the manifest and the claims, so it
costs little however long the shot is. Whether frames are up to date is told by ``info``.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import claim_file
from .claims import STALE, holder_of
from .durations import format_seconds
from .frame_lists import format_frames, frame_name
from .names import is_name, one_line
from .shot import Shot
from .shot_paths import CLAIM_SUFFIX, OUT_SUFFIXES

Who = dict[str, Any]
_CLAIM = re.compile(r"\.(.+)" + re.escape(CLAIM_SUFFIX))


def read_status(path: Path) -> dict[str, Any]:
    """Return the status of a shot as JSON data.

    Returns:
        ``folder``, ``frames`` (a frame list), and ``styles``: name → ``trained``, ``training``
        (who trains it, or None), ``painted`` and ``missing`` (frame lists), ``older`` (those
        painted before the style was written), and ``painting``: who paints which ``frames``.
        ``sweeps``: name → who tries which ``trial``. Who is ``machine``, ``process``, ``since``
        by that machine's clock, and ``last_sign``: for how many seconds it has given no sign of
        life. One that was killed on this machine is not told; one elsewhere is until another
        takes over what it has claimed.

    Raises:
        PaintoverError: there is no shot, or it is damaged.
    """
    shot = Shot.open(path)
    trainers = dict(_claims(shot.folder / "styles"))
    names = {name.removesuffix(".safetensors") for name in _dated(shot.folder / "styles")}
    names |= set(trainers) | set(_dated(shot.folder / "out"))
    frames = shot.frames
    return {
        "folder": str(path),
        "frames": format_frames(frames),
        "styles": {
            name: _style(shot, name, frames, trainers.get(name))
            for name in sorted(filter(is_name, names))
        },
        "sweeps": {
            name: _searchers(shot.sweep_folder(name))
            for name in sorted(filter(is_name, _dated(shot.folder / "sweeps")))
        },
    }


def status_in_words(data: dict[str, Any]) -> str:
    """Return the data of ``read_status`` as text."""
    lines = [f"Shot {data['folder']}", f"  frames     {data['frames'] or 'none'}"]
    for name, style in data["styles"].items():
        lines.append(f"  style      {name}{'' if style['trained'] else ' (not trained)'}")
        lines.append(f"    painted    {style['painted'] or 'none'}")
        if style["older"]:
            lines.append(f"    older than the style: {style['older']}")
        if style["missing"]:
            lines.append(f"    missing    {style['missing']}")
    lines += [f"  {line}" for line in workers_in_words(data)]
    return "\n".join(map(one_line, lines))


def workers_in_words(data: dict[str, Any]) -> list[str]:
    """Return who works on what, a line each, from the data of ``read_status``."""
    lines = []
    for name, style in data["styles"].items():
        if style["training"]:
            lines.append(f'"{name}" is trained by {_in_words(style["training"])}')
        for who in style["painting"]:
            lines.append(f'frames {who["frames"]} of "{name}" are painted by {_in_words(who)}')
    for name, searchers in data["sweeps"].items():
        for who in searchers:
            lines.append(
                f'trial {who["trial"] + 1} of the sweep "{name}" is tried by {_in_words(who)}'
            )
    return lines


def _in_words(who: dict[str, Any]) -> str:
    words = f"process {who['process']} on {who['machine']} since {who['since']}"
    if who["last_sign"] <= STALE:
        return words
    return f"{words}, last sign {format_seconds(who['last_sign'])} ago"


def _style(shot: Shot, name: str, frames: list[int], trainer: Who | None) -> dict[str, Any]:
    out = shot.out_path(name, 0).parent
    pictures, records = _dated(out), _dated(out / "made")
    trained = _dated(shot.folder / "styles").get(f"{name}.safetensors")
    painted, older = [], []
    for frame in frames:
        file = frame_name(frame)
        record = records.get(f"{file}.json")
        if record is None or not any(f"{file}{suffix}" in pictures for suffix in OUT_SUFFIXES):
            continue
        painted.append(frame)
        if trained is not None and record < trained:
            older.append(frame)
    return {
        "trained": trained is not None,
        "training": trainer,
        "painted": format_frames(painted),
        "older": format_frames(older),
        "missing": format_frames(set(frames).difference(painted)),
        "painting": _painters(out / "made"),
    }


def _painters(made: Path) -> list[Who]:
    """Return who paints which frames."""
    found: dict[tuple[str, int, str], tuple[Who, list[int]]] = {}
    for name, who in _claims(made):
        if re.fullmatch("-?[0-9]{1,12}", name):
            key = (who["machine"], who["process"], who["since"])
            found.setdefault(key, (who, []))[1].append(int(name))
    return [{**who, "frames": format_frames(frames)} for _, (who, frames) in sorted(found.items())]


def _searchers(folder: Path) -> list[Who]:
    """Return who tries which trials of a sweep."""
    trials = {
        int(name.removeprefix("trial-")): who
        for name, who in _claims(folder)
        if re.fullmatch("trial-[0-9]{1,12}", name)
    }
    return [{**who, "trial": trial} for trial, who in sorted(trials.items())]


def _claims(folder: Path) -> Iterator[tuple[str, Who]]:
    """Yield the claims in a folder but those of the killed: what is claimed, and by whom."""
    for name, written in _dated(folder).items():
        match = _CLAIM.fullmatch(name)
        holder = holder_of(folder / name) if match else None
        if not match or not holder or not holder.token:  # it has just been made
            continue
        if claim_file.is_of_this_machine(holder) and claim_file.is_unlocked(folder / name):
            continue
        who = {"machine": holder.machine, "process": holder.process, "since": holder.since}
        yield match[1], {**who, "last_sign": max(0, round(time.time() - written))}


def _dated(folder: Path) -> dict[str, float]:
    """Return when each file in a folder was changed last, by its name."""
    try:
        with os.scandir(folder) as entries:
            return {entry.name: entry.stat(follow_symlinks=False).st_mtime for entry in entries}
    except OSError:
        return {}
