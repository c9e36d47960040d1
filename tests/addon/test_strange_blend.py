# SPDX-License-Identifier: GPL-3.0-or-later
"""A .blend from a stranger: whatever its properties hold, no timer stops and no command raises."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import pytest
from compositor_checks import compose, remove, state, tree_of
from keyframe_paint import paint

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


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_in_a_circle_stops_no_saving_of_paint(
    scene: Any, shot: Any, tmp_path: Path, part: Callable[[str], Any]
) -> None:
    (tmp_path / "circle").symlink_to(tmp_path / "circle")
    for source in ("FILE", "SEQUENCE"):
        image: Any = bpy.data.images.new(f"A {source}", 4, 4)
        image.source, image.filepath = source, str(tmp_path / "circle" / "0001.png")
        image.use_fake_user = True
    bpy.ops.paintover.keyframe_add(frame=1)
    images, canvases = part("keyframes.images"), part("live.canvases")
    painting = images.load(shot, 1)
    assert canvases.KeyframeImages(shot).paintings() == {1: painting}
    assert part("compositor.sequences").find(shot.out_path("ink", 1).parent) is None
    watcher = part("ui.watcher")
    watcher.refresh()
    assert watcher._watcher.tick() > 0
    paint(painting, 1.0)
    bpy.ops.wm.save_mainfile()
    assert not painting.is_dirty and shot.key_is_painted(1)
