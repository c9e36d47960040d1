# SPDX-License-Identifier: GPL-3.0-or-later
"""Compositors of all kinds, as users have them: functions that give a scene one."""

from __future__ import annotations

from typing import Any

import bpy

IS_5 = bpy.app.version >= (5, 0, 0)
OUTPUT = "NodeGroupOutput" if IS_5 else "CompositorNodeComposite"
_SOCKETS = {
    "Image": "NodeSocketColor",
    "Color": "NodeSocketColor",
    "Mask": "NodeSocketFloat",
    "Speed": "NodeSocketVector",
}


def empty_tree(scene: Any, *outputs: str) -> Any:
    """Give the scene an empty tree with these outputs in its interface (from Blender 5.0 on)."""
    if not IS_5:
        scene.use_nodes = True
        scene.node_tree.nodes.clear()
        return scene.node_tree
    tree: Any = bpy.data.node_groups.new("Comp", "CompositorNodeTree")
    for name in outputs:
        tree.interface.new_socket(name, in_out="OUTPUT", socket_type=_SOCKETS[name])
    scene.compositing_node_group = tree
    return tree


def add(tree: Any, kind: str, *sources: Any) -> Any:
    """Add a node; link sockets to its first inputs that are pictures."""
    node = tree.nodes.new(kind)
    inputs = [socket for socket in node.inputs if socket.type == "RGBA"]
    for source, target in zip(sources, inputs, strict=False):
        tree.links.new(source, target)
    return node


def render_layers(tree: Any) -> Any:
    return add(tree, "CompositorNodeRLayers").outputs["Image"]


def no_compositor(scene: Any) -> None:
    """As in a new scene. Before Blender 5.0 a tree can only be made, not removed again."""
    if not IS_5:
        scene.use_nodes = True
        scene.use_nodes = False


def plain(scene: Any) -> None:
    tree = empty_tree(scene, "Image")
    add(tree, OUTPUT, render_layers(tree))


def compositing_off(scene: Any) -> None:
    plain(scene)
    scene.render.use_compositing = False


def blurred_with_other_uses(scene: Any) -> None:
    """The picture that goes to the output goes to a viewer and a File Output too, before and after.

    So the link to the output lies amid the tree's list of links.
    """
    tree = empty_tree(scene, "Image")
    blur = add(tree, "CompositorNodeBlur", render_layers(tree))
    add(tree, "CompositorNodeViewer", blur.outputs[0])
    add(tree, OUTPUT, blur.outputs[0])
    files = add(tree, "CompositorNodeOutputFile")
    if IS_5:
        files.file_output_items.new("RGBA", "Image")
    tree.links.new(blur.outputs[0], files.inputs[0])
    files.mute = True
    tree.nodes.active = blur


def framed_behind_reroutes(scene: Any) -> None:
    """The output lies in two frames, its picture comes through reroutes and a muted node."""
    tree = empty_tree(scene, "Image")
    muted = add(tree, "CompositorNodeBlur", render_layers(tree))
    muted.mute = True
    first, second = tree.nodes.new("NodeReroute"), tree.nodes.new("NodeReroute")
    tree.links.new(muted.outputs[0], first.inputs[0])
    tree.links.new(first.outputs[0], second.inputs[0])
    output = add(tree, OUTPUT, second.outputs[0])
    inner, outer = tree.nodes.new("NodeFrame"), tree.nodes.new("NodeFrame")
    inner.parent, output.parent = outer, inner
    outer.location, inner.location = (300, 200), (40, -60)


def in_node_group(scene: Any) -> None:
    """The picture is made inside a node group."""
    tree = empty_tree(scene, "Image")
    group: Any = bpy.data.node_groups.new("Look", "CompositorNodeTree")
    group.interface.new_socket("Image", in_out="INPUT", socket_type="NodeSocketColor")
    group.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor")
    inputs, blur = group.nodes.new("NodeGroupInput"), group.nodes.new("CompositorNodeBlur")
    output = group.nodes.new("NodeGroupOutput")
    group.links.new(inputs.outputs[0], blur.inputs[0])
    group.links.new(blur.outputs[0], output.inputs[0])
    node = tree.nodes.new("CompositorNodeGroup")
    node.node_tree = group
    tree.links.new(render_layers(tree), node.inputs[0])
    add(tree, OUTPUT, node.outputs[0])


def unlinked(scene: Any) -> None:
    tree = empty_tree(scene, "Image")
    add(tree, "CompositorNodeViewer", render_layers(tree))
    add(tree, OUTPUT)


def muted_link(scene: Any) -> None:
    plain(scene)
    tree = scene.compositing_node_group if IS_5 else scene.node_tree
    tree.links[0].is_muted = True


def viewer_only(scene: Any) -> None:
    tree = empty_tree(scene)
    add(tree, "CompositorNodeViewer", render_layers(tree))


def empty(scene: Any) -> None:
    empty_tree(scene)


def two_layers(scene: Any) -> None:
    """The cube in one view layer, a floor in another; the first lies over the second."""
    scene.render.film_transparent = True
    cube, camera = bpy.data.objects["Cube"], scene.camera
    bpy.ops.mesh.primitive_plane_add(size=30, location=(0, 0, -1))
    plane: Any = bpy.context.object
    scene.camera = camera
    for thing, name in ((cube, "FG"), (plane, "BG")):
        collection: Any = bpy.data.collections.new(name)
        scene.collection.children.link(collection)
        collection.objects.link(thing)
        scene.collection.objects.unlink(thing)
    front = scene.view_layers[0]
    front.name = "Character"
    back = scene.view_layers.new("Background")
    front.layer_collection.children["BG"].exclude = True
    back.layer_collection.children["FG"].exclude = True
    tree = empty_tree(scene, "Image")
    layers = []
    for name in ("Background", "Character"):
        layers.append(render_layers(tree))
        layers[-1].node.layer = name
    over = add(tree, "CompositorNodeAlphaOver", *layers)
    add(tree, OUTPUT, over.outputs[0])


def two_outputs(scene: Any) -> None:
    """Two output nodes, of which the second is active and shows another picture."""
    tree = empty_tree(scene, "Image")
    layers = render_layers(tree)
    first, second = add(tree, OUTPUT, layers), add(tree, OUTPUT)
    tree.links.new(add(tree, "CompositorNodeBlur", layers).outputs[0], second.inputs[0])
    if IS_5:
        second.is_active_output = True
    else:
        tree.nodes.active = second
    assert first.inputs[0].links[0].from_node != second.inputs[0].links[0].from_node


def inputs_only(scene: Any) -> None:
    tree = empty_tree(scene)
    tree.interface.new_socket("Image", in_out="INPUT", socket_type="NodeSocketColor")
    tree.nodes.new("NodeGroupInput")


def interface_without_output(scene: Any) -> None:
    tree = empty_tree(scene, "Image")
    render_layers(tree)


def more_outputs(scene: Any) -> None:
    tree = empty_tree(scene, "Image", "Mask", "Color")
    layers = render_layers(tree)
    output = add(tree, OUTPUT, layers, layers)
    tree.links.new(layers.node.outputs["Alpha"], output.inputs["Mask"])


def value_first(scene: Any) -> None:
    """Blender renders nothing of it, as its first output is no picture."""
    tree = empty_tree(scene, "Mask", "Speed", "Image")
    output = add(tree, OUTPUT, render_layers(tree))
    assert output.inputs["Image"].links


def value_only(scene: Any) -> None:
    tree = empty_tree(scene, "Mask")
    output = add(tree, OUTPUT)
    tree.links.new(render_layers(tree), output.inputs[0])


def output_in_panel(scene: Any) -> None:
    tree = empty_tree(scene)
    panel = tree.interface.new_panel("Pictures")
    tree.interface.new_socket("Image", in_out="OUTPUT", socket_type="NodeSocketColor", parent=panel)
    add(tree, OUTPUT, render_layers(tree))


def shared(scene: Any) -> None:
    plain(scene)
    other: Any = bpy.data.scenes.new("Other")
    other.compositing_node_group = scene.compositing_node_group


def linked(scene: Any) -> None:
    """The tree lies in another .blend."""
    plain(scene)
    tree = scene.compositing_node_group
    path = bpy.path.abspath("//library.blend")
    bpy.data.libraries.write(path, {tree})
    scene.compositing_node_group = None
    bpy.data.node_groups.remove(tree)
    with bpy.data.libraries.load(path, link=True) as (_, wanted):
        wanted.node_groups = ["Comp"]
    scene.compositing_node_group = wanted.node_groups[0]


def muted_output(scene: Any) -> None:
    plain(scene)
    scene.node_tree.nodes["Composite"].mute = True


def output_without_alpha(scene: Any) -> None:
    plain(scene)
    scene.node_tree.nodes["Composite"].use_alpha = False


SHOWS_A_PICTURE = [
    no_compositor,
    plain,
    compositing_off,
    blurred_with_other_uses,
    framed_behind_reroutes,
    in_node_group,
    two_outputs,
]
SHOWS_NONE = [unlinked, viewer_only, empty]
ONLY_BEFORE_5 = [output_without_alpha]
ONLY_IN_5 = [more_outputs, output_in_panel, shared, linked]
ONLY_IN_5_SHOWS_NONE = [inputs_only, interface_without_output, value_first, value_only]
ONLY_BEFORE_5_SHOWS_NONE = [muted_output]
