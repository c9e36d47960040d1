# SPDX-License-Identifier: GPL-3.0-or-later
"""Fills a folder of wheels, from which the engine is installed without a network."""

from __future__ import annotations

from pathlib import Path

import bpy

from ..engine.shared.errors import PaintoverError
from ..jobs import Job
from . import builds, downloads, faults, plan


def fill(folder: Path, build: builds.Build, version: str) -> Job[str]:
    """Download uv and the wheels of a build into a folder, for machines without a network.

    Args:
        folder: is made if it is not there.
        build: of any platform.
        version: of the Python that the engine will run in, such as ``3.11``.

    Returns:
        The message to report.

    Raises:
        PaintoverError: the build has no lock for this Python, or a download failed.
    """
    wheels = build.wheels.get(version)
    if wheels is None:
        known = ", ".join(
            f"{found.name} for {', '.join(found.wheels)}"
            for found in builds.all_builds().values()
            if found.wheels
        )
        raise PaintoverError(
            f"There is no list of files of {build.name} for Python {version}; there are {known}."
        )
    if not bpy.app.online_access:
        raise PaintoverError(
            "Blender's online access is off; start it with --online-mode, or allow online access "
            "in Preferences > System."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise faults.disk_error(error, folder) from error
    files = [builds.uv_wheel(build.platform), *wheels]
    yield from downloads.Downloads(files, folder, plan.locate(build)).run()
    return f"{folder} holds the {len(files)} files of {build.name} for Python {version}"
