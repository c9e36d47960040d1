# SPDX-License-Identifier: GPL-3.0-or-later
"""Simulations that are not baked: run in order before the capture, and kept while it renders.

Blender keeps in memory what it simulates, but rendering spoils that of rigid bodies unless the
frames come one after another. So the caches count as baked for the time of the capture. The scene
stores which, so that this can be undone in any state.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import bpy

from .. import saved_state
from .instances import rendered_objects

_KEPT = "paintover_kept_caches"
_RIGID_BODIES = "rigid bodies"


@dataclasses.dataclass(frozen=True)
class Simulation:
    """A simulation that is not baked."""

    name: str
    """Of its object, or ``rigid bodies``."""
    start: int
    """Its first frame."""


def not_baked(scene: Any) -> list[Simulation]:
    """Return the simulations of a scene that are not baked, one for each object.

    Blender does not tell whether those of geometry nodes are baked, so they all count.
    """
    starts: dict[str, int] = {}
    caches = [each for each in _caches(scene) if not each.cache.is_baked]
    found = [(each.name, each.cache.frame_start) for each in caches]
    for name, start in [*found, *_without_cache(scene)]:
        starts[name] = min(start, starts.get(name, start))
    return [Simulation(name, start) for name, start in starts.items()]


def frames_to_run(simulations: list[Simulation], last: int) -> range:
    """Return the frames to set, in order, before the frames up to ``last`` are rendered.

    The frame after the last is needed for the motion towards it.
    """
    starts = [simulation.start for simulation in simulations]
    return range(min(starts), last + 2) if starts else range(0)


def notes(scene: Any) -> list[str]:
    """Return a sentence if there are simulations that are not baked, and one of fluids that
    Blender shows only if they are."""
    simulations = not_baked(scene)
    hidden = ", ".join(_hidden_fluids(scene))
    sentences = [f"{hidden}: this fluid shows nothing until you bake it."] if hidden else []
    if not simulations:
        return sentences
    names = ", ".join(simulation.name for simulation in simulations)
    start = min(simulation.start for simulation in simulations)
    return [
        *sentences,
        f"Simulated from frame {start} on for the capture: {names}. Bake what is not baked yet, so "
        "that every render shows the same.",
    ]


def keep(scene: Any) -> None:
    """Let Blender render from what was simulated, as if it were baked.

    Not hair, which would be left out of the picture then.
    """
    kept = []
    for found in list(_caches(scene)):
        cache = found.cache
        if not cache.is_baked and cache.id_data.is_editable and not found.is_hair:
            with bpy.context.temp_override(scene=scene, point_cache=cache):
                bpy.ops.ptcache.bake_from_cache()
            kept.append(found.place)
    if kept:
        scene[_KEPT] = json.dumps(kept)


def release(scene: Any) -> None:
    """Undo ``keep``."""
    if _KEPT not in scene:
        return
    kept = saved_state.read(scene[_KEPT], list[list[str]]) or []
    for found in list(_caches(scene)):
        if found.place in kept:
            with bpy.context.temp_override(scene=scene, point_cache=found.cache):
                bpy.ops.ptcache.free_bake()
    del scene[_KEPT]


class _Cache(NamedTuple):
    """A point cache."""

    place: list[str]
    """Where it is in the scene."""
    name: str
    """For the user."""
    cache: Any
    is_hair: bool = False


def _caches(scene: Any) -> Iterator[_Cache]:
    world = scene.rigidbody_world
    if world and world.enabled and world.collection:
        yield _Cache([_RIGID_BODIES], _RIGID_BODIES, world.point_cache)
    for thing, modifier in _modifiers(scene):
        place = [thing.name_full, modifier.name]
        if modifier.type in {"CLOTH", "SOFT_BODY"}:
            yield _Cache(place, thing.name, modifier.point_cache)
        elif modifier.type == "PARTICLE_SYSTEM":
            system = modifier.particle_system
            moves = system.settings.type == "EMITTER" and system.settings.physics_type != "NO"
            if moves or system.use_hair_dynamics:
                yield _Cache(place, thing.name, system.point_cache, not moves)
        elif modifier.type == "DYNAMIC_PAINT" and modifier.canvas_settings:
            for surface in modifier.canvas_settings.canvas_surfaces:
                if surface.is_active:
                    yield _Cache([*place, surface.name], thing.name, surface.point_cache)


def _without_cache(scene: Any) -> Iterator[tuple[str, int]]:
    """Yield name and first frame of fluids and of simulations in geometry nodes."""
    custom = scene.use_custom_simulation_range
    start = scene.simulation_frame_start if custom else scene.frame_start
    for thing, modifier in _modifiers(scene):
        if modifier.type == "FLUID" and modifier.fluid_type == "DOMAIN":
            if modifier.domain_settings.cache_type == "REPLAY":
                yield thing.name, modifier.domain_settings.cache_frame_start
        elif modifier.type == "NODES" and _simulates(modifier.node_group, set()):
            own = [bake for bake in modifier.bakes if bake.use_custom_simulation_frame_range]
            yield thing.name, min([start, *(bake.frame_start for bake in own)])


def _hidden_fluids(scene: Any) -> list[str]:
    """Return the names of fluids that are neither baked nor simulated while frames play."""
    return [
        thing.name
        for thing, modifier in _modifiers(scene)
        if modifier.type == "FLUID"
        and modifier.fluid_type == "DOMAIN"
        and modifier.domain_settings.cache_type != "REPLAY"
        and not modifier.domain_settings.has_cache_baked_data
    ]


def _modifiers(scene: Any) -> Iterator[tuple[Any, Any]]:
    for thing in rendered_objects(scene):
        for modifier in thing.modifiers:
            if modifier.show_render:
                yield thing, modifier


def _simulates(tree: Any | None, seen: set[str]) -> bool:
    """Return whether a node tree or a group in it has a simulation zone."""
    if tree is None or tree.name_full in seen:
        return False
    seen.add(tree.name_full)
    return any(
        node.bl_idname == "GeometryNodeSimulationOutput"
        or (node.bl_idname == "GeometryNodeGroup" and _simulates(node.node_tree, seen))
        for node in tree.nodes
    )
