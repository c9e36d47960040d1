# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that a scene renders, with those that it shows as instances."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_INSTANCES = frozenset({"OBJECT", "COLLECTION"})
_KEEP_SHAPE = frozenset({"PARTICLE_SYSTEM", "SUBSURF", "BEVEL", "MIRROR", "ARRAY", "TRIANGULATE"})


def rendered_objects(scene: Any) -> Iterator[Any]:
    """Yield the objects of a scene, and those in collections that it shows as instances."""
    seen: set[int] = set()
    waiting = list(scene.objects)
    while waiting:
        thing = waiting.pop(0)
        if thing.session_uid in seen:
            continue
        seen.add(thing.session_uid)
        yield thing
        if thing.instance_type == "COLLECTION" and thing.instance_collection:
            waiting += thing.instance_collection.all_objects


def particles_that_move(scene: Any) -> list[str]:
    """Return the names of objects whose particles are instances that may move.

    Cycles leaves out some of these, or parts of them, while it writes motion.
    """
    return [
        thing.name
        for thing in rendered_objects(scene)
        if any(
            modifier.type == "PARTICLE_SYSTEM"
            and modifier.show_render
            and modifier.particle_system.settings.render_type in _INSTANCES
            and (modifier.particle_system.settings.type == "EMITTER" or _may_move(thing))
            for modifier in thing.modifiers
        )
    ]


def _may_move(thing: Any) -> bool:
    """Return whether an object may move or change its shape."""
    data = thing.data
    return bool(
        thing.animation_data
        or thing.parent
        or thing.constraints
        or thing.rigid_body
        or data.animation_data
        or getattr(data, "shape_keys", None)
        or any(modifier.type not in _KEEP_SHAPE for modifier in thing.modifiers)
    )
