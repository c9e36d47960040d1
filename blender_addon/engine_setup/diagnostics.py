# SPDX-License-Identifier: GPL-3.0-or-later
"""A text for reports of faults: versions, machine, engine, last lines of logs; nothing personal.

User and machine names, home folders and the folders of all paths are left out.
"""

from __future__ import annotations

import getpass
import os
import platform
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

from .. import user_folders
from ..engine import __version__
from ..engine.shared.errors import PaintoverError
from ..engine_process import environment
from . import builds, faults, graphics_cards, places, record, status

_LINES = 25
_LOGS = ("engine.log", "engine.log.old", "check.log")
_WORD = r"[^\s\"'<>|:;,()\[\]]+"
_POSIX = re.compile(rf"(?<![\w.~/…:])(?:/{_WORD})+")
_WINDOWS = re.compile(r"\b[A-Za-z]:[\\/](?:[^\\/\"'<>|:*?\r\n]+[\\/])*([^\\/\"'<>|:*?\s]*)")
_URL = re.compile(r"(https?://)[^\s/@]+@")


def text() -> str:
    """Return the text."""
    return "\n".join(scrubbed(line) for line in _lines())


def _lines() -> Iterator[str]:
    yield f"Paintover {__version__}, Blender {bpy.app.version_string}"
    yield f"Blender's Python {platform.python_version()}, {sys.platform}"
    yield f"System {platform.platform()}, {platform.machine()}, {os.cpu_count()} processors"
    yield f"Online access {'on' if bpy.app.online_access else 'off'}"
    for card in graphics_cards.cards(wait=True) or ():
        yield f"Graphics card {card.vendor} {card.name}, driver {card.driver or 'unknown'}"
    advice = status.advised()
    yield f"Advised build {advice.build.name if advice else 'none'}; {builds.this_platform()}"
    yield f"Chosen build {environment.preference('build')}"
    yield from _engine()
    if status.failure():
        yield f"Last fault: {status.failure()}"
    yield from _log(places.folder() / "install.log")
    for name in _LOGS:
        yield from _log(user_folders.cache_folder("logs") / name)


def _engine() -> Iterator[str]:
    found = status.look()
    yield f"Engine {found.kind.value}: {found.text}"
    try:
        yield f"Engine's Python {environment.find().origin}"
    except PaintoverError as error:
        yield str(error)
    known = record.installed()
    if known is not None:
        yield f"Installed {known.build}, Python {known.python}, {known.check.torch}"
        yield f"Its check: {known.check.steps_per_second:g} steps a second, {known.check.device}"
        yield "Packages " + ", ".join(f"{name} {known.pins[name]}" for name in sorted(known.pins))
    folder = places.folder()
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    yield f"Free on its disk {faults.megabytes(shutil.disk_usage(folder).free)}"


def _log(path: Path) -> Iterator[str]:
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return
    yield ""
    yield f"Last lines of {path.name}:"
    yield from lines[-_LINES:]


def scrubbed(line: str) -> str:
    """Return a line without names of people and machines, and with paths cut to their last part."""
    line = line.replace("file://", "file ")
    line = _WINDOWS.sub(lambda found: f"…/{found[1]}", _URL.sub(r"\1", line))
    for secret, stands_for in _secrets():
        line = re.sub(re.escape(secret), stands_for, line, flags=re.IGNORECASE)
    return _POSIX.sub(lambda found: f"…/{found[0].rpartition('/')[2]}", line)


def _secrets() -> list[tuple[str, str]]:
    """Return what must not be in the text, and what stands in its place, the longest first."""
    found = {str(Path.home()): "~"}
    found |= {str(folder): stands_for for folder, stands_for in _known_folders()}
    user = _user()
    for name, stands_for in ((user, "USER"), (socket.gethostname(), "MACHINE")):
        if len(name) > 2:
            found[name] = stands_for
    blend = Path(bpy.data.filepath)
    if blend.name:
        found[str(blend.parent)] = "…"
        found[blend.stem] = "BLEND"
    return sorted(found.items(), key=lambda pair: -len(pair[0]))


def _known_folders() -> Iterator[tuple[Path, str]]:
    """Yield folders that paths in logs may begin with; their names may have spaces."""
    yield places.folder(), "ENGINE"
    yield places.usual_folder(), "ENGINE"
    yield environment.ADDON_FOLDER, "ADDON"
    yield Path(bpy.utils.resource_path("USER")), "BLENDER"
    yield user_folders.cache_folder("logs"), "LOGS"


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
