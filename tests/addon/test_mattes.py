# SPDX-License-Identifier: GPL-3.0-or-later
"""The pictures of mattes that a capture renders, in each engine and of each kind of thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt
import pytest
from captures import open_shot, run
from conftest import read_codes
from matte_scenes import (
    EEVEE,
    IS_5,
    Part,
    choose,
    hero_behind_a_post,
    matte_codes,
    reference,
    row_of_things,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "shot"


def test_matte_is_what_is_seen_of_the_objects(scene: Any, part: Part, folder: Path) -> None:
    hero = hero_behind_a_post(scene)
    matte = _matte_beside_the_same_picture(scene, part, folder, hero)
    expected = reference(scene, [hero], folder.parent / "alpha.png")
    assert np.abs(matte - expected).max() <= 1
    assert (matte == 255).sum() > 5000 and (matte == 0).sum() > 50000
    assert ((matte > 0) & (matte < 255)).sum() > 2000, "the picture is out of focus, the matte not"


def test_matte_in_workbench(scene: Any, part: Part, folder: Path) -> None:
    hero = hero_behind_a_post(scene)
    scene.render.engine = "BLENDER_WORKBENCH"
    scene.display.shading.light = "MATCAP"
    matte = _matte_beside_the_same_picture(scene, part, folder, hero)
    others = [obj for obj in scene.objects if obj.type == "MESH" and obj != hero]
    alone = _alpha_without(scene, others, folder.parent / "alone.png")
    if not IS_5:  # where Workbench smooths alpha as it does colors
        alone = np.rint(255 * np.log2(1 + alone / 255)).astype(np.int64)
    assert (matte <= alone + 4).all()
    assert 5000 < (matte > 250).sum() < (alone > 250).sum() - 1000, "the post is in front"
    bpy.data.objects["Post"].location.x += 100
    run(part, scene, folder, [1], force=True)
    free = matte_codes(open_shot(part, folder), 1)
    assert np.abs(free - alone).max() <= 4
    assert ((free > 0) & (free < 255)).sum() > 100


def _matte_beside_the_same_picture(
    scene: Any, part: Part, folder: Path, hero: Any
) -> npt.NDArray[np.int64]:
    """Capture without and with a matte, and return its codes; the picture stays as it is."""
    run(part, scene, folder, [1])
    plain = read_codes(open_shot(part, folder).image_path(1))
    choose(scene, hero)
    run(part, scene, folder, [1], force=True)
    shot = open_shot(part, folder)
    assert np.array_equal(read_codes(shot.image_path(1)), plain), "the picture is another one"
    return matte_codes(shot, 1)


def _alpha_without(scene: Any, hidden: list[Any], path: Path) -> npt.NDArray[np.int64]:
    for obj in hidden:
        obj.hide_render = True
    alpha = reference(scene, scene.objects, path)
    for obj in hidden:
        obj.hide_render = False
    return alpha


@pytest.mark.parametrize("engine", ["CYCLES", EEVEE, "BLENDER_WORKBENCH"])
def test_matte_of_each_kind_of_thing(scene: Any, part: Part, folder: Path, engine: str) -> None:
    scene.render.engine = engine
    scene.eevee.taa_render_samples = 2
    painted, columns = row_of_things(scene)
    fog: Any = bpy.data.worlds.new("foggy")
    scene.world = fog
    if not IS_5:
        fog.use_nodes = True
    scatter = fog.node_tree.nodes.new("ShaderNodeVolumeScatter")
    scatter.inputs["Density"].default_value = 0.02
    fog.node_tree.links.new(
        scatter.outputs[0], fog.node_tree.get_output_node("ALL").inputs["Volume"]
    )
    choose(scene, *painted)
    run(part, scene, folder, [1])
    matte = matte_codes(open_shot(part, folder), 1) / 255
    share = {name: float(matte[:, place].mean()) for name, place in columns.items()}
    assert {name for name, value in share.items() if name.endswith("other") and value} == set()
    assert share["cube painted"] == pytest.approx(0.27, abs=0.02)
    assert share["instance painted"] == pytest.approx(share["cube painted"], abs=0.04)
    if engine == "BLENDER_WORKBENCH":  # which draws all as solid, and grease pencil apart
        del share["pencil painted"]
    else:
        see_through = 0.75 * share["cube painted"]
        assert share["glass painted"] == pytest.approx(see_through, abs=0.02)
    assert all(value > 0.03 for name, value in share.items() if name.endswith("painted"))
