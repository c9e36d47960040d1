# SPDX-License-Identifier: GPL-3.0-or-later
"""Paintover's node in a scene's compositor, and whether Blender renders the right frames there."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import bpy

from .. import properties, stereo, versions
from ..engine.shared.errors import PaintoverError
from ..engine.shared.frame_lists import name_frames, parse_frames
from ..engine.shared.freshness import Step, StepState
from ..engine.shared.places import real_path
from ..engine.shared.shot import Shot
from . import group, marks, output_settings, sequences, trees, wiring

_OTHER_VIEWS = "Stereoscopy or its views have changed"


def node(scene: bpy.types.Scene) -> Any | None:
    """Return the Paintover node of the scene's compositor, or None."""
    tree = versions.compositor_tree(scene)
    return next(filter(marks.is_ours, tree.nodes), None) if tree else None


def nested(scene: Any) -> Any | None:
    """Return the user's node group, in the scene's tree, that holds the node, or None.

    A group that other trees use too is left alone.
    """
    tree = versions.compositor_tree(scene)
    for item in trees.all_nodes(tree) if tree else ():
        inside = item.id_data
        if marks.is_ours(item) and inside != tree and inside.users == 1:
            return inside
    return None


def state(
    scene: bpy.types.Scene, shot: Shot | None, style: str, frames: Sequence[int] | None = None
) -> StepState:
    """Return the state of the node: whether Blender renders the style's frames through it.

    Args:
        scene: the scene.
        shot: the scene's shot, or None.
        style: name of the style.
        frames: the stylized frames, where they are known; else their folder is read.
    """
    ours = node(scene)
    if ours is None:
        holder = nested(scene)
        if holder is not None:
            return StepState(Step.OUT_OF_DATE, f'The node is inside the group "{holder.name}"')
        if properties.of(scene).before_compose:
            return StepState(Step.OUT_OF_DATE, "The node is gone, but its output settings are not")
        return StepState(Step.NOTHING, "Not in the compositor yet")
    try:
        why = _difference(scene, ours, shot, style, frames).rstrip(".")
    except PaintoverError as error:
        why = str(error).rstrip(".")
    if why:
        return StepState(Step.OUT_OF_DATE, why)
    return StepState(Step.UP_TO_DATE, ", ".join(["In the compositor", *remarks(scene, ours)]))


def _difference(
    scene: Any, ours: Any, shot: Shot | None, style: str, frames: Sequence[int] | None
) -> str:
    """Return why Blender does not render the style's frames as they are now, or ""."""
    content, image = group.content(ours.node_tree), group.image_of(ours.node_tree)
    if content is None or image is None:
        return "The node has no frames"
    wrong = group.wrong_setting(ours)
    if wrong:
        return f'The setting "{wrong}" of the node is no number'
    suffix = f".{properties.of(scene).format}"
    if shot is None:
        return f"There is no shot to show; the node plays {sequences.folder_of(image)}"
    if folder_played(shot, content) != sequences.folder_of(image):
        return f"Shows another folder: {sequences.folder_of(image)}"
    if (content.style, content.suffix) != (style, suffix):
        return f"Shows the style {content.style} ({content.suffix})"
    now = shot.out_frames(style, suffix) if frames is None else frames
    view = output_settings.plain_view(scene)
    return (
        wrong_size(scene, shot)
        or _other_frames(shot, content, now)
        or stereo.obstacle(scene, shot)
        or ("" if content.views == stereo.painted(scene, shot) else _OTHER_VIEWS)
        or ("" if content.view == view else "The view transform has changed")
        or output_settings.difference(scene, view)
        or _broken_link(scene, ours)
    )


def _other_frames(shot: Shot, content: group.Content, now: Sequence[int]) -> str:
    """Return how the stylized frames differ from those that the node shows, or ""."""
    then = parse_frames(content.frames)
    for changed, what in ((set(now) - set(then), "new"), (set(then) - set(now), "missing")):
        if changed:
            return f"Stylized frames are {what}: {name_frames(changed)}"
    paths = {frame: shot.out_path(content.style, frame, content.suffix) for frame in now}
    if not sequences.is_current(sequences.arranged(paths, links(shot, content.style)), paths):
        return "The stylized frames have changed"
    return ""


def _broken_link(scene: Any, ours: Any) -> str:
    if not versions.uses_compositor_nodes(scene):
        return "Use Nodes is off in the compositor"
    if scene.camera is None and not any(marker.camera for marker in scene.timeline_markers):
        layers = [item for item in ours.id_data.nodes if item.type == "R_LAYERS" and not item.mute]
        if any(item.scene == scene for item in layers):
            return f'The scene "{scene.name}" has no camera; add one'
    if ours.mute:
        return "The node is muted"
    if wiring.nodes_behind(ours.id_data, ours) is None:
        return "The node is not linked to the output that Blender renders"
    return ""


def remarks(scene: Any, ours: Any) -> list[str]:
    """Return what changes the stylized frames on their way to the output, as the user set it."""
    remarks = []
    for name in ("Opacity", "Matte"):  # which the user may have renamed
        socket = ours.inputs.get(name)
        if socket is not None and not socket.links and socket.default_value < 1:
            remarks.append(f"{name} {socket.default_value:.2g}")
    compare = ours.inputs.get("Compare")
    if compare is not None and not compare.links and compare.default_value > 0:
        remarks.append(f"Compare is on: its left {compare.default_value:.0%} show the render")
    content = group.content(ours.node_tree)
    if content and not content.layer:
        behind = wiring.nodes_behind(ours.id_data, ours) or []
        remarks += [f'changed by "{other.name}"' for other in behind[:1]]
        remarks += _covered(wiring.covered_effects(ours))
    if scene.render.use_stamp:
        remarks.append("Burn Into Image writes over it")
    return remarks


def _covered(names: Sequence[str]) -> list[str]:
    if not names:
        return []
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    them = "them" if more else "it"
    return [
        f'covers "{names[0]}"{more} (to have {them} on the painting, link {them} behind the node)'
    ]


def needs_override(scene: bpy.types.Scene) -> bool:
    """Return whether composing overrides the output's color management."""
    try:
        return not output_settings.plain_view(scene).is_plain()
    except PaintoverError:
        return False  # composing says why it cannot


def wrong_size(scene: Any, shot: Shot) -> str:
    """Return how the render size differs from that of the shot, or ""."""
    width, height = properties.render_size(scene)
    manifest = shot.manifest
    if (width, height) == (manifest.width, manifest.height):
        return ""
    size = f"{manifest.width}×{manifest.height}"
    captured = manifest.source.get("kind") == "blender"
    remedy = (
        "set the resolution back, or capture again"
        if captured
        else f"set it to {size}, or press Match Scene to Shot"
    )
    return f"The scene renders {width}×{height}, but the shot in {shot.folder} is {size}; {remedy}"


def links(shot: Shot, style: str) -> Path:
    return shot.cache_folder(sequences.FOLDER) / style


def folder_played(shot: Shot, content: group.Content) -> Path:
    """Return the folder of the files that the content's image sequence plays."""
    frames = parse_frames(content.frames)
    paths = {frames[0]: shot.out_path(content.style, frames[0], content.suffix)}
    return real_path(sequences.arranged(paths, links(shot, content.style)).first.parent)
