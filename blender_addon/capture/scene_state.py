# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings changed for the capture and given back afterwards."""

from __future__ import annotations

import contextlib
from typing import Any

import bpy

from ..engine import passes

AOVS = {passes.SURFACE_AOV: "COLOR", passes.OBJECT_AOV: "VALUE"}
_PASSES = ("combined", "z", "vector", "position", "normal", "diffuse_color")
_RENDER = {
    "render.use_compositing": False,
    "render.use_sequencer": False,
    "render.use_motion_blur": False,
    "render.use_border": False,
    "render.use_multiview": False,
    "render.use_stamp": False,
    "render.use_single_layer": False,
    "render.dither_intensity": 0.0,
}


class SceneState:
    """Remembers each setting that it changes, and gives all of them back.

    It holds names and data paths instead of references, which an undo or a changed node tree
    would leave dangling.
    """

    def __init__(self, scene: bpy.types.Scene) -> None:
        self._scene = scene.name
        self._frame = (scene.frame_current, scene.frame_subframe)
        self._before: list[tuple[str, str, Any]] = []
        self._aovs: dict[str, tuple[list[str], Any]] = {}
        self._display: str | None = None

    def set(self, path: str, value: Any) -> None:
        """Change a setting of the scene, given by its data path, such as ``render.use_border``."""
        owner_path, _, name = path.rpartition(".")
        owner = self._owner(owner_path)
        self._before.append((owner_path, name, getattr(owner, name)))
        setattr(owner, name, value)

    def for_capture(self, view_layer: bpy.types.ViewLayer, *, blocking: bool) -> None:
        """Render this view layer alone, with the passes that help, and nothing after the render."""
        for path, value in _RENDER.items():
            self.set(path, value)
        scene = bpy.data.scenes[self._scene]
        for layer in scene.view_layers:
            self.set(f"{_layer_path(layer.name)}.use", layer == view_layer)
        layer_path = _layer_path(view_layer.name)
        for name in _PASSES:
            self.set(f"{layer_path}.use_pass_{name}", True)
        self._add_aovs(view_layer)
        if not blocking:
            # The interface is not locked: a lock would stop panels, and so progress and Cancel.
            view = _preferences_view()
            self._display, view.render_display_type = view.render_display_type, "NONE"

    def _add_aovs(self, view_layer: bpy.types.ViewLayer) -> None:
        added: list[str] = []
        self._aovs[view_layer.name] = (added, view_layer.active_aov_index)
        for name, kind in AOVS.items():
            if name not in view_layer.aovs:
                aov: Any = view_layer.aovs.add()
                aov.name, aov.type = name, kind
                added.append(name)

    def restore(self) -> None:
        """Give everything back, in reverse order; again does nothing.

        What was removed meanwhile is passed over.
        """
        if self._display is not None:
            view = _preferences_view()
            view.render_display_type, self._display = self._display, None
        scene = bpy.data.scenes.get(self._scene)
        if scene is None:
            return
        for layer, (names, active) in self._aovs.items():
            if layer in scene.view_layers:
                aovs: Any = scene.view_layers[layer].aovs
                for name in names:
                    if name in aovs:
                        aovs.remove(aovs[name])
                scene.view_layers[layer].active_aov_index = active
        self._aovs = {}
        while self._before:
            owner_path, name, value = self._before.pop()
            with contextlib.suppress(ValueError):
                setattr(self._owner(owner_path), name, value)
        if (scene.frame_current, scene.frame_subframe) != self._frame:
            scene.frame_set(self._frame[0], subframe=self._frame[1])

    def _owner(self, path: str) -> Any:
        scene = bpy.data.scenes[self._scene]
        return scene.path_resolve(path) if path else scene


def _preferences_view() -> Any:
    preferences: Any = bpy.context.preferences
    return preferences.view


def _layer_path(name: str) -> str:
    return f'view_layers["{bpy.utils.escape_identifier(name)}"]'
