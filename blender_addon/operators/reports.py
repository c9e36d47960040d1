# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of operators as reports of Blender."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TypeVar

import bpy

from .. import messages
from ..engine.shared.errors import PaintoverError
from ..jobs import Status

Operator = TypeVar("Operator", bound=bpy.types.Operator)


def reports_errors(
    execute: Callable[[Operator, bpy.types.Context], Status],
) -> Callable[[Operator, bpy.types.Context], Status]:
    """Let an operator's ``execute`` report a ``PaintoverError``, and end as cancelled."""

    @functools.wraps(execute)
    def reporting(self: Operator, context: bpy.types.Context) -> Status:
        try:
            return execute(self, context)
        except PaintoverError as error:
            self.report({"ERROR"}, messages.shown(error))
            return {"CANCELLED"}

    return reporting
