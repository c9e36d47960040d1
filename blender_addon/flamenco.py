# SPDX-License-Identifier: GPL-3.0-or-later
"""Submits the shot to Flamenco: through its add-on, or straight to its Manager."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import bpy

from . import composed_frames, properties
from .engine.shared.checked import extensible, from_data, parse_json
from .engine.shared.errors import PaintoverError
from .engine.shared.frame_lists import format_frames
from .engine.shared.shot import Shot
from .engine_process import environment as engine_python
from .farm_export import composed_folder, is_imported, prepared_shot, wanted_frames

JOB_TYPE = "paintover"
"""Name of the job type: that of ``farm/flamenco/paintover.js``."""
_CHUNK, _PAINTED_CHUNK = 10, 24
"""Frames that a task captures or composes, and that one paints."""
_SECONDS = 30.0
_ANSWER = 1 << 16


def job_settings(scene: Any, shot: Shot) -> dict[str, str | int | float]:
    """Return the settings of the job type, but for the .blend, which a submitter may copy.

    Raises:
        PaintoverError: the shot folder is on a network name, or a frame is below 0.
    """
    settings = properties.of(scene)
    check_folder(shot.folder)
    frames = wanted_frames(scene, shot)
    if frames[0] < 0:
        raise PaintoverError(
            f"Flamenco knows no frames below 0, such as {frames[0]}; leave them out."
        )
    found: dict[str, str | int | float] = {
        "shot_folder": shot.folder.as_posix(),
        "output_folder": composed_folder(shot, settings.style).as_posix(),
        "frames": format_frames(frames),
        "style": settings.style,
        "seconds": round(settings.seconds, 3),
        "steps": "paint" if is_imported(shot) else "all",
        "scene": scene.name_full,
        "fps": round(properties.frame_rate(scene), 6),
        "image_file_extension": composed_frames.file_extension(scene),
        "light": round(settings.light, 6),
        "unpainted": settings.unpainted,
        "format": settings.format,
        "depth": settings.depth,
        "device": settings.device,
    }
    if os.environ.get(engine_python.VARIABLE):
        found["engine_python"] = os.environ[engine_python.VARIABLE]
        found["engine_folder"] = (engine_python.ADDON_FOLDER / "engine").as_posix()
    return found


def check_folder(folder: Path) -> None:
    """Raise PaintoverError for a network name, such as ``\\\\server\\share``."""
    if re.match(r"[\\/]{2}", str(folder)):
        raise PaintoverError(
            f"{folder} is a network name (UNC), which Flamenco cannot use; give the share a drive "
            "letter, or mount it, and open the .blend there."
        )


def submit(scene: Any, manager: str) -> str:
    """Send the job to a Manager; the .blend has to lie where all workers see it.

    Args:
        scene: its shot and settings are used.
        manager: address of the Manager, such as ``http://farm:8080``.

    Returns:
        The message to report.

    Raises:
        PaintoverError: something of the shot is missing, online access is off, or the Manager
            does not answer or refuses the job.
    """
    shot = prepared_shot(scene)
    blend = Path(bpy.data.filepath)
    check_folder(blend)
    job = {
        "name": f"Paintover {blend.stem}",
        "type": JOB_TYPE,
        "priority": 50,
        "submitter_platform": {"win32": "windows", "darwin": "darwin"}.get(sys.platform, "linux"),
        "settings": {
            **job_settings(scene, shot),
            "chunk_size": _CHUNK,
            "painted_chunk_size": _PAINTED_CHUNK,
            "blendfile": blend.as_posix(),
        },
    }
    answer = _post(manager, job)
    return f"{manager} has the job {answer.id or job['name']}"


@extensible
@dataclasses.dataclass(frozen=True)
class _Answer:
    id: str = ""


def _post(manager: str, job: dict[str, Any]) -> _Answer:
    if not manager.startswith(("http://", "https://")):
        raise PaintoverError(f"{manager} is no address; write it like http://farm:8080.")
    if not may_use_network():
        raise PaintoverError(
            "Blender's online access is off; allow it in Preferences > System, or start Blender "
            "with --online-mode."
        )
    request = urllib.request.Request(
        f"{manager.rstrip('/')}/api/v3/jobs",
        data=json.dumps(job).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as response:
            return from_data(_Answer, parse_json(response.read(_ANSWER)))
    except urllib.error.HTTPError as error:
        reason = error.read(_ANSWER).decode("utf-8", "replace").strip()[:300]
        raise PaintoverError(f"{manager} refuses the job ({error.code}): {reason}") from error
    except (OSError, ValueError) as error:
        raise PaintoverError(f"{manager} does not answer as Flamenco does: {error}") from error


def may_use_network() -> bool:
    """Return whether the user lets Blender use the network."""
    return bool(bpy.app.online_access)


def add_on_is_there() -> bool:
    """Return whether Flamenco's add-on is enabled."""
    return hasattr(bpy.types.Scene, "flamenco_job_type")


def fill_add_on(scene: Any) -> str:
    """Choose our job type in Flamenco's add-on and fill in its settings; return the job's name.

    Raises:
        PaintoverError: something of the shot is missing, or the Manager lacks the job type.
    """
    settings = job_settings(scene, prepared_shot(scene))
    try:
        scene.flamenco_job_type = JOB_TYPE
    except TypeError as error:
        raise PaintoverError(
            "Flamenco's Manager has no job type Paintover; put paintover.js into its folder "
            "scripts, start it again, and refresh the job types."
        ) from error
    group = scene.flamenco_job_settings
    for name, value in settings.items():
        if hasattr(group, name):
            setattr(group, name, value)
    return f"Paintover {Path(bpy.data.filepath).stem}"
