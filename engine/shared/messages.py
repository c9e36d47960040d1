# SPDX-License-Identifier: GPL-3.0-or-later
"""The base classes of the messages between Blender and the engine's worker."""

from __future__ import annotations

import dataclasses
from typing import Annotated

from .checked import Range

Number = Annotated[int, Range(0, 1 << 53)]


@dataclasses.dataclass(frozen=True)
class Request:
    """A request of the add-on; the events of its job carry the same number ``job``."""

    job: Number


@dataclasses.dataclass(frozen=True)
class Event:
    """A report of the worker; ``job`` is 0 if it concerns no job."""

    job: int
