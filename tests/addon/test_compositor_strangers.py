# SPDX-License-Identifier: GPL-3.0-or-later
"""What a .blend of a stranger, of another configuration or of an earlier version holds."""

from __future__ import annotations

import itertools
import json
import time
from pathlib import Path
from typing import Any

import bpy
import compositor_kinds as kinds
import pytest
from compositor_checks import Part, assert_shows, compose, state

UNKNOWN = {
    "display_device": "P9-Display",
    "view_transform": "Studio View v4",
    "look": "Studio Look",
    "gamma": 0.0,
}


def composed_group(part: Part, scene: Any) -> Any:
    """Compose a plain scene, and return the group of its node."""
    kinds.plain(scene)
    compose()
    return part("compositor").node(scene).node_tree


def rewrite(group: Any, **changed: Any) -> None:
    """Change what the group says that it shows."""
    group["paintover"] = json.dumps({**json.loads(group["paintover"]), **changed})


def test_views_that_blender_lacks_leave_the_frames_shown(
    scene: Any, stylized: Any, tmp_path: Path, part: Part
) -> None:
    group = composed_group(part, scene)
    view = json.loads(group["paintover"])["view"]
    rewrite(group, view={**view, **UNKNOWN})
    part("compositor").refresh(scene, stylized, stylized)
    assert len(group.nodes) > 3
    assert_shows(scene, stylized, tmp_path)
    compose()
    assert state(part, scene, stylized)[0] == "up to date"
    assert_shows(scene, stylized, tmp_path)


@pytest.mark.parametrize("value", ["x", None, [1], {"a": 1}, 1e9])
def test_old_settings_of_another_kind_do_not_count(
    scene: Any, stylized: Any, tmp_path: Path, value: Any
) -> None:
    kinds.plain(scene)
    image = scene.render.image_settings
    image.color_management = "OVERRIDE"
    prefix = "render.image_settings.view_settings"
    names = ("gamma", "exposure", "view_transform", "use_curve_mapping")
    before = {f"{prefix}.{name}": value for name in names}
    scene.paintover.before_compose = json.dumps(before)
    compose()
    assert_shows(scene, stylized, tmp_path)


def test_a_gamma_of_zero_is_composed(scene: Any, stylized: Any, tmp_path: Path) -> None:
    kinds.plain(scene)
    scene.view_settings.gamma = 0.0
    compose()
    assert_shows(scene, stylized, tmp_path)


def test_settings_may_be_renamed(scene: Any, stylized: Any, part: Part) -> None:
    for item in composed_group(part, scene).interface.items_tree:
        item.name = f"My {item.name}"
    assert state(part, scene, stylized)[0]
    compose()
    assert state(part, scene, stylized)[0] == "up to date"


def test_settings_that_an_earlier_version_lacked_show_the_painting(
    scene: Any, stylized: Any, tmp_path: Path, part: Part
) -> None:
    group = composed_group(part, scene)
    items = [item for item in group.interface.items_tree if item.name in {"Opacity", "Matte"}]
    assert len(items) == 2
    for item in items:
        group.interface.remove(item)
    part("compositor").refresh(scene, stylized, stylized)
    node = part("compositor").node(scene)
    assert node.inputs["Opacity"].default_value == node.inputs["Matte"].default_value == 1
    assert_shows(scene, stylized, tmp_path)


def test_groups_in_groups_are_looked_through_once(part: Part) -> None:
    """Each holds the next twice, so there are 2³⁰ ways to the last."""
    groups: Any = bpy.data.node_groups
    trees = [groups.new(f"Level {level}", "CompositorNodeTree") for level in range(30)]
    for outer, within in itertools.pairwise(trees):
        for _ in range(2):
            outer.nodes.new("CompositorNodeGroup").node_tree = within
    began = time.monotonic()
    assert len(part("compositor.trees").all_nodes(trees[0])) == 2 * 29
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("kind", ["Color", "Vector", "String", "Menu"])
def test_settings_of_the_node_that_are_no_numbers_are_made_anew(
    scene: Any, stylized: Any, tmp_path: Path, part: Part, kind: str
) -> None:
    if kind in ("String", "Menu") and bpy.app.version < (5, 0):
        pytest.skip("compositor groups of Blender 4.5 have no such inputs")
    group = composed_group(part, scene)
    names = ("Opacity", "Use Alpha", "Compare", "Matte")
    for item in [item for item in group.interface.items_tree if item.name in names]:
        group.interface.remove(item)
    for name in names:
        group.interface.new_socket(name, in_out="INPUT", socket_type=f"NodeSocket{kind}")
    step, why = state(part, scene, stylized)
    assert (step, why) == ("out of date", 'The setting "Opacity" of the node is no number')
    compose()
    assert state(part, scene, stylized) == ("up to date", "In the compositor")
    assert_shows(scene, stylized, tmp_path)
