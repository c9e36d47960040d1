# SPDX-License-Identifier: GPL-3.0-or-later
"""What is painted: the choice, what a capture renders after a change, and what it tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from captures import open_shot, run
from conftest import HEIGHT, WIDTH, write_png
from matte_scenes import EEVEE, Part, choose, cube, material, matte_codes
from test_scene_state import everything, untidy  # noqa: F401 - a fixture


@pytest.fixture
def folder(part: Part, scene: Any) -> Path:
    return Path(part("properties").shot_folder(scene))


@pytest.fixture
def hero(scene: Any) -> Any:
    """The cube of the scene, called Hero, with another one beside it, called Rock."""
    hero: Any = bpy.data.objects["Cube"]
    hero.name = "Hero"
    cube(scene, "Rock", (-2, 1, 0), 1.5, material("rock", (0.2, 0.2, 0.3)))
    return hero


def why(part: Part, scene: Any) -> str:
    step = part("states").look(scene).steps["capture"]
    assert (step.step.value == "up to date") == step.why.startswith("Frames")
    return str(step.why)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "shot.json"
    }


def test_another_choice_renders_only_mattes(
    scene: Any, part: Part, folder: Path, hero: Any
) -> None:
    choose(scene, hero)
    bpy.ops.paintover.capture()
    shot = open_shot(part, folder)
    first, before = shot.manifest.matte, files(folder)
    assert first.startswith("objects-") and shot.manifest.source["matte"] == {
        "objects": [["Hero", ""]]
    }
    assert why(part, scene) == "Frames 1-3"
    assert run(part, scene, folder, [1, 2, 3]).skipped == [1, 2, 3]
    assert files(folder) == before

    choose(scene, bpy.data.objects["Rock"])
    assert why(part, scene) == "Other parts are to be painted: capture the mattes"
    job = part("capture").capture(scene, folder, [1, 2, 3])
    assert [next(job).text for _ in range(2)] == ["Frame 1", "Frame 2"]
    job.close()
    assert open_shot(part, folder).manifest.matte == first, "a half of each would not fit"
    result = run(part, scene, folder, [1, 2, 3])
    assert (result.rendered, result.mattes, result.skipped) == ([], [2, 3], [1])
    shot = open_shot(part, folder)
    assert shot.manifest.matte != first
    assert [path.name for path in (folder / "mattes").iterdir()] == [shot.manifest.matte]
    after = files(folder)
    assert {name for name in after if after[name] != before.get(name)} == {
        f"mattes/{shot.manifest.matte}/000{frame}.png" for frame in (1, 2, 3)
    }

    choose(scene)
    assert why(part, scene) != "Frames 1-3"
    result = run(part, scene, folder, [1, 2, 3])
    assert (result.rendered, result.mattes, result.skipped) == ([], [], [1, 2, 3])
    shot = open_shot(part, folder)
    assert (shot.manifest.matte, "matte" in shot.manifest.source) == ("", False)
    assert not list((folder / "mattes").iterdir())
    assert why(part, scene) == "Frames 1-3"


def test_frames_outside_the_range_get_mattes_too(
    scene: Any, part: Part, folder: Path, hero: Any
) -> None:
    bpy.ops.paintover.capture()
    scene.frame_end = 2
    choose(scene, hero)
    assert run(part, scene, folder, [2], partly=True).mattes == [2]
    assert open_shot(part, folder).manifest.matte == ""
    bpy.ops.paintover.capture()
    shot = open_shot(part, folder)
    assert shot.manifest.matte and shot.missing_mattes() == []


def test_frames_that_are_captured_again_get_new_mattes(
    scene: Any, part: Part, folder: Path, hero: Any
) -> None:
    choose(scene, hero)
    run(part, scene, folder, [1, 2, 3])
    before = matte_codes(open_shot(part, folder), 2)
    hero.location.x += 0.5
    run(part, scene, folder, [1, 2, 3], force=True)
    moved = matte_codes(open_shot(part, folder), 2)
    assert not np.array_equal(before, moved)
    scene.render.resolution_percentage = 50
    job = part("capture").capture(scene, folder, [1, 2, 3])
    for _ in range(3):
        next(job)
    job.close()
    assert np.array_equal(matte_codes(open_shot(part, folder), 2), moved)
    assert run(part, scene, folder, [1, 2, 3]).rendered == [1, 2, 3]
    shot = open_shot(part, folder)
    assert matte_codes(shot, 2).shape == (HEIGHT // 2, WIDTH // 2)
    shot.matte_path(2).unlink()
    assert why(part, scene) == "0002.png is missing"
    assert run(part, scene, folder, [1, 2, 3]).mattes == [2]


def test_mattes_from_files_stay(scene: Any, part: Part, folder: Path) -> None:
    run(part, scene, folder, [1, 2, 3])
    shot = open_shot(part, folder)
    shot.manifest.matte = "matte"
    for frame in (1, 2, 3):
        write_png(shot.matte_path(frame), np.ones((HEIGHT, WIDTH, 4), np.float32))
    shot.save()
    assert why(part, scene) == "Frames 1-3"
    run(part, scene, folder, [1, 2, 3], force=True)
    shot = open_shot(part, folder)
    assert (shot.manifest.matte, shot.missing_mattes()) == ("matte", [])


def deleted(scene: Any, hero: Any) -> None:
    choose(scene, hero)
    bpy.data.objects.remove(hero)


def unlinked(scene: Any, hero: Any) -> None:
    choose(scene, hero)
    scene.collection.objects.unlink(hero)


def empty_row(scene: Any, hero: Any) -> None:
    choose(scene, hero)
    scene.paintover.matte.objects.add()


def no_object(scene: Any, hero: Any) -> None:
    scene.paintover.matte.source = "OBJECTS"


def no_collection(scene: Any, hero: Any) -> None:
    scene.paintover.matte.source = "COLLECTION"


def deleted_collection(scene: Any, hero: Any) -> None:
    choose(scene, collection=bpy.data.collections.new("Heroes"))
    bpy.data.collections.remove(bpy.data.collections["Heroes"])


def empty_collection(scene: Any, hero: Any) -> None:
    choose(scene, collection=bpy.data.collections.new("Heroes"))


def hidden(scene: Any, hero: Any) -> None:
    choose(scene, hero)
    hero.hide_render = True


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (deleted, 'The object "Hero" of the matte was deleted; choose another under Matte'),
        (unlinked, 'The object "Hero" of the matte is not in the scene "Scene" any more'),
        (empty_row, "An object of the matte is not chosen yet"),
        (no_object, "No object is chosen to be painted"),
        (no_collection, "No collection is chosen to be painted"),
        (deleted_collection, 'The collection "Heroes" of the matte was deleted'),
        (empty_collection, 'Nothing of the matte is rendered in the view layer "ViewLayer"'),
        (hidden, 'Nothing of the matte is rendered in the view layer "ViewLayer"'),
    ],
)
def test_what_cannot_be_painted_is_told(
    scene: Any, part: Part, folder: Path, hero: Any, change: Callable[..., None], told: str
) -> None:
    change(scene, hero)
    with pytest.raises(part("engine.shared.errors").PaintoverError) as error:
        run(part, scene, folder, [1])
    assert str(error.value).startswith(told) and str(error.value).count(".") == 1
    assert not (folder / "shot.json").exists()


def test_engines_that_cannot_are_told(scene: Any, part: Part, hero: Any) -> None:
    class Toy(bpy.types.RenderEngine):
        bl_idname, bl_label = "TOY", "Toy"

    bpy.utils.register_class(Toy)
    try:
        scene.render.engine = "TOY"
        choose(scene, hero)
        matte = part("mattes").choice(scene)
        with pytest.raises(part("engine.shared.errors").PaintoverError, match="not by TOY"):
            part("capture.matte_pass").check(scene, scene.view_layers[0], matte)
    finally:
        scene.render.engine = "CYCLES"
        bpy.utils.unregister_class(Toy)


def test_collections_with_instances_and_children(scene: Any, part: Part, hero: Any) -> None:
    outer, inner = (bpy.data.collections.new(name) for name in ("Outer", "Inner"))
    scene.collection.children.link(outer)
    outer.children.link(inner)
    scene.collection.objects.unlink(hero)
    inner.objects.link(hero)
    shown, mixed = (bpy.data.objects.new(name, None) for name in ("Shown", "Mixed"))
    both = bpy.data.collections.new("Both")
    both.objects.link(hero)
    both.objects.link(bpy.data.objects["Rock"])
    for empty, collection in ((shown, inner), (mixed, both)):
        empty.instance_type, empty.instance_collection = "COLLECTION", collection
        scene.collection.objects.link(empty)
    choose(scene, collection=outer)
    mattes = part("mattes")
    layer = scene.view_layers[0]
    painted, others = mattes.divide(mattes.choice(scene), layer)
    assert {obj.name for obj in painted} == {"Hero", "Shown"}
    assert {"Rock", "Mixed"} <= {obj.name for obj in others}
    assert mattes.left_out(mattes.choice(scene), layer) == [
        'The instances of "Hero" that "Mixed" makes are not painted; add "Mixed" to the matte to '
        "paint all that it makes."
    ]
    name = mattes.choice(scene).name
    inner.objects.link(bpy.data.objects["Rock"])
    assert mattes.choice(scene).name != name, "there is more to paint now"
    layer.layer_collection.children["Outer"].children["Inner"].exclude = True
    painted, _ = mattes.divide(mattes.choice(scene), layer)
    assert {obj.name for obj in painted} == {"Rock", "Shown", "Mixed"}


@pytest.mark.parametrize("engine", ["CYCLES", EEVEE, "BLENDER_WORKBENCH"])
def test_scene_is_as_it_was_during_and_after_a_matte(
    untidy: Any,  # noqa: F811
    part: Part,
    tmp_path: Path,
    engine: str,
) -> None:
    bpy.ops.object.mode_set(mode="OBJECT")
    untidy.render.engine = engine
    untidy.world = bpy.data.worlds.new("World")
    fog = cube(untidy, "Fog", (0, 0, 0), 1, material("fog", (1, 1, 1)))
    nodes = fog.data.materials[0].node_tree
    nodes.links.new(
        nodes.nodes.new("ShaderNodeVolumeScatter").outputs[0],
        nodes.get_output_node("ALL").inputs["Volume"],
    )
    nodes.nodes.remove(nodes.nodes["Principled BSDF"])
    choose(untidy, bpy.data.objects["Cube"], bpy.data.objects["instance"])
    before = everything()
    preparation = part("capture.preparation").Preparation(
        untidy, untidy.view_layers[0], blocking=True
    )
    preparation.begin()
    scene, layer = preparation.scene_and_layer()
    matte_pass = part("capture.matte_pass")
    matte_pass.hold_out(scene, layer, part("mattes").choice(scene).name)
    assert scene.world is None and fog.hide_render
    path = tmp_path / "copy.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    assert not matte_pass.is_held_out(scene), "what is saved has nothing of the matte"
    matte_pass.hold_out(scene, layer, part("mattes").choice(scene).name)
    # What autosave writes, which calls no handlers.
    crashed = tmp_path / "recovered.blend"
    bpy.data.libraries.write(str(crashed), set(bpy.data.scenes))
    preparation.end()
    assert everything() == before
    bpy.ops.wm.open_mainfile(filepath=str(crashed))
    print(
        [(s.name, list(s.keys()), list(s.collection.children)) for s in bpy.data.scenes],
        [(c.name, c.users) for c in bpy.data.collections],
    )
    assert [one.name for one in bpy.data.collections if "paintover" in one.name] == []
    assert bpy.context.scene.world.name == "World"
    assert not bpy.data.objects["Fog"].hide_render
    assert not [obj for obj in bpy.data.objects if any("paintover" in key for key in obj.keys())]  # noqa: SIM118 - objects are no dicts


def test_list_of_objects(scene: Any, part: Part, hero: Any) -> None:
    matte = scene.paintover.matte
    for obj in scene.objects:
        obj.select_set(True)
    assert bpy.ops.paintover.matte_add() == {"FINISHED"}
    assert [item.object.name for item in matte.objects] == ["Hero", "Rock"], "no lamp, no camera"
    assert matte.source == "OBJECTS"
    bpy.ops.paintover.matte_add()
    assert [item.object for item in matte.objects][2:] == [None], "a row to fill"
    bpy.ops.paintover.matte_remove()
    matte.active = 0
    bpy.ops.paintover.matte_remove()
    assert [item.name for item in matte.objects] == ["Rock"]
    bpy.ops.paintover.matte_remove()
    assert not bpy.ops.paintover.matte_remove.poll()


def test_choice_is_saved_and_undone(scene: Any, part: Part, hero: Any) -> None:
    choose(scene, hero)
    bpy.ops.wm.save_mainfile()
    bpy.ops.wm.open_mainfile(filepath=bpy.data.filepath)
    opened: Any = bpy.context.scene
    assert part("mattes").choice(opened).note == {"objects": [["Hero", ""]]}
    bpy.ops.ed.undo_push(message="before")
    bpy.data.objects["Rock"].select_set(True)
    bpy.data.objects["Hero"].select_set(False)
    bpy.ops.paintover.matte_add()
    bpy.ops.ed.undo_push(message="added")
    bpy.ops.ed.undo()
    undone: Any = bpy.context.scene
    assert [item.name for item in undone.paintover.matte.objects] == ["Hero"]
    assert undone.paintover.matte.objects[0].object == bpy.data.objects["Hero"]


def test_linked_objects_are_chosen(scene: Any, part: Part, folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "library.blend"
    made = cube(scene, "Cube", (2, 0, 0), 1, material("linked", (1, 0, 0)))
    made.name = "Linked"
    bpy.data.libraries.write(str(path), {made})
    bpy.data.objects.remove(made)
    with bpy.data.libraries.load(str(path), link=True) as (_, wanted):
        wanted.objects = ["Linked"]
    linked = wanted.objects[0]
    scene.collection.objects.link(linked)
    choose(scene, linked)
    run(part, scene, folder, [1])
    shot = open_shot(part, folder)
    assert shot.manifest.source["matte"]["objects"] == [["Linked", "library.blend"]]
    assert 0 < (matte_codes(shot, 1) > 0).mean() < 0.5


def test_linked_scenes_have_the_mattes_of_their_own_blend(
    scene: Any, part: Part, hero: Any, tmp_path: Path
) -> None:
    choose(scene, hero)
    scene.world = bpy.data.worlds.new("World")
    run(part, scene, tmp_path / "own", [1])
    own = open_shot(part, tmp_path / "own")
    library = tmp_path / "library.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(library))
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "user.blend"))
    with bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        wanted.scenes = ["Scene"]
    linked = wanted.scenes[0]
    linked.view_layers[0].update()
    before = everything()
    run(part, linked, tmp_path / "linked", [1])
    assert everything() == before
    shot = open_shot(part, tmp_path / "linked")
    assert shot.manifest.matte == own.manifest.matte
    assert np.array_equal(matte_codes(shot, 1), matte_codes(own, 1))


def test_choice_without_a_window(
    scene: Any, part: Part, folder: Path, hero: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    main = part("command").main
    assert main(["capture", "--frames", "1-2", "--object", "Hero", "--object", "Rock"]) == 0
    assert len(open_shot(part, folder).manifest.source["matte"]["objects"]) == 2
    collection = bpy.data.collections.new("Heroes")
    collection.objects.link(hero)
    assert main(["capture", "--collection", "Heroes"]) == 0
    assert open_shot(part, folder).manifest.source["matte"]["collection"] == ["Heroes", ""]
    assert main(["capture", "--whole-picture"]) == 0
    assert open_shot(part, folder).manifest.matte == ""
    assert main(["stylize", "--unpainted", "nothing"]) == 1
    assert scene.paintover.unpainted == "nothing"
    capsys.readouterr()
    assert main(["capture", "--object", "Zero"]) == 1
    assert 'There is no object "Zero" in the scene "Scene"' in capsys.readouterr().err
    assert main(["run", "--collection", "Zero"]) == 1
    assert main(["capture", "--object", "Hero", "--whole-picture"]) == 2
    assert json.loads((folder / "shot.json").read_text())["matte"] == ""
