# SPDX-License-Identifier: GPL-3.0-or-later
"""Folders of the add-on on this machine: what it installs, and what may be lost.

Blender has a folder for each extension. Loaded as a legacy add-on, from a script directory or
``BLENDER_USER_SCRIPTS``, the add-on has none, and takes one among Blender's data files.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

import bpy

from . import logs
from .engine.shared import caches
from .engine.shared.errors import PaintoverError

_log = logs.logger(__name__)

ADDON = __package__ or ""
"""Name of the add-on's package in Blender."""
_EXTENSION = "bl_ext."
_told: set[str] = set()


def user_folder(name: str) -> Path:
    """Return a folder of the add-on in the user's Blender folder; it may not exist."""
    if ADDON.startswith(_EXTENSION):
        return Path(bpy.utils.extension_path_user(ADDON, path=name))
    return Path(bpy.utils.user_resource("DATAFILES", path=ADDON)) / name


def cache_folder(name: str) -> Path:
    """Return a folder for what may be lost, such as logs; make it if necessary.

    It is in ``PAINTOVER_CACHE`` where that is set, else in the user's Blender folder. Where that
    cannot be written, it is in the temporary folder, and one line says so.

    Raises:
        PaintoverError: no folder can be written.
    """
    usual = caches.named_folder(name) or user_folder(name)
    found = caches.first_writable([usual]) or caches.temporary_folder(name)
    if found is None:
        raise PaintoverError(
            f"Neither {usual} nor {tempfile.gettempdir()} can be written; set {caches.VARIABLE} to "
            "a folder that can."
        )
    if found != usual and name not in _told:
        _told.add(name)
        what = "Live pictures" if name == "live" else name.capitalize()
        _log.warning("%s: %s", usual, caches.cannot_keep(what, found))
    return found
