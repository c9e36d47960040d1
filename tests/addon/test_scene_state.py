# SPDX-License-Identifier: GPL-3.0-or-later
"""A capture leaves the scene as it was, however it ends."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest

IS_5 = bpy.app.version >= (5, 0, 0)
Part = Callable[[str], Any]
PLAIN = {"BOOLEAN", "INT", "FLOAT", "STRING", "ENUM"}


def plain(owner: Any) -> dict[str, Any]:
    """All plain properties of a structure, and the custom ones."""
    values: dict[str, Any] = {}
    for item in owner.bl_rna.properties:
        if item.type in PLAIN:
            value = getattr(owner, item.identifier)
            if hasattr(value, "__len__") and not isinstance(value, str | set):
                value = [list(row) if hasattr(row, "__len__") else row for row in value]
            values[item.identifier] = value
        elif item.type == "POINTER" and item.identifier in {"active", "camera", "world"}:
            values[item.identifier] = repr(getattr(owner, item.identifier))
    if isinstance(owner, bpy.types.ID):
        values |= {f'["{key}"]': repr(value) for key, value in owner.items()}
    return values


def tree(nodes: Any) -> dict[str, Any]:
    """All of a node tree: nodes, values of their sockets, links, the active one."""
    return {
        "tree": plain(nodes),
        "active": getattr(nodes.nodes.active, "name", None),
        "nodes": [
            {**plain(node), "inputs": [plain(socket) for socket in node.inputs]}
            for node in nodes.nodes
        ],
        "links": [
            (link.from_node.name, link.from_socket.identifier, link.to_node.name)
            for link in nodes.links
        ],
    }


def everything() -> dict[str, Any]:
    """All that a capture could touch, as plain data."""
    found: dict[str, Any] = {}
    for material in bpy.data.materials:
        nodes = material.node_tree
        found[f"material {material.name_full}"] = [plain(material), nodes and tree(nodes)]
    for group in bpy.data.node_groups:
        found[f"group {group.name_full}"] = tree(group)
    for thing in bpy.data.objects:
        slots = [
            (slot.link, slot.material and slot.material.name_full) for slot in thing.material_slots
        ]
        found[f"object {thing.name_full}"] = [plain(thing), slots, thing.mode, thing.select_get()]
    for data in [*bpy.data.meshes, *bpy.data.curves]:
        materials = [material and material.name_full for material in data.materials]
        faces = [face.material_index for face in getattr(data, "polygons", ())]
        names = sorted(attribute.name for attribute in getattr(data, "attributes", ()))
        found[f"data {data.name_full}"] = [plain(data), materials, faces, names]
    for scene in bpy.data.scenes:
        image = scene.render.image_settings
        parts = [scene, scene.render, image, image.view_settings, image.display_settings]
        parts += [scene.view_settings, scene.display_settings, scene.cycles, scene.eevee]
        for layer in scene.view_layers:
            parts += [layer, layer.cycles, *layer.aovs]
        found[f"scene {scene.name}"] = [plain(part) for part in parts]
    kinds = ("materials", "node_groups", "meshes", "objects", "worlds", "cameras", "scenes")
    found["names"] = {kind: [block.name for block in getattr(bpy.data, kind)] for kind in kinds}
    found["preferences"] = bpy.context.preferences.view.render_display_type
    handlers = ("render_complete", "render_cancel", "save_pre", "save_post", "render_pre")
    found["handlers"] = [len(getattr(bpy.app.handlers, name)) for name in handlers]
    found["active"] = getattr(bpy.context.view_layer.objects.active, "name", None)
    found["mode"] = bpy.context.mode
    return found


def linked_collection(scene: Any, folder: Path) -> None:
    """Make a library with a plane, with and without a material, and link it in."""
    things: set[Any] = set()
    collection = bpy.data.collections.new("from library")
    for name in ("linked", "linked bare"):
        bpy.ops.mesh.primitive_plane_add()
        thing: Any = bpy.context.object
        thing.name = thing.data.name = name
        scene.collection.objects.unlink(thing)
        collection.objects.link(thing)
    material = bpy.data.materials.new("linked material")
    if not IS_5:
        material.use_nodes = True
    collection.objects[0].data.materials.append(material)
    things = {collection, *collection.objects, material}
    path = folder / "library.blend"
    bpy.data.libraries.write(str(path), things)
    for thing in list(collection.objects):
        bpy.data.meshes.remove(thing.data)
    bpy.data.collections.remove(collection)
    bpy.data.materials.remove(material)
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.collections = ["from library"]
    empty: Any = bpy.data.objects.new("instance", None)
    empty.instance_type, empty.instance_collection = "COLLECTION", wanted.collections[0]
    scene.collection.objects.link(empty)


def add_untidy_things() -> None:
    """Planes with nodes, without nodes, with empty slots, and without any."""
    material: Any = bpy.data.materials.new("nodes")
    if not IS_5:
        material.use_nodes = True
    material.node_tree.nodes.new("ShaderNodeTexCoord")
    material.node_tree.nodes.active = material.node_tree.nodes[0]
    things: list[Any] = []
    for name in ("own", "slots", "no material"):
        bpy.ops.mesh.primitive_plane_add(location=(0, 0, -1))
        things.append(bpy.context.object)
        things[-1].name = name
    own, slots, none = things
    own.data.materials.append(material)
    own.data.materials.append(None)
    own["paint"] = 3.0
    slots.data.materials.append(bpy.data.materials.new("without nodes"))
    slots.data.materials.append(None)
    slots.material_slots[1].link = "OBJECT"
    slots.active_material_index = 1
    slots.data.polygons[0].material_index = 1
    none.data.polygons[0].material_index = 2


def untidy_layers(scene: Any) -> None:
    """Two view layers, other passes, and an AOV of ours that is there already."""
    layer: Any = scene.view_layers[0]
    scene.view_layers.new("Other").use = True
    layer.use_pass_normal, layer.use_pass_mist = False, True
    own = layer.aovs.add()
    own.name, own.type = "mine", "VALUE"
    layer.aovs.add().name = "paintover_object"
    layer.active_aov_index = 0


def untidy_output(scene: Any) -> None:
    """Render and output settings that the capture needs otherwise."""
    render = scene.render
    render.use_motion_blur = render.use_border = render.use_multiview = render.use_stamp = True
    render.dither_intensity = 0.7
    render.filepath = "//somewhere/else"
    image = render.image_settings
    if IS_5:
        image.media_type = "IMAGE"
    image.file_format, image.color_mode, image.quality = "JPEG", "BW", 63
    image.color_management = "OVERRIDE"
    image.view_settings.view_transform = "Raw"
    image.view_settings.exposure = 0.5
    scene.view_settings.view_transform = "AgX"


@pytest.fixture
def untidy(scene: Any, tmp_path: Path) -> Any:
    """A scene with everything set another way than the capture needs it, in Edit Mode."""
    linked_collection(scene, tmp_path)
    add_untidy_things()
    untidy_layers(scene)
    untidy_output(scene)
    scene.frame_set(2, subframe=0.25)
    bpy.ops.object.select_all(action="DESELECT")
    bpy.data.objects["own"].select_set(True)
    bpy.context.view_layer.objects.active = bpy.data.objects["slots"]
    bpy.ops.object.mode_set(mode="EDIT")
    yield scene
    if bpy.context.mode != "OBJECT":
        bpy.ops.object.mode_set(mode="OBJECT")


@pytest.mark.parametrize("ending", ["well", "error", "cancel", "first"])
def test_scene_is_as_it_was(
    untidy: Any, part: Part, tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = part("capture")
    saved = Path(bpy.data.filepath).read_bytes()
    before = everything()
    job = capture.capture(untidy, tmp_path / "shot", [1, 3])
    if ending == "error":
        monkeypatch.setattr(capture.frames, "save", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            list(job)
    elif ending == "well":
        assert len(list(job)) == 2
    else:
        next(job)
        assert everything() != before, "nothing that the test looks at changes at all"
        if ending == "cancel":
            next(job)
        job.close()
    after = everything()
    for name in before:
        assert after[name] == before[name], name
    assert after.keys() == before.keys()
    assert Path(bpy.data.filepath).read_bytes() == saved


def test_saving_meanwhile_saves_nothing_of_the_capture(
    untidy: Any, part: Part, tmp_path: Path
) -> None:
    bpy.ops.object.mode_set(mode="OBJECT")
    before = everything()
    job = part("capture").capture(untidy, tmp_path / "shot", [1, 3])
    next(job)
    path = tmp_path / "copy.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    next(job)
    list(job)
    assert everything() == before
    assert part("capture.surface").is_added() is False
    with bpy.data.libraries.load(str(path)) as (inside, _):
        assert [name for name in inside.node_groups if "paintover" in name] == []
        assert [name for name in inside.materials if "paintover" in name] == []
    bpy.ops.wm.open_mainfile(filepath=str(path))
    render: Any = bpy.context.scene.render
    assert render.use_motion_blur
    assert render.dither_intensity == pytest.approx(0.7)


def test_what_a_capture_left_is_cleaned_up_on_loading(
    untidy: Any, part: Part, tmp_path: Path
) -> None:
    bpy.ops.object.mode_set(mode="OBJECT")
    before = everything()
    preparation = part("capture.preparation").Preparation(
        untidy, untidy.view_layers[0], blocking=True
    )
    preparation.begin()
    untidy.frame_set(7)
    assert everything() != before
    # What autosave writes, which calls no handlers.
    path = tmp_path / "recovered.blend"
    bpy.data.libraries.write(str(path), set(bpy.data.scenes))
    preparation.end()
    assert everything() == before
    bpy.ops.wm.open_mainfile(filepath=str(path))
    assert [group.name for group in bpy.data.node_groups if "paintover" in group.name] == []
    assert [one.name for one in bpy.data.materials if "paintover" in one.name] == []
    scene: Any = bpy.data.scenes["Scene"]
    assert scene.render.use_motion_blur
    assert (scene.frame_current, scene.frame_subframe) == (2, 0.25)
    assert "paintover_before_capture" not in scene
    assert len(bpy.data.objects["no material"].material_slots) == 0
