# SPDX-License-Identifier: GPL-3.0-or-later
"""A .blend from a stranger: whatever its properties hold, no timer stops and no command raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import bpy
import pytest
from compositor_checks import compose, remove, state, tree_of

STRANGE = (
    *("", "no JSON", "[" * 100_000, "[1, 2]", "{}", '{"a": NaN}', '"x"', "7", '{"settings": 1}'),
    '{"style": "../x", "suffix": ".png", "frames": "1", "view": {}}',
    '{"style": "ink", "suffix": ".png", "frames": "x", "view": {}}',
    '{"style": "ink", "suffix": ".sh", "frames": "1", "view": {"gamma": 1e999}}',
    *(5, 1.5, [1, 2], {"a": 1}),
)


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: repr(value)[:24])
def test_strange_properties_stop_no_timer_and_no_step(
    scene: Any, stylized: Any, part: Callable[[str], Any], value: Any
) -> None:
    compose()
    node = next(item for item in tree_of(scene).nodes if item.type == "GROUP")
    marks = part("compositor.marks")
    node.node_tree[marks.GROUP] = value
    node[marks.LINKS] = node[marks.OUTPUT] = value
    scene["paintover_before_capture"] = scene["paintover_kept_caches"] = value
    scene["paintover_before_matte"] = value
    scene.paintover.before_compose = value if isinstance(value, str) else "7"
    scene.paintover.keyframes.add().name = str(value)[:60]
    watcher = part("ui.watcher")
    watcher.refresh()
    assert watcher._watcher.tick() > 0
    part("capture.scene_state").restore(scene)
    part("capture.simulations").release(scene)
    part("capture.matte_pass").release(scene)
    kept = ("before_capture", "kept_caches", "before_matte")
    assert not [name for name in kept if f"paintover_{name}" in scene]
    assert state(part, scene, stylized)[1]
    compose()
    assert state(part, scene, stylized)[0] == "up to date"
    remove()
    assert not [item for item in bpy.data.node_groups if marks.GROUP in item]


def test_a_timer_that_fails_goes_on(
    scene: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    watcher = part("ui.watcher")

    def fail() -> float:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(watcher._watcher, "tick", fail)
    assert watcher._tick() > 0
