# SPDX-License-Identifier: GPL-3.0-or-later
"""Capture: one render per frame gives its picture and its passes; the scene stays as it was."""

from .job import CaptureResult, capture
from .preparation import register, unregister

__all__ = ["CaptureResult", "capture", "register", "unregister"]
