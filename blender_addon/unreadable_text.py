# SPDX-License-Identifier: GPL-3.0-or-later
"""Text in a .blend that is no valid UTF-8, as damaged files and those of strangers have it.

Python gets an error for it at every look. So when a file has been loaded, such a setting of ours is
as if nobody had set it, and a data-block with such a name gets another one. A number that is none
(NaN), which is never equal to itself, counts as not set, too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import bpy
from bpy.app.handlers import persistent

from . import messages, properties
from .handlers import Handlers


def mend() -> None:
    """Take away what nobody can read, and tell which names have changed."""
    named = [name for blocks in _lists() for name in _named_anew(blocks)]
    for scene in bpy.data.scenes:
        _mend_settings(properties.of(scene))
    if named:
        messages.tell(
            "Names in the .blend that are no valid text (UTF-8) were replaced; they are now "
            f"{', '.join(named)}."
        )


def _lists() -> Iterator[Any]:
    """Yield lists of things with names: data-blocks, and what we use in scenes and node trees."""
    data: Any = bpy.data
    for item in data.bl_rna.properties:
        if item.type == "COLLECTION":
            yield getattr(data, item.identifier)
    for scene in data.scenes:
        yield scene.view_layers
        yield scene.timeline_markers
    for tree in data.node_groups:
        yield tree.nodes


def _named_anew(things: Any) -> Iterator[str]:
    try:
        things.keys()  # much faster than each by itself
        return
    except (UnicodeDecodeError, SystemError):
        pass
    for thing in list(things):
        if not _is_readable(thing, "name") and thing.id_data.library is None:
            thing.name = thing.bl_rna.name
            yield thing.name


def _mend_settings(settings: Any) -> None:
    for item in settings.bl_rna.properties:
        if item.type == "STRING":
            if not _is_readable(settings, item.identifier):
                settings.property_unset(item.identifier)
        elif item.type == "FLOAT":
            if math.isnan(getattr(settings, item.identifier)):
                settings.property_unset(item.identifier)
        elif item.type == "COLLECTION":
            for row in getattr(settings, item.identifier):
                _mend_settings(row)
        elif item.type == "POINTER" and item.fixed_type.base == bpy.types.PropertyGroup.bl_rna:
            _mend_settings(getattr(settings, item.identifier))


def _is_readable(owner: Any, name: str) -> bool:
    try:
        getattr(owner, name)
    except UnicodeDecodeError:
        return False
    return True


@persistent  # type: ignore[untyped-decorator]
def _after_load(*_: Any) -> None:
    mend()


_HANDLERS = Handlers(load_post=_after_load, blend_import_post=_after_load)


def register() -> None:
    _HANDLERS.add()


def unregister() -> None:
    _HANDLERS.remove()
