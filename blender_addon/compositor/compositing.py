# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts Paintover's node into a scene's compositor, keeps it current, and takes it out again."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import bpy

from .. import properties, stereo, versions
from ..engine.shared.errors import PaintoverError
from ..engine.shared.frame_lists import format_frames
from ..engine.shared.freshness import Step
from ..engine.shared.shot import Shot
from ..engine.shared.shot_paths import OUT_SUFFIXES
from . import group, marks, output_settings, sequences, status, trees, windows, wiring

_FORMATS = {".png": "PNG", ".exr": "OpenEXR"}


def compose(scene: bpy.types.Scene, shot: Shot, style: str) -> list[str]:
    """Add the node with the stylized frames to the scene's compositor, or update it.

    Returns:
        Notes for the user: which settings were changed, and what is missing.

    Raises:
        PaintoverError: no frame is stylized, the render size differs from that of the shot, or the
            scene or its compositor cannot be changed or cannot show the frames.
    """
    holder: Any = scene
    _check_editable(holder)
    suffix = f".{properties.of(scene).format}"
    frames = check_stylized(shot, style, suffix)
    wrong = status.wrong_size(holder, shot)
    if wrong:
        raise PaintoverError(f"{wrong}.")
    obstacle = stereo.obstacle(holder, shot)
    if obstacle:
        raise PaintoverError(obstacle)
    view = output_settings.plain_view(holder)
    paths = {frame: shot.out_path(style, frame, suffix) for frame in frames}
    sequences.check_sizes(paths.values(), shot)
    sequence = sequences.arrange(paths, status.links(shot, style))
    view.is_plain()  # raises before anything changes
    output_settings.check_not_animated(holder, view)
    is_new = status.node(scene) is None
    image = sequences.load(_own_image(scene), f"{group.NAME} {style}", sequence.first, shot)
    layer = _layer(holder, shot)
    base = _base(holder, shot, layer)
    _remove_nested(holder)
    output_settings.remember_nodes_off(holder)
    tree = trees.own_tree(holder, base)
    ours = status.node(scene) or _add_node(tree)
    notes = ["the node is no longer muted"] if ours.mute else []
    ours.mute = False
    views = stereo.painted(holder, shot)
    shown = group.Content(style, suffix, format_frames(frames), view, views=views)
    unsupported = _show(holder, ours, layer, base, image, sequence, shown)
    notes += output_settings.change(holder, view)
    now = status.state(scene, shot, style, frames)
    if now.step is not Step.UP_TO_DATE:
        if is_new:
            remove(scene)
        raise PaintoverError(
            f'The compositor of "{scene.name}" does not show the stylized frames: {now.why}.'
        )
    windows.follow(holder)
    return [*notes, *_notes(holder, shot, ours, frames, unsupported)]


def _show(
    scene: Any,
    ours: Any,
    layer: str,
    base: trees.Base,
    image: Any,
    sequence: sequences.Sequence,
    shown: group.Content,
) -> str:
    """Fill the node's group, and link the node where it belongs unless it is linked well.

    Returns:
        The view settings that this Blender's nodes cannot reproduce, or "".
    """
    inside, tree = _own_group(ours), ours.id_data
    content = group.content(inside)
    # Where the node stands behind a view layer, the view transform decides about other layers.
    moves = content is None or (content.layer != "" and content.view != shown.view)
    if content is not None and not moves and wiring.nodes_behind(tree, ours) is not None:
        if trees.sequence_node(tree) is not None:
            base(tree)
        shown = dataclasses.replace(
            shown, painted=content.painted, layer=content.layer, is_display=content.is_display
        )
        return group.fill(inside, scene, image, sequence, shown)
    wiring.take_out(tree, ours)
    places = wiring.places(tree, scene, layer, base, transparent=scene.render.film_transparent)
    is_behind = any(not place.is_painted for place in places)
    places = [place for place in places if place.is_painted or not shown.view.is_plain()]
    shown = dataclasses.replace(
        shown,
        painted=tuple(place.is_painted for place in places),
        layer=layer if is_behind else "",
        is_display=places[0].source.node == trees.sequence_node(tree),
    )
    unsupported = group.fill(inside, scene, image, sequence, shown)
    wiring.put_in(tree, ours, places)
    _place(ours, places[0].targets[0].node)
    return unsupported


def remove(scene: bpy.types.Scene) -> bool:
    """Remove the node, reconnect its links, and restore the output settings.

    Returns:
        Whether there was a node or a setting to restore.

    Raises:
        PaintoverError: the scene lies in another .blend.
    """
    holder: Any = scene
    _check_editable(holder)
    found = _remove_nested(holder)
    tree = versions.compositor_tree(holder)
    if tree is not None and status.node(scene) is not None:
        if trees.is_shared(tree):
            tree = trees.own_tree(holder, lambda _: None)
        for ours in [item for item in tree.nodes if marks.is_ours(item)]:
            _remove_node(tree, ours)
        found = True
    if tree is not None and not trees.is_shared(tree):
        trees.clean_up(holder, tree)
    windows.follow(holder)
    return output_settings.restore(holder) or found


def refresh(scene: bpy.types.Scene, shot: Shot, before: Shot | None = None) -> None:
    """Show the stylized frames as they are now, also those that the node did not show yet.

    Args:
        scene: the scene; if its node shows frames of another shot, it is left alone.
        shot: the scene's shot.
        before: the scene's shot until now, if that is another one.

    Raises:
        PaintoverError: links for frames before 0 cannot be written, or a frame is damaged.
    """
    ours = status.node(scene)
    content = group.content(ours.node_tree) if ours else None
    image = group.image_of(ours.node_tree) if ours else None
    if ours is None or content is None or image is None:
        return
    frames = shot.out_frames(content.style, content.suffix)
    if not frames or status.folder_played(before or shot, content) != sequences.folder_of(image):
        return
    paths = {frame: shot.out_path(content.style, frame, content.suffix) for frame in frames}
    sequence = sequences.arrange(paths, status.links(shot, content.style))
    if before is not None or format_frames(frames) != content.frames:
        image = sequences.load(_own_image(scene), image.name, sequence.first, shot)
        shown = dataclasses.replace(content, frames=format_frames(frames))
        group.fill(_own_group(ours), scene, image, sequence, shown)
    sequences.reload(image, shot)


def _base(scene: Any, shot: Shot, layer: str) -> trees.Base:
    """Return what adds the picture below the stylized frames: the render, or imported pictures."""
    if shot.manifest.source.get("kind") != "pictures":
        return lambda tree: trees.add_layers(tree, scene, layer)
    sequences.check_files(shot.image_path(0), shot)  # before anything changes

    def add(tree: Any) -> Any:
        paths = {frame: shot.image_path(frame) for frame in shot.frames}
        sequence = sequences.arrange(paths, shot.cache_folder(f"{sequences.FOLDER}-frames"))
        node = trees.sequence_node(tree)
        name = f"{group.NAME} Pictures"
        image = sequences.load(node and node.image, name, sequence.first, shot)
        return trees.show_sequence(tree, image, sequence)

    return add


def _check_editable(scene: Any) -> None:
    if scene.library:
        raise PaintoverError(
            f'The scene "{scene.name}" is linked from {bpy.path.abspath(scene.library.filepath)}; '
            "open that file, or make the scene local."
        )


def check_stylized(shot: Shot, style: str, suffix: str) -> list[int]:
    """Return the frames stylized with a style. Raises PaintoverError if there are none."""
    frames = shot.out_frames(style, suffix)
    if frames:
        return frames
    folder = shot.out_path(style, 0).parent
    for other in OUT_SUFFIXES:
        if shot.out_frames(style, other):
            raise PaintoverError(
                f"The stylized frames in {folder} are {_FORMATS[other]}, but File Format is "
                f"{_FORMATS[suffix]}; change it, or stylize again."
            )
    raise PaintoverError(f"There are no stylized frames in {folder}; stylize first.")


def _layer(scene: Any, shot: Shot) -> str:
    """Return the captured view layer, or the first one that is rendered if that is gone."""
    name = str(shot.manifest.source.get("view_layer", ""))
    if name in scene.view_layers:
        return name
    first = next((layer for layer in scene.view_layers if layer.use), scene.view_layers[0])
    return str(first.name)


def _add_node(tree: Any) -> Any:
    added = tree.nodes.new("CompositorNodeGroup")
    added.node_tree = group.new()
    added.name = added.label = group.NAME
    added.select = False
    return added


def _place(ours: Any, target: Any) -> None:
    """Place the node before the node that it is linked to."""
    place = target.location
    parent = target.parent
    while parent is not None:
        place = place + parent.location
        parent = parent.parent
    ours.location = (place.x - 260, place.y - 160)


def _own_group(ours: Any) -> Any:
    """Return the node's group, copied if another node has it too."""
    if ours.node_tree.users > 1:
        ours.node_tree = ours.node_tree.copy()
    return ours.node_tree


def _own_image(scene: bpy.types.Scene) -> Any | None:
    """Return the image sequence of the scene's node; None if there is none that it alone uses."""
    ours = status.node(scene)
    if ours is None or ours.node_tree.users > 1:
        return None
    image = group.image_of(ours.node_tree)
    return image if image is not None and image.users == 1 else None


def _remove_node(tree: Any, ours: Any) -> None:
    wiring.take_out(tree, ours)
    inside = ours.node_tree
    image = group.image_of(inside)
    tree.nodes.remove(ours)
    if inside.users == 0:
        bpy.data.node_groups.remove(inside)
    if image is not None and image.users == 0:
        bpy.data.images.remove(image)


def _remove_nested(scene: Any) -> bool:
    """Remove the node from groups that the user put it into; return whether it was in one."""
    found = False
    holder = status.nested(scene)
    while holder is not None and holder.is_editable:
        for ours in [item for item in holder.nodes if marks.is_ours(item)]:
            _remove_node(holder, ours)
        found, holder = True, status.nested(scene)
    return found


def _notes(scene: Any, shot: Shot, ours: Any, frames: Sequence[int], unsupported: str) -> list[str]:
    notes = status.remarks(scene, ours)
    content = group.content(ours.node_tree)
    if content and not content.layer:
        covered = wiring.covered_layers(ours.id_data, scene, _layer(scene, shot))
        notes += [f'the painting covers the view layer "{name}"' for name in covered]
    if unsupported:
        notes.append(f"{unsupported} shows only in renders without the node")
    if content and content.views:
        others = [name for name in stereo.rendered(scene) if name not in content.views]
        notes.append(
            f"only {_views(content.views)} the painting, {_views(others)} the render (to paint "
            "that too, give each view a camera of its own under Multi-View, and send it from a "
            "linked copy of the scene with that camera)"
        )
    missing = sorted(set(shot.frames) - set(frames))
    if missing:
        notes.append(f"frames {format_frames(missing)} are not stylized yet and show the render")
    return notes


def _views(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"the view {names[0]} shows"
    return f"the views {', '.join(names[:-1])} and {names[-1]} show"
