# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames: passes by meaning, and what renderers get wrong put right or marked as not known."""

from __future__ import annotations

import re
import shutil

import cv2
import numpy as np
import pytest
import synthetic
from synthetic import HEIGHT, STEP_X, STEP_Y, WIDTH

from engine.frames import object_ids, pass_cleaning
from engine.frames.frame import read_frame
from engine.images.colour.srgb import encode_srgb
from engine.images.exr_layers import opened_layers
from engine.images.pictures import read_picture, write_picture
from engine.shared.errors import PaintoverError
from engine.shared.files import digest_file
from engine.shared.manifest import FrameRecord
from engine.shared.passes import OBJECT_STEP


@pytest.mark.parametrize(("many_parts", "old_names"), [(True, False), (False, True)])
def test_every_pass_has_its_meaning(strange_folder, many_parts, old_names):
    shot = synthetic.make_shot(
        strange_folder / "shot", 1, many_parts=many_parts, old_names=old_names
    )
    frame = read_frame(shot, 1)
    a, b = synthetic.shares(1)
    on_a, on_b = a == 1, b == 1
    background = a + b == 0
    assert np.array_equal(frame.alpha, np.rint((a + b) * 255).astype(np.float32) / 255)
    assert np.abs(frame.image - synthetic.picture(1)[..., :3]).max() <= 0.5 / 255 + 1e-6
    assert np.allclose(frame.motion[on_a], [-STEP_X, -STEP_Y, STEP_X, STEP_Y])
    assert not frame.motion[on_b].any()
    assert np.isnan(frame.motion[background]).all()
    assert np.isinf(frame.depth[background]).all()
    assert set(np.unique(frame.depth[~background])) == {4, 6}
    assert np.array_equal(frame.normal[on_a], np.tile([0, -1, 0], (on_a.sum(), 1)))
    assert not frame.normal[background].any()
    assert np.allclose(frame.albedo[on_a], encode_srgb([0.5, 0.25, 0]))
    surface_a, surface_b = synthetic.surface_of(1)
    assert np.allclose(frame.surface[on_a], surface_a[on_a], atol=1e-5)
    assert np.allclose(frame.surface[on_b], surface_b[on_b], atol=1e-5)
    assert np.isnan(frame.surface[background]).all()
    assert frame.notes == []


def test_only_what_is_wanted_is_read(rendered_shot):
    frame = read_frame(rendered_shot, 1, {"normal"})
    assert frame.normal is not None
    for name in ("motion", "depth", "albedo", "object", "surface"):
        assert getattr(frame, name) is None, name
    rendered_shot.passes_path(2).unlink()
    assert read_frame(rendered_shot, 2, {"image"}).normal is None


def test_objects_have_one_id_in_all_frames_and_mixed_pixels_none(rendered_shot):
    ids = []
    for number in rendered_shot.frames:
        frame = read_frame(rendered_shot, number, {"object", "surface"})
        a, b = synthetic.shares(number)
        (id_a,), (id_b,) = (np.unique(frame.object[share == 1]) for share in (a, b))
        ids.append((id_a, id_b))
        assert 0 < id_a != id_b > 0
        assert not frame.object[a + b == 0].any()
        mixed = (a == 0.5) & (b > 0)
        assert mixed.any()
        assert (frame.object[mixed] == -1).all()
        assert np.isnan(frame.surface[mixed]).all()
    assert len(set(ids)) == 1


def test_object_ids_survive_the_rounding_of_averages():
    rounding = np.random.default_rng(3)
    y, x = np.mgrid[:60, :80]
    numbers = np.array([0.8413271, 0.1357643, 0.5362948, 0.2082])
    which = (x // 20 + y // 30) % 4
    ids = set()
    for _ in range(5):
        share = np.ones((60, 80), np.float32)
        values = numbers[which] * (1 + np.where(rounding.random((60, 80)) < 0.3, 1e-7, 0))
        found = object_ids.objects_from_random(values.astype(np.float32), share, None)
        assert (found > 0).all()
        ids.add(tuple(np.unique(found[which == index]).item() for index in range(4)))
    assert len(ids) == 1
    assert len(set(*ids)) == 4


def test_half_covered_pixels_of_24_bit_floats_keep_their_object(tmp_path):
    y, x = np.mgrid[:40, :40]
    share = np.clip(1.25 - np.maximum(np.abs(x - 20), np.abs(y - 20)) / 12, 0, 1)
    steps = np.where(x < 20, 27001, 27002)
    layers = {"share": share, "values": steps * OBJECT_STEP * share}
    path = tmp_path / "24bits.exr"
    synthetic.write_layers(path, layers, compression="pxr24")
    read = synthetic.read_layers(path, list(layers))
    assert not np.array_equal(read["values"], layers["values"].astype(np.float32))
    found = object_ids.objects_from_random(read["values"], read["share"], None)
    covered = share > 0.5
    assert (found[covered & (x < 19)] == 27002).all()
    assert (found[covered & (x > 20)] == 27003).all()


def test_half_covered_pixels_of_half_floats_keep_their_object():
    y, x = np.mgrid[:40, :40]
    share = np.clip(1.25 - np.maximum(np.abs(x - 20), np.abs(y - 20)) / 12, 0, 1)
    share = share.astype(np.float16).astype(np.float32)
    values = (0.5362948 * share).astype(np.float16).astype(np.float32)
    found = object_ids.objects_from_random(values, share, None)
    inner = share == 1
    (own,) = np.unique(found[inner])
    edge = (share > 0.8) & (share < 1)
    assert own > 0
    assert edge.any()
    assert (found[edge] == own).all()


def test_what_is_seen_through_something_has_no_surface():
    step = np.float32(9000 * OBJECT_STEP)
    alpha = np.ones((20, 20), np.float32)
    alpha[:, 12:] = 3.0  # a pane's front and back before the wall
    alpha[15:] = 0.0
    share = pass_cleaning.surface_share(alpha)
    objects = object_ids.objects_from_random(step * alpha, share, np.full_like(alpha, 5))
    coordinates = np.repeat(alpha[..., None], 3, axis=2)
    surface = pass_cleaning.surface(coordinates, share, objects)
    assert (objects[:15, :12] == 9001).all()
    assert (surface[:15, :12] == 1).all()
    assert (objects[:15, 12:] == -1).all()
    assert np.isnan(surface[:, 12:]).all()


def test_object_index_serves_where_there_is_no_random_number(tmp_path):
    shot = synthetic.make_shot(tmp_path / "shot", 1, change={"Object Index.X": 1.5})
    shot.manifest.passes["object"] = "Object Index"
    frame = read_frame(shot, 1, {"object"})
    a, b = synthetic.shares(1)
    assert frame.object[30, 40] == -1
    frame.object[30, 40] = 2
    assert set(np.unique(frame.object[a > 0])) == {1}
    assert set(np.unique(frame.object[(a == 0) & (b > 0)])) == {2}
    assert not frame.object[a + b == 0].any()


def test_the_clip_end_of_eevee_is_background(tmp_path):
    cameras = {1: synthetic.rotated_camera(0)}
    shot = synthetic.make_shot(tmp_path / "shot", 1, cameras=cameras)
    channels = synthetic.layers(1)
    depth = channels[f"{synthetic.LAYER}.Depth.Z"]
    background = depth > 1e9
    depth[background] = 100.05
    synthetic.write_layers(shot.passes_path(1), channels)
    assert np.array_equal(np.isinf(read_frame(shot, 1, {"depth"}).depth), background)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_nan_and_infinity_in_passes_are_unknown_or_zero(tmp_path, value):
    channels = ("Normal.X", "Vector.X", "Depth.Z", "Diffuse Color.R")
    channels += ("paintover_surface.G", "paintover_object.X", "Combined.R", "Object Index.X")
    shot = synthetic.make_shot(tmp_path / "shot", 1, change=dict.fromkeys(channels, value))
    frame = read_frame(shot, 1)
    whole = read_frame(synthetic.make_shot(tmp_path / "whole", 1), 1)
    assert np.isfinite(frame.image).all()
    assert frame.normal[30, 40, 0] == 0
    assert frame.albedo[30, 40, 0] == 0
    assert np.isnan(frame.motion[30, 40]).all()
    assert np.isnan(frame.surface[30, 40]).all()
    assert frame.object[30, 40] <= 0
    for name in ("normal", "albedo", "motion", "surface", "object"):
        ours, theirs = getattr(frame, name), getattr(whole, name)
        if name in ("normal", "albedo"):
            assert np.isfinite(ours).all()
        assert np.array_equal(ours[:28], theirs[:28], equal_nan=name != "object"), name


def test_alpha_comes_from_the_passes_where_the_picture_has_none(tmp_path):
    shot = synthetic.make_shot(tmp_path / "shot", 1)
    write_picture(shot.image_path(1), np.ascontiguousarray(synthetic.picture(1)[..., :3]))
    a, b = synthetic.shares(1)
    assert np.array_equal(read_frame(shot, 1).alpha, a + b)
    shot.manifest.passes = {}
    assert (read_frame(shot, 1).alpha == 1).all()


def test_the_captured_view_layer_is_chosen(tmp_path):
    shot = synthetic.make_shot(tmp_path / "shot", 1)
    channels = synthetic.layers(1)
    other = {
        name.replace(synthetic.LAYER, "A.first"): values + 5 for name, values in channels.items()
    }
    synthetic.write_layers(shot.passes_path(1), {**other, **channels})
    assert read_frame(shot, 1).normal.max() <= 0
    shot.manifest.source["view_layer"] = "A.first"
    assert read_frame(shot, 1).normal.max() == 1


def test_what_is_missing_is_named(rendered_shot):
    with pytest.raises(PaintoverError, match=r"no frame 9, only 1-3"):
        read_frame(rendered_shot, 9)
    channels = {k: v for k, v in synthetic.layers(2).items() if ".Normal." not in k}
    synthetic.write_layers(rendered_shot.passes_path(2), channels)
    with pytest.raises(PaintoverError, match=r'0002\.exr lacks the pass "Normal"'):
        read_frame(rendered_shot, 2)
    rendered_shot.passes_path(2).unlink()
    with pytest.raises(PaintoverError, match=r"Frame 2 is missing: there is no .*0002\.exr"):
        read_frame(rendered_shot, 2)
    rendered_shot.image_path(3).unlink()
    with pytest.raises(PaintoverError, match=r"Frame 3 is missing: there is no .*0003\.png"):
        read_frame(rendered_shot, 3)


def test_another_size_than_the_shot_is_named(rendered_shot):
    write_picture(rendered_shot.image_path(1), np.zeros((10, 20, 3), np.float32))
    with pytest.raises(
        PaintoverError, match=re.escape(f"0001.png is 20×10, but the shot is {WIDTH}×{HEIGHT}")
    ):
        read_frame(rendered_shot, 1)
    small = {name: values[:32, :48] for name, values in synthetic.layers(2).items()}
    synthetic.write_layers(rendered_shot.passes_path(2), small)
    with pytest.raises(PaintoverError, match=r"0002\.exr is 48×32"):
        read_frame(rendered_shot, 2)


def test_extra_guides_are_read_when_wanted(rendered_shot):
    rendered_shot.manifest.guides = ["my lines"]
    for number in rendered_shot.frames:
        grey = np.full((HEIGHT, WIDTH, 3), number / 10, np.float32)
        write_picture(rendered_shot.guide_path("my lines", number), grey, 16)
    frame = read_frame(rendered_shot, 2, {"guide:my lines"})
    assert np.allclose(frame.guides["my lines"], 0.2, atol=1e-4)
    assert read_frame(rendered_shot, 2, {"normal"}).guides == {}
    rendered_shot.guide_path("my lines", 2).unlink()
    with pytest.raises(PaintoverError, match=r"Frame 2 is missing"):
        read_frame(rendered_shot, 2)


RENDER = """
import sys, bpy
folder, interleaved = sys.argv[1], sys.argv[2] == "1"
bpy.ops.wm.read_factory_settings(use_empty=True)
scene = bpy.context.scene
scene.render.engine, scene.cycles.samples = "CYCLES", 4
scene.render.resolution_x, scene.render.resolution_y = 64, 48
scene.render.film_transparent, scene.render.dither_intensity = True, 0
scene.view_settings.view_transform = "Standard"
layer = scene.view_layers[0]
for name in ("z", "normal", "vector", "object_index", "diffuse_color"):
    setattr(layer, "use_pass_" + name, True)
bpy.ops.mesh.primitive_cube_add(size=2, rotation=(0.3, 0, 0.4))
cube = bpy.context.object
cube.pass_index = 7
for frame in (1, 3):
    cube.location.x = 0.1 * frame
    cube.keyframe_insert("location", frame=frame)
camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
scene.collection.objects.link(camera)
scene.camera = camera
camera.data.type, camera.data.ortho_scale = "ORTHO", 6.4
camera.location, camera.rotation_euler = (0, -8, 0), (1.5707963, 0, 0)
settings = scene.render.image_settings
old = bpy.app.version < (5, 0, 0)
scene.frame_set(2)
many = "MULTI_LAYER_IMAGE", "OPEN_EXR_MULTILAYER", "2.exr"
for media, kind, name in (("IMAGE", "PNG", "2.png"), many):
    if not old:
        settings.media_type = media
        settings.use_exr_interleave = interleaved
    settings.file_format, settings.color_depth = kind, "8" if kind == "PNG" else "32"
    if kind == "PNG":
        settings.color_mode = "RGBA"
    scene.render.filepath = folder + "/" + name
    bpy.ops.render.render(write_still=True)
"""


@pytest.mark.parametrize("interleaved", ["0", "1"])
def test_what_blender_really_renders(strange_folder, interleaved):
    import importlib.util
    import subprocess
    import sys

    if importlib.util.find_spec("bpy") is None:
        pytest.skip("this environment has no bpy to render with")
    words = [sys.executable, "-c", RENDER, str(strange_folder), interleaved]
    subprocess.run(words, check=True, capture_output=True, timeout=300)
    from engine.shared import passes
    from engine.shared.manifest import Manifest
    from engine.shared.shot import Shot

    shot = Shot(strange_folder / "shot", Manifest(64, 48, 2, 2))
    for suffix, path in ((".png", shot.image_path(2)), (".exr", shot.passes_path(2))):
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(strange_folder / f"2{suffix}", path)
    with opened_layers(shot.passes_path(2)) as file:
        names = {passes.split_channel(name)[1] for name in file.names}
    shot.manifest.passes = passes.meanings(sorted(names))
    shot.manifest.frames[2] = FrameRecord("", digest_file(shot.passes_path(2)))
    frame = read_frame(shot, 2)
    inside = frame.object == 7
    assert inside.mean() > 0.05
    well_inside = cv2.erode(inside.astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert np.allclose(frame.motion[well_inside], [-1, 0, 1, 0], atol=1e-3)
    off = np.abs(np.linalg.norm(frame.normal[well_inside], axis=1) - 1)
    assert (off < 1e-3).mean() > 0.9  # where the surface bends sharply, normals are averages
    assert ((frame.depth[inside] > 5) & (frame.depth[inside] < 11)).all()
    assert np.isinf(frame.depth[frame.alpha == 0]).all()
    solid = frame.alpha == 1
    assert frame.albedo[inside & solid].min() > 0.7
    combined = read_picture(shot.passes_path(2)).pixels[..., :3]
    assert np.abs(combined - frame.image)[solid].max() <= 1 / 255


def test_a_window_shows_what_the_whole_frame_shows(rendered_shot):
    whole = read_frame(rendered_shot, 2)
    part = read_frame(rendered_shot, 2, around=3)
    window = part.window
    assert window.shape != whole.alpha.shape
    assert whole.alpha.sum() == part.alpha.sum() > 0
    names = ["image", "alpha", "motion", "normal", "depth", "albedo", "object"]
    for name in [*names, "surface"]:
        found, expected = getattr(part, name), getattr(whole, name)[window.inside]
        assert np.array_equal(found, expected, equal_nan=True), name
    rows, columns = np.nonzero(whole.alpha)
    assert window.top in (0, (rows.min() - 3) // 16 * 16)
    assert window.right in (WIDTH, -(-(columns.max() + 4) // 16) * 16)
