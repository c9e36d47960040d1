# SPDX-License-Identifier: GPL-3.0-or-later
"""State that Paintover keeps in a .blend as JSON, checked like a file when it is read.

A .blend may come from anyone, or from another version: what is not as it should be counts as not
being there.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, TypeVar

from .engine.shared.checked import from_data, parse_json

_Kind = TypeVar("_Kind")


def read(text: Any, kind: type[_Kind]) -> _Kind | None:
    """Return the state in a property, or None if it is no JSON of this type.

    Args:
        text: the value of the property.
        kind: as for ``from_data``.
    """
    if not isinstance(text, str):
        return None
    try:
        return from_data(kind, parse_json(text))
    except ValueError:
        return None


@contextlib.contextmanager
def put_back() -> Iterator[None]:
    """Set what a property has kept; where it has kept what cannot be set, nothing is set."""
    with contextlib.suppress(TypeError, ValueError, AttributeError, RuntimeError):
        yield
