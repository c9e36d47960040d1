# SPDX-License-Identifier: GPL-3.0-or-later
"""A captured picture is what the user's own render is, code for code, for all kinds of things."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import numpy.typing as npt
import pytest
from conftest import read_codes
from exr_passes import Passes, read_passes
from material_kinds import KINDS, new_material, odd_material
from test_scene_state import everything
from test_surface import eevee_works  # noqa: F401
from thing_kinds import SETTINGS, THINGS, coloured, cube

Part = Callable[[str], Any]
Codes = npt.NDArray[np.int64]
WIDTH, HEIGHT, SCALE = 480, 288, 15.0
PER_ROW = 8


@pytest.fixture(params=["CYCLES", "EEVEE"])
def flat_scene(request: pytest.FixtureRequest, part: Part, scene: Any) -> Any:
    """A green floor under a sun, seen from straight above, 32 pixels a unit."""
    if request.param == "EEVEE":
        if not request.getfixturevalue("eevee_works"):
            pytest.skip("EEVEE finds no graphics on this machine")
        scene.render.engine = part("versions").EEVEE
    scene.eevee.taa_render_samples = scene.cycles.samples = 2
    scene.cycles.seed = 3
    render = scene.render
    render.resolution_x, render.resolution_y, render.dither_intensity = WIDTH, HEIGHT, 0
    camera = scene.camera
    camera.location, camera.rotation_euler = (0, 0, 10), (0, 0, 0)
    camera.data.type, camera.data.ortho_scale = "ORTHO", SCALE
    bpy.data.objects.remove(bpy.data.objects["Cube"])
    bpy.ops.mesh.primitive_plane_add(size=40, location=(0, 0, -1))
    floor = new_material("floor")
    floor.node_tree.nodes["Principled BSDF"].inputs["Base Color"].default_value = (0.2, 0.5, 0.1, 1)
    bpy.context.object.data.materials.append(floor)
    return scene


def place(number: int) -> tuple[float, float, float]:
    return (number % PER_ROW - 3.5) * 1.85, 3.4 - number // PER_ROW * 2.2, 0.0


def own_render(scene: Any, folder: Path) -> Codes:
    """Render frame 1 as the user does; top row first."""
    scene.frame_set(1)
    image: Any = scene.render.image_settings
    image.file_format, scene.render.filepath = "PNG", str(folder / "own.png")
    image.color_mode = "RGBA" if scene.render.film_transparent else "RGB"
    bpy.ops.render.render(write_still=True)
    return read_codes(folder / "own.png")[::-1]


def captured(part: Part, scene: Any, folder: Path) -> tuple[Codes, Passes]:
    """Capture frame 1; top row first."""
    for _ in part("capture").capture(scene, folder / "shot", [1]):
        pass
    shot = part("engine.shared.shot").Shot.open(folder / "shot")
    return read_codes(shot.image_path(1))[::-1], read_passes(shot.passes_path(1))


def without_order(state: dict[str, Any]) -> dict[str, Any]:
    """Links that are made again come last in Blender's list of links, which has no meaning."""
    for name, value in state.items():
        if name.startswith("material ") and value[1]:
            value[1]["links"].sort()
    return state


def test_every_kind_of_material_looks_the_same(flat_scene: Any, part: Part, tmp_path: Path) -> None:
    is_cycles = flat_scene.render.engine == "CYCLES"
    # Only Cycles gets other nodes than before, and EEVEE compiles long.
    kinds = list(KINDS) if is_cycles else list(KINDS)[:6]
    for number, kind in enumerate(kinds):
        bpy.ops.mesh.primitive_cube_add(size=1.3, location=place(number))
        material = odd_material(kind, "EEVEE" if is_cycles else "CYCLES")
        bpy.context.object.data.materials.append(material)
    own = own_render(flat_scene, tmp_path)
    before = without_order(everything())
    picture, passes = captured(part, flat_scene, tmp_path)
    assert np.array_equal(own, picture)
    assert len(np.unique(own[..., 0])) > 30
    after = without_order(everything())
    assert [name for name in before if after.get(name) != before[name]] == []
    share = {}
    for number, kind in enumerate(kinds):
        x, y, _ = place(number)
        row, column = int(HEIGHT / 2 - y * 32), int(WIDTH / 2 + x * 32)
        share[kind] = passes["paintover_surface"][row, column, 3]
    assert {share[kind] for kind in ("plain", "emission of 0", "group with surface")} == {1}
    if is_cycles:
        surfaces = ("emission", "half a mix", "half a sum", "toon", "glass", "subsurface")
        assert {share[kind] for kind in surfaces} == {1}
        assert {share[kind] for kind in ("nothing linked", "no output", "muted link")} == {0}
        assert share["transparent"] > 1, "the engine takes such a pixel as unknown"


@pytest.mark.parametrize("flat_scene", ["CYCLES"], indirect=True)
def test_every_kind_of_thing_looks_the_same(flat_scene: Any, part: Part, tmp_path: Path) -> None:
    flat_scene.render.resolution_percentage = 50
    if hasattr(flat_scene.cycles, "volume_biased"):
        flat_scene.cycles.volume_biased = True  # much faster
    for number, add in enumerate(THINGS):
        add(place(number))
    own = own_render(flat_scene, tmp_path)
    before = without_order(everything())
    picture, passes = captured(part, flat_scene, tmp_path)
    assert np.array_equal(own, picture)
    after = without_order(everything())
    assert [name for name in before if after.get(name) != before[name]] == []
    assert len(np.unique(passes["paintover_object"][passes["paintover_surface"][..., 3] == 1])) > 30


@pytest.mark.parametrize("flat_scene", ["CYCLES"], indirect=True)
def test_with_every_setting_it_looks_the_same(flat_scene: Any, part: Part, tmp_path: Path) -> None:
    flat_scene.render.resolution_percentage = 20
    cube((0, 0, 0), coloured("red", 0.8, 0.1, 0.1)).name = "Cube"
    saved = tmp_path / "settings.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(saved))
    plain = own_render(flat_scene, tmp_path)
    for name, change in SETTINGS.items():
        bpy.ops.wm.open_mainfile(filepath=str(saved))
        scene: Any = bpy.context.scene
        change(scene)
        folder = tmp_path / name
        folder.mkdir()
        own = own_render(scene, folder)
        picture, _ = captured(part, scene, folder)
        assert np.array_equal(own, picture), name
        assert np.array_equal(own_render(scene, folder), own), f"{name}, afterwards"
        shows = name not in {"persistent data", "empty world"}
        assert np.array_equal(own, plain) != shows, name
