# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``info``: describes a shot or a style, as data and as text."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from ...shared import freshness, passes
from ...shared.durations import format_seconds
from ...shared.frame_lists import format_frames
from ...shared.keyframes.names import unused_key_files
from ...shared.manifest import PASS_MEANINGS
from ...shared.names import is_name, one_line
from ...shared.shot import Shot
from ...shared.style_header import read_style_header
from ..terminal import Terminal
from .printing import print_data

_DEFAULT_STYLE = "style"


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Describe a shot or a style. Raises PaintoverError."""
    data = describe(options.shot)
    print_data(options, data, lambda: describe_in_words(data))


def describe(path: Path) -> dict[str, Any]:
    """Describe a shot folder or a style file as JSON data.

    Returns:
        For a shot: ``folder``, ``width``, ``height``, ``fps``, ``frames`` (a frame list),
        ``missing_files``, ``passes`` (meaning → source), ``missing_passes`` (meaning → what the
        shot loses), ``guides``, ``matte`` (name of its folder, or ""), ``missing_mattes``
        (frames), ``painted`` and ``unpainted`` keyframes, ``unused`` (picture in ``keys/`` → what
        to do to use it), ``styles`` (name → ``training`` and ``stylizing``, each with ``state``
        and ``why``). For a style: ``file`` and the fields of ``StyleHeader``.

    Raises:
        PaintoverError: the path is neither, or it is damaged.
    """
    if path.suffix == ".safetensors":
        return {"file": str(path), **dataclasses.asdict(read_style_header(path))}
    shot = Shot.open(path)
    manifest = shot.manifest
    sources = {
        meaning: source for meaning, source in manifest.passes.items() if source != "estimated"
    }
    painted = shot.painted_keys()
    return {
        "folder": str(path),
        "width": manifest.width,
        "height": manifest.height,
        "fps": manifest.fps,
        "frames": format_frames(shot.frames),
        "missing_files": [str(missing) for missing in shot.missing_files()],
        "passes": sources,
        "missing_passes": {
            meaning: passes.COSTS[meaning]
            for meaning in PASS_MEANINGS
            if meaning != "image" and meaning not in sources
        },
        "guides": manifest.guides,
        "matte": manifest.matte,
        "missing_mattes": shot.missing_mattes(),
        "painted": painted,
        "unpainted": [frame for frame in shot.key_frames() if frame not in painted],
        "unused": {str(file): advice for file, advice in unused_key_files(shot).items()},
        "styles": {name: _style_states(shot, name) for name in _style_names(shot)},
    }


def describe_in_words(data: dict[str, Any]) -> str:
    """Return the data of ``describe`` as text."""
    lines = _style_lines(data) if "file" in data else _shot_lines(data)
    return "\n".join(map(one_line, lines))


def _style_names(shot: Shot) -> list[str]:
    found = [path.stem for path in (shot.folder / "styles").glob("[!.]*.safetensors")]
    return sorted(filter(is_name, found)) or [_DEFAULT_STYLE]


def _style_states(shot: Shot, name: str) -> dict[str, dict[str, str]]:
    steps = {
        "training": freshness.style_state(shot, name),
        "stylizing": freshness.out_state(shot, name),
    }
    return {name: {"state": state.step.value, "why": state.why} for name, state in steps.items()}


def _shot_lines(data: dict[str, Any]) -> list[str]:
    size = f"{data['width']}×{data['height']} pixels, {data['fps']:g} frames per second"
    lines = [f"Shot {data['folder']}", f"  frames     {data['frames'] or 'none'} ({size})"]
    if data["missing_files"]:
        first, *rest = data["missing_files"]
        more = f" and {len(rest)} more" if rest else ""
        lines.append(f"             missing: {first}{more}; capture or import again")
    has = [*data["passes"], *(f"guide {name}" for name in data["guides"])]
    lines.append(f"  passes     {', '.join(has) or 'none, only pictures'}")
    for meaning, cost in data["missing_passes"].items():
        lines.append(f"             no {meaning}: {cost}")
    if data["matte"]:
        lines.append(f"  matte      mattes/{data['matte']}: only inside it is painted")
    if data["missing_mattes"]:
        lines.append(
            f"             missing: frames {format_frames(data['missing_mattes'])}; add them"
        )
    keys = format_frames(data["painted"]) or "none painted yet"
    if data["unpainted"]:
        keys += f" (not painted yet: {format_frames(data['unpainted'])})"
    lines.append(f"  keyframes  {keys}")
    lines += [f"             not used: {file}: {what}" for file, what in data["unused"].items()]
    for name, steps in data["styles"].items():
        lines.append(f"  style      {name}")
        for step, state in steps.items():
            lines.append(f"    {step:<10} {state['state']}: {state['why']}")
    return lines


def _style_lines(data: dict[str, Any]) -> list[str]:
    settings = ", ".join(f"{name} {value}" for name, value in data["settings"].items())
    return [
        f"Style {data['file']}",
        f"  network    {data['network']}",
        f"  guides     {', '.join(data['guides'])} ({data['channels']} channels)",
        f"  keyframes  {format_frames(data['trained_on'])}",
        f"  arithmetic {data['arithmetic'] or 'as each machine chooses'}",
        f"  training   {data['steps']} steps in {format_seconds(data['seconds'])}"
        + ("" if data["finished"] else ", stopped early"),
        f"  settings   {settings or 'none'}",
    ]
