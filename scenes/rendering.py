# SPDX-License-Identifier: GPL-3.0-or-later
"""Features of the renderer in this build of Blender."""

from __future__ import annotations

import importlib


def has_denoiser() -> bool:
    """Return whether this Blender was built with the denoiser."""
    try:
        cycles = importlib.import_module("_cycles")
    except ImportError:
        return False
    return bool(getattr(cycles, "with_openimagedenoise", False))
