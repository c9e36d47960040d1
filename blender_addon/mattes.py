# SPDX-License-Identifier: GPL-3.0-or-later
"""What of the picture is painted: all of it, some objects or a collection of the scene.

The choice is in ``scene.paintover.matte``; the capture renders mattes of it.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable
from typing import Any

import bpy
from bpy.props import CollectionProperty, EnumProperty, IntProperty, PointerProperty, StringProperty

from .engine.shared.errors import PaintoverError
from .engine.shared.files import digest_json

WHOLE, OBJECTS, COLLECTION = "WHOLE", "OBJECTS", "COLLECTION"
_NAME = re.compile(r"(objects|collection)-[0-9a-f]{8}")
_SURFACES = frozenset(
    ("MESH", "CURVE", "SURFACE", "FONT", "META", "CURVES", "POINTCLOUD", "VOLUME", "GREASEPENCIL")
)


def _remember(item: Any, _: bpy.types.Context) -> None:
    """Keep the name, to tell which one was deleted."""
    item.name = item.object.name if item.object else ""


def _remember_collection(settings: Any, _: bpy.types.Context) -> None:
    settings.collection_name = settings.collection.name if settings.collection else ""


def _is_in_scene(item: Any, obj: Any) -> bool:
    return item.id_data in obj.users_scene and can_be_chosen(obj)


def can_be_chosen(obj: Any) -> bool:
    """Return whether an object shows something: it has a surface or instances a collection."""
    return obj.type in _SURFACES or _instanced(obj) is not None


class PAINTOVER_PG_matte_object(bpy.types.PropertyGroup):
    """An object that is painted; ``name`` is its name when it was chosen."""

    object: PointerProperty(
        name="Object",
        description="Object to paint, with its hair, particles and instances",
        type=bpy.types.Object,
        poll=_is_in_scene,
        update=_remember,
        options=set(),
    )


class PAINTOVER_PG_matte(bpy.types.PropertyGroup):
    """What of the picture is painted."""

    source: EnumProperty(
        name="Paint",
        description="What of the picture is painted. Around it the render stays, or nothing",
        items=(
            (WHOLE, "Whole Picture", "Paint everything"),
            (OBJECTS, "Objects", "Paint only the objects of the list"),
            (COLLECTION, "Collection", "Paint only the objects of a collection"),
        ),
        options=set(),
    )
    objects: CollectionProperty(type=PAINTOVER_PG_matte_object)
    active: IntProperty(options={"HIDDEN"})
    collection: PointerProperty(
        name="Collection",
        description="Collection to paint, with the collections in it and their instances",
        type=bpy.types.Collection,
        update=_remember_collection,
        options=set(),
    )
    collection_name: StringProperty(options={"HIDDEN"})


classes = (PAINTOVER_PG_matte_object, PAINTOVER_PG_matte)


@dataclasses.dataclass(frozen=True)
class Choice:
    """What is painted, if that is not the whole picture."""

    name: str
    """Of the mattes' folder; another choice has another name."""
    note: dict[str, Any]
    """What ``shot.json`` says of it."""
    objects: frozenset[Any]
    """The chosen objects. Valid until the next undo."""


def is_captured(name: str) -> bool:
    """Return whether a folder in ``mattes/`` has the name of mattes that Blender renders."""
    return _NAME.fullmatch(name) is not None


def choice(scene: Any) -> Choice | None:
    """Return what of the scene's picture is painted, None for all of it.

    Raises:
        PaintoverError: nothing is chosen, or what was chosen was deleted or left the scene.
    """
    settings = scene.paintover.matte
    if settings.source == WHOLE:
        return None
    if settings.source == OBJECTS:
        objects = [_object(item, scene) for item in settings.objects]
        if not objects:
            raise PaintoverError(
                "No object is chosen to be painted; choose one under Matte, or Whole Picture."
            )
        note: dict[str, Any] = {"objects": _names(objects, scene)}
    else:
        collection = _collection(settings)
        objects = list(collection.all_objects)
        note = {
            "collection": _names([collection], scene)[0],
            "objects": _names(objects, scene),
        }
    name = f"{settings.source.lower()}-{digest_json(note)[:8]}"
    return Choice(name, note, frozenset(objects))


def choose_objects(scene: Any, names: Iterable[str]) -> None:
    """Choose objects by their names. Raises PaintoverError if the scene has none of a name."""
    objects = [_named(scene.objects, name, "object", scene) for name in names]
    settings = scene.paintover.matte
    settings.objects.clear()
    for obj in objects:
        settings.objects.add().object = obj
    settings.source = OBJECTS


def choose_collection(scene: Any, name: str) -> None:
    """Choose a collection by its name. Raises PaintoverError if there is none."""
    settings = scene.paintover.matte
    settings.collection = _named(bpy.data.collections, name, "collection", scene)
    settings.source = COLLECTION


def _named(blocks: Any, name: str, kind: str, scene: Any) -> Any:
    # A linked one may have the name of a local one; its full name has the library's too.
    for block in sorted(blocks, key=lambda block: block.library is not None):
        if name in (block.name, block.name_full):
            return block
    raise PaintoverError(
        f'There is no {kind} "{name}" in the scene "{scene.name}"; see its name in the Outliner.'
    )


def _object(item: Any, scene: Any) -> Any:
    if item.object is None:
        what = f'The object "{item.name}"' if item.name else "An object"
        gone = "was deleted" if item.name else "is not chosen yet"
        raise PaintoverError(
            f"{what} of the matte {gone}; choose another under Matte, or remove it there."
        )
    if scene not in item.object.users_scene:
        raise PaintoverError(
            f'The object "{item.object.name}" of the matte is not in the scene "{scene.name}" any '
            "more; choose another under Matte, or remove it there."
        )
    return item.object


def _collection(settings: Any) -> Any:
    if settings.collection is None:
        name = settings.collection_name
        gone = f'The collection "{name}" of the matte was deleted' if name else ""
        raise PaintoverError(
            f"{gone or 'No collection is chosen to be painted'}; choose one under Matte, or Whole "
            "Picture."
        )
    return settings.collection


def _names(blocks: Iterable[Any], scene: Any) -> list[list[str]]:
    """Return names of data-blocks, each with that of its library, as the scene's .blend sees it."""
    return sorted(
        [block.name, block.library.name if block.library and block.library != scene.library else ""]
        for block in blocks
    )


def rendered_objects(layer: bpy.types.ViewLayer) -> list[Any]:
    """Return the objects in the collections that a view layer renders, each once."""
    found: dict[Any, None] = {}

    def visit(part: Any) -> None:
        if part.collection.hide_render:
            return
        if not part.exclude:
            found.update(dict.fromkeys(part.collection.objects))
        for child in part.children:
            visit(child)

    visit(layer.layer_collection)
    return list(found)


def divide(chosen: Choice, layer: bpy.types.ViewLayer) -> tuple[list[Any], list[Any]]:
    """Divide the rendered objects into painted and other ones.

    An object that instances collections is painted if it is chosen, or if all that it shows is.

    Raises:
        PaintoverError: no painted object is rendered.
    """
    painted: list[Any] = []
    others: list[Any] = []
    for obj in rendered_objects(layer):
        shown = shown_by_instance(obj)
        is_painted = obj in chosen.objects or (bool(shown) and shown <= chosen.objects)
        (painted if is_painted else others).append(obj)
    if not any(obj.animation_data or not obj.hide_render for obj in painted):
        raise PaintoverError(
            f'Nothing of the matte is rendered in the view layer "{layer.name}"; choose other '
            "objects under Matte, or let Blender render them."
        )
    return painted, others


def left_out(chosen: Choice, layer: bpy.types.ViewLayer) -> list[str]:
    """Return a sentence for each object that makes instances of painted ones without being one.

    A renderer holds out all that an object makes, or nothing of it.
    """
    painted = set(divide(chosen, layer)[0])
    layer.update()
    depsgraph: Any = layer.depsgraph
    pairs = {
        (instance.object.original.name, instance.parent.original.name)
        for instance in depsgraph.object_instances
        if instance.is_instance
        and instance.object.original in chosen.objects
        and instance.parent.original not in painted
    }
    return [
        f'The instances of "{shown}" that "{maker}" makes are not painted; add "{maker}" to the '
        "matte to paint all that it makes."
        for shown, maker in sorted(pairs)
    ]


def shown_by_instance(obj: Any, outside: frozenset[Any] = frozenset()) -> set[Any]:
    """Return the objects with a surface in the collection that an object instances, all levels.

    Args:
        obj: the object.
        outside: the collections that are being looked at.
    """
    collection = _instanced(obj)
    if collection is None or collection in outside:
        return set()
    found: set[Any] = set()
    for member in collection.all_objects:
        if _instanced(member) is not None:
            found |= shown_by_instance(member, outside | {collection})
        elif member.type in _SURFACES:
            found.add(member)
    return found


def _instanced(obj: Any) -> Any | None:
    is_instance = obj.type == "EMPTY" and obj.instance_type == "COLLECTION"
    return obj.instance_collection if is_instance else None
