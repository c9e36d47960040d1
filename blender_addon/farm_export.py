# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the jobs in ``farm/`` for this .blend, for render farms that run them."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import bpy

from . import properties, steps, user_folders
from .engine.shared.errors import PaintoverError
from .engine.shared.files import check_text, write_bytes
from .engine.shared.frame_lists import format_frames
from .engine.shared.names import check_name
from .engine.shared.reading import open_file
from .engine.shared.shot import Shot
from .engine_process import environment as engine_python
from .keyframes import images as keyframe_images
from .keyframes import weights as keyframe_weights

JOBS = Path(__file__).parent / "farm"
TEMPLATE, VALUES, ASSETS = "template.yaml", "parameter_values.yaml", "asset_references.yaml"
RUN_VALUES = "openjd_values.json"
"""The same values as ``openjd run`` reads them, as submitters' files have another form."""
_OURS = "# Paintover's job for farms"
_HEAD = 500
"""Bytes of a template that tell whose it is."""
_MOST_NAME = 64
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def write_openjd(scene: Any, folder: Path, *, on_gpu: bool = False, searches: bool = False) -> str:
    """Write a job bundle of Open Job Description, as the submitters of Deadline Cloud take it.

    Unsaved paint and the weights of keyframes are written into the shot first.

    Args:
        scene: its shot and settings are used.
        folder: of the bundle; a bundle of Paintover that is there is replaced.
        on_gpu: only workers with a GPU train, and search.
        searches: the job that searches for training settings, instead of that which paints.

    Returns:
        The message to report.

    Raises:
        PaintoverError: the .blend is not saved, nothing is painted, another job is in the folder,
            or a file cannot be written.
    """
    shot = prepared_shot(scene)
    _check_ours(folder)
    text = (JOBS / ("openjd_sweep" if searches else "openjd") / TEMPLATE).read_text("utf-8")
    if is_imported(shot):
        text = _without_step(text, "Capture")
    if on_gpu:
        for step in ("Search", "Train") if searches else ("Train",):
            text = _with_gpu(text, step)
    values = _values(scene, shot, searches=searches)
    known = re.findall(r"(?m)^  - name: (\w+)$", text.partition("\nsteps:\n")[0])
    own = {name: value for name, value in values.items() if name in known}
    texts = {TEMPLATE: text, VALUES: _values_text(own), ASSETS: _assets_text(values)}
    texts[RUN_VALUES] = json.dumps(own, indent=1) + "\n"
    for name, content in texts.items():
        write_bytes(folder / name, content.encode())
    return f"The job is in {folder}; submit it with your farm's tools"


def prepared_shot(scene: Any) -> Shot:
    """Return the scene's shot with all that a farm needs written to the disk.

    Raises:
        PaintoverError: the .blend is not saved, or nothing is painted.
    """
    if not bpy.data.filepath:
        raise PaintoverError("The .blend has no file yet; save it first, as the farm opens it.")
    shot = steps.open_shot(scene)
    keyframe_images.save_unsaved(shot)
    if bpy.data.is_dirty and not bpy.app.background:
        raise PaintoverError(f"Save {Path(bpy.data.filepath).name} first, as the farm opens it.")
    steps.check_painted(shot)
    keyframe_weights.write(scene, shot)
    return shot


def is_imported(shot: Shot) -> bool:
    """Return whether the shot's frames are pictures from elsewhere, so nothing is captured."""
    return shot.manifest.source.get("kind") == "pictures"


def wanted_frames(scene: Any, shot: Shot) -> list[int]:
    """Return the frames of a job."""
    return shot.frames if is_imported(shot) else properties.frames(scene)


def composed_folder(shot: Shot, style: str) -> Path:
    """Return where a job puts the composed frames: ``composed/STYLE`` in the shot folder.

    Raises PaintoverError for a name that is not allowed, which could lead elsewhere.
    """
    return shot.folder / "composed" / check_name(style, "style")


def _check_ours(folder: Path) -> None:
    """Raise PaintoverError if a folder has files of another job; ours are known by the template."""
    try:
        with open_file(folder / TEMPLATE) as file:
            is_ours = _OURS in file.read(_HEAD).decode("utf-8", "replace")
        there = [TEMPLATE]
    except FileNotFoundError:
        is_ours = False
        there = [name for name in (VALUES, ASSETS, RUN_VALUES) if os.path.lexists(folder / name)]
    except OSError:
        is_ours, there = False, [TEMPLATE]
    if there and not is_ours:
        raise PaintoverError(f"{folder / there[0]} is not of Paintover; choose an empty folder.")


def _values(scene: Any, shot: Shot, *, searches: bool) -> dict[str, str | int | float]:
    settings = properties.of(scene)
    job = "Paintover sweep" if searches else "Paintover"
    return {
        "JobName": f"{job} {Path(bpy.data.filepath).stem}"[:_MOST_NAME],
        "BlendFile": str(Path(bpy.data.filepath)),
        "ShotFolder": str(shot.folder),
        "OutputFolder": str(composed_folder(shot, settings.style)),
        "Scene": scene.name_full,
        "Frames": format_frames(wanted_frames(scene, shot)),
        "Fps": round(properties.frame_rate(scene), 6),
        "Style": settings.style,
        "Seconds": round(settings.seconds, 3),
        "Light": round(settings.light, 6),
        "Unpainted": settings.unpainted,
        "Format": settings.format.lower(),
        "Depth": int(settings.depth),
        "Device": settings.device.lower(),
        "Addon": user_folders.ADDON,
        "EnginePython": os.environ.get(engine_python.VARIABLE) or "python3",
        "EngineFolder": str(engine_python.ADDON_FOLDER / "engine"),
    }


def _text(value: Any) -> str:
    """Return a value as JSON that is YAML, too, which knows no escapes in two parts, as of emoji.

    Raises:
        PaintoverError: a name in it is no valid text.
    """
    text = json.dumps(value, ensure_ascii=False)
    check_text(text)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _values_text(values: dict[str, str | int | float]) -> str:
    lines = ["parameterValues:"]
    for name, value in values.items():
        lines += [f"  - name: {name}", f"    value: {_text(value)}"]
    return "\n".join(lines) + "\n"


def _assets_text(values: dict[str, str | int | float]) -> str:
    """Return the files that the job reads besides its PATH parameters: what the .blend uses."""
    own = Path(str(values["ShotFolder"]))
    used = {Path(path) for path in bpy.utils.blend_paths(absolute=True, packed=False)}
    files = sorted(str(path) for path in used if path.is_file() and own not in path.parents)
    files = [str(values["BlendFile"]), *files]
    return "\n".join(
        [
            "assetReferences:",
            "  inputs:",
            f"    filenames: {_text(files)}",
            f"    directories: {_text([values['ShotFolder'], values['EngineFolder']])}",
            "  outputs:",
            f"    directories: {_text([values['ShotFolder'], values['OutputFolder']])}",
            "  referencedPaths: []",
            "",
        ]
    )


def _without_step(template: str, name: str) -> str:
    """Return a template without a step, and without what waits for it."""
    text = re.sub(rf"(?ms)^  - name: {name}\n.*?(?=^  - name: |\Z)", "", template)
    return re.sub(rf"    dependencies:\n      - dependsOn: {name}\n", "", text)


def _with_gpu(template: str, name: str) -> str:
    """Return a template in which a step needs a GPU."""
    found = re.search(rf"(?ms)^  - name: {name}\n.*?      amounts:\n", template)
    assert found
    gpu = "        - {name: amount.worker.gpu, min: 1}\n"
    return template[: found.end()] + gpu + template[found.end() :]
