# SPDX-License-Identifier: GPL-3.0-or-later
"""Render settings that exact output needs: changed by Compose, and restored by Remove.

Their old values are stored in the scene, so they follow undo, saving, and copies of the scene.
"""

from __future__ import annotations

import dataclasses
import json
from typing import Any

from .. import colour_names, properties, saved_state, versions
from ..capture import settings as capture
from ..engine.shared.checked import from_data
from ..engine.shared.errors import PaintoverError
from . import nodes

_IMAGE = "render.image_settings"
_PARTS = ("display_settings", "view_settings", "linear_colorspace_settings")
_PLAIN = {
    f"{_IMAGE}.view_settings.look": "None",
    f"{_IMAGE}.view_settings.exposure": 0.0,
    f"{_IMAGE}.view_settings.gamma": 1.0,
    f"{_IMAGE}.view_settings.use_curve_mapping": False,
    f"{_IMAGE}.view_settings.use_white_balance": False,
}
_SENTENCES = {
    "render.use_compositing": ("compositing is on", "Compositing is off"),
    "render.use_sequencer": (
        "the strips of the sequencer are not rendered",
        "The strips of the sequencer are rendered instead",
    ),
    "render.use_border": ("the render region is off", "Only the render region is rendered"),
    "render.dither_intensity": ("dithering is off", "Dithering is on"),
}
"""Setting → what Compose says that it changed, and what is wrong while it differs."""


def plain_view(scene: Any) -> nodes.View:
    """Return the view settings that rendered files have without Paintover's node."""
    before = _before(scene)
    image = scene.render.image_settings
    follows = before.get(f"{_IMAGE}.color_management", image.color_management) == "FOLLOW_SCENE"
    if follows:
        return nodes.read_view(scene.view_settings, scene.display_settings)
    view = nodes.read_view(image.view_settings, image.display_settings)
    fields = {field.name for field in dataclasses.fields(nodes.View)}
    old = {path.rpartition(".")[2]: value for path, value in before.items()}
    return dataclasses.replace(view, **{name: old[name] for name in fields & old.keys()})


def change(scene: Any, view: nodes.View) -> list[str]:
    """Change the settings that exact output needs; return sentences about what was changed.

    Args:
        scene: the scene.
        view: its ``plain_view``.
    """
    before = _before(scene)
    wanted = _wanted(scene, view)
    # Read all first, because switching the override on copies the scene's view settings.
    now = {path: _get(scene, path) for path in wanted}
    if now.get(f"{_IMAGE}.color_management") == "FOLLOW_SCENE":
        for part in _PARTS:
            values = capture.plain_values(getattr(scene.render.image_settings, part))
            for name, value in values.items():
                before.setdefault(f"{_IMAGE}.{part}.{name}", value)
    changed = [path for path, value in wanted.items() if now[path] != value]
    for path in changed:
        before.setdefault(path, now[path])
    for path, value in wanted.items():
        _set(scene, path, value)
    remember(scene, before)
    sentences = [_SENTENCES[path][0] for path in changed if path in _SENTENCES]
    if any(path.startswith(_IMAGE) for path in changed):
        plain = colour_names.plain_output()
        sentences.insert(0, f"the output's color management is set to {plain.view}")
        if view.display_device != plain.display:
            sentences.append(
                f"the files have the values for {view.display_device}, but are marked as "
                f"{plain.display}"
            )
    return sentences


def check_not_animated(scene: Any, view: nodes.View) -> None:
    """Raise PaintoverError if keys or a driver would set what exact output needs otherwise."""
    for path in sorted(_wanted(scene, view).keys() & set(capture.animated_paths(scene))):
        name = scene.path_resolve(path.rpartition(".")[0]).bl_rna.properties[
            path.rpartition(".")[2]
        ]
        raise PaintoverError(
            f'The setting "{name.name}" of the scene "{scene.name}" is animated, so the render '
            "would not be the painting; remove its keys or its driver, and send again."
        )


def remember_nodes_off(scene: Any) -> None:
    """Note that the scene did not use compositor nodes, for ``restore``. Call it before it does."""
    if not versions.uses_compositor_nodes(scene):
        remember(scene, {**_before(scene), "use_nodes": False})


def difference(scene: Any, view: nodes.View) -> str:
    """Return how the settings differ from those that exact output needs, or ""."""
    for path, value in _wanted(scene, view).items():
        if _get(scene, path) != value:
            return _SENTENCES.get(path, ("", "The output settings have changed"))[1]
    return ""


def restore(scene: Any) -> bool:
    """Restore the settings, except those that were changed since.

    Returns:
        Whether there were any to restore.
    """
    before = _before(scene)
    if not before:
        return False
    ours = {**_override(), **_always(), "use_nodes": True}
    ours |= {"render.use_sequencer": False, "render.use_border": False}
    overridden = before.get(f"{_IMAGE}.color_management") == "FOLLOW_SCENE"
    for path, value in before.items():
        is_copied = overridden and path.startswith(_IMAGE) and path not in ours
        if is_copied or (path in ours and _get(scene, path) == ours[path]):
            # An unset color space has no name, and a stranger's .blend may hold anything.
            with saved_state.put_back():
                _set(scene, path, value)
    remember(scene, {})
    return True


def remember(scene: Any, before: dict[str, Any]) -> None:
    """Store old values of settings in the scene."""
    properties.of(scene).before_compose = json.dumps(before) if before else ""


def _before(scene: Any) -> dict[str, Any]:
    text = properties.of(scene).before_compose
    found = saved_state.read(text, dict[str, Any]) or {}
    return {path: value for path, value in found.items() if _fits(scene, path, value)}


def _fits(scene: Any, path: str, value: Any) -> bool:
    """Return whether a stored value can be one of the setting; a .blend may be a stranger's."""
    if path == "use_nodes":
        return isinstance(value, bool)
    name = path.rpartition(".")[2]
    plain = dataclasses.asdict(nodes.View())
    try:
        now = _get(scene, path)
        if name in plain:
            from_data(nodes.View, {**plain, name: value})
    except ValueError:
        return False
    if isinstance(now, bool | str):
        return isinstance(value, type(now))
    if isinstance(now, int | float):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, list)


def _wanted(scene: Any, view: nodes.View) -> dict[str, Any]:
    wanted = _always()
    if _renders_strips(scene):
        wanted["render.use_sequencer"] = False
    if scene.render.use_border:
        wanted["render.use_border"] = False
    return wanted if view.is_plain() else {**wanted, **_override()}


def _always() -> dict[str, Any]:
    return {"render.use_compositing": True, "render.dither_intensity": 0.0}


def _override() -> dict[str, Any]:
    plain = colour_names.plain_output()
    return {
        f"{_IMAGE}.color_management": "OVERRIDE",
        f"{_IMAGE}.display_settings.display_device": plain.display,
        f"{_IMAGE}.view_settings.view_transform": plain.view,
        **_PLAIN,
    }


def _renders_strips(scene: Any) -> bool:
    """Return whether the sequencer has strips that Blender renders instead of the compositor."""
    editor = scene.sequence_editor
    if editor is None:
        return False
    muted = {number for number, channel in enumerate(editor.channels) if channel.mute}
    return any(
        strip.type != "SOUND" and not strip.mute and strip.channel not in muted
        for strip in editor.strips
    )


def _get(scene: Any, path: str) -> Any:
    return scene.path_resolve(path)


def _set(scene: Any, path: str, value: Any) -> None:
    owner, _, name = path.rpartition(".")
    setattr(scene.path_resolve(owner) if owner else scene, name, value)
