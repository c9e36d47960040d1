# SPDX-License-Identifier: GPL-3.0-or-later
"""The panels: the same parts in each editor, which offer every step."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

Part = Callable[[str], Any]

PARTS = ("source", "keyframes", "style", "output", "engine")
EDITORS = {"VIEW_3D": "view", "IMAGE_EDITOR": "image", "NODE_EDITOR": "node"}


class Layout:
    """Stands in for Blender's layout, which only a window has, and notes what is drawn."""

    def __init__(self, drawn: list[tuple[str, Any]] | None = None) -> None:
        self.__dict__["drawn"] = [] if drawn is None else drawn

    def __setattr__(self, name: str, value: Any) -> None:
        pass

    def operator(self, name: str, **given: Any) -> Any:
        module, _, verb = name.partition(".")
        assert hasattr(bpy.types, f"{module.upper()}_OT_{verb}"), name
        self.drawn.append(("operator", name))
        return SimpleNamespace()

    def prop(self, holder: Any, name: str, **given: Any) -> None:
        assert name in holder.bl_rna.properties, name
        self.drawn.append(("prop", name))

    def label(self, text: str = "", icon: str = "NONE", **given: Any) -> None:
        self.drawn.append(("label", text))

    def __getattr__(self, name: str) -> Callable[..., Layout]:
        return lambda *args, **given: Layout(self.drawn)


def context(scene: Any, editor: str = "VIEW_3D") -> Any:
    return SimpleNamespace(
        scene=scene,
        window_manager=bpy.context.window_manager,
        preferences=SimpleNamespace(system=SimpleNamespace(ui_scale=1.0)),
        region=SimpleNamespace(width=280),
        screen=SimpleNamespace(is_animation_playing=False),
        space_data=SimpleNamespace(type=editor, tree_type="CompositorNodeTree", image=None),
    )


def draw(part: Part, scene: Any, editor: str = "VIEW_3D") -> list[tuple[str, Any]]:
    """Return what all panels of an editor draw."""
    layout = Layout()
    for cls in part("ui").classes:
        if getattr(cls, "bl_space_type", "") == editor and cls.poll(context(scene, editor)):
            cls.draw(SimpleNamespace(layout=layout), context(scene, editor))
    return layout.drawn


def registered_panels() -> list[Any]:
    """Return the panel classes that Blender knows of the add-on."""
    names = [name for name in dir(bpy.types) if name.startswith("PAINTOVER_PT")]
    return [getattr(bpy.types, name) for name in names]


@pytest.mark.parametrize("editor", EDITORS)
def test_each_editor_has_the_parts(addon: Any, editor: str) -> None:
    main = f"PAINTOVER_PT_{EDITORS[editor]}_main"
    panels = [cls for cls in registered_panels() if cls.bl_space_type == editor]
    parents = {cls.bl_label.lower(): getattr(cls, "bl_parent_id", "") for cls in panels}
    parts = {label for label, parent in parents.items() if parent == main}
    assert parts == {*PARTS, *(["live"] if editor != "NODE_EDITOR" else [])}
    assert parents["paintover"] == ""
    assert all(cls.bl_category == "Paintover" for cls in panels)


@pytest.mark.parametrize("editor", EDITORS)
def test_each_editor_offers_every_step(part: Part, scene: Any, editor: str) -> None:
    drawn = draw(part, scene, editor)
    steps = ("capture", "keyframe_add", "preview", "train", "stylize", "compose")
    for step in steps:
        assert ("operator", f"paintover.{step}") in drawn
    for setting in ("folder", "use_custom_range", "style", "seconds", "device", "format", "source"):
        assert ("prop", setting) in drawn


def test_another_node_editor_has_no_panel(part: Part, scene: Any) -> None:
    shader = context(scene, "NODE_EDITOR")
    shader.space_data.tree_type = "ShaderNodeTree"
    panels = [cls for cls in part("ui").classes if issubclass(cls, bpy.types.Panel)]
    assert panels and not any(cls.poll(shader) for cls in panels)


def test_every_button_and_setting_has_a_tooltip(addon: Any, part: Part) -> None:
    groups = [bpy.types.Scene.paintover.keywords["type"], part("preferences").PAINTOVER_preferences]
    groups += [part("mattes").PAINTOVER_PG_matte, part("live.settings").PAINTOVER_PG_live]
    groups += [part("live.settings").PAINTOVER_PG_live_preferences]
    for cls in part("operators").classes:
        name = cls.bl_idname.partition(".")[2]
        told = getattr(bpy.ops.paintover, name).get_rna_type()
        assert (told.description and told.name) or "INTERNAL" in cls.bl_options, name
        assert not told.description.endswith("."), name
        groups.append(told)
    own = [each for group in groups for each in getattr(group, "bl_rna", group).properties]
    builtin = ("rna_type", "bl_idname", "name")
    for setting in own:
        shown = setting.type not in ("POINTER", "COLLECTION") and not setting.is_hidden
        if shown and setting.identifier not in builtin:
            assert setting.description, setting.identifier
            assert not setting.description.endswith("."), setting.identifier
