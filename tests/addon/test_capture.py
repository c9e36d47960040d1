# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames captured from a scene: the files, the manifest, and what is rendered again."""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
from pathlib import Path
from typing import Any

import bpy
import numpy as np
import pytest
from captures import Part, open_shot, run
from conftest import HEIGHT, WIDTH, engine_runs, picture, read_codes, write_png
from exr_passes import count_parts, read_passes

CYCLES_MOVES_ORTHOGRAPHIC_WRONGLY = bpy.app.version < (5, 2, 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "shot folder é"


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_files_and_manifest(scene: Any, part: Part, folder: Path) -> None:
    scene.render.fps, scene.render.fps_base = 30, 1.001
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.exposure = 0.5
    result = run(part, scene, folder, [1, 2, 3])
    assert (result.rendered, result.skipped, result.warnings) == ([1, 2, 3], [], [])
    expected = {f"000{frame}.{kind}" for frame in (1, 2, 3) for kind in ("png", "exr")}
    assert files(folder) == {"shot.json", *expected}
    shot = open_shot(part, folder)
    manifest = shot.manifest
    assert (manifest.width, manifest.height) == (WIDTH, HEIGHT)
    assert (manifest.frame_start, manifest.frame_end) == (1, 3)
    assert manifest.fps == pytest.approx(29.97, abs=0.001)
    assert (manifest.colour.view, manifest.colour.exposure) == ("AgX", 0.5)
    assert manifest.source["kind"] == "blender"
    assert manifest.source["engine"] == "CYCLES"
    assert manifest.source["blender"] == bpy.app.version_string
    assert set(manifest.passes) == {
        "alpha", "motion", "normal", "depth", "albedo", "object", "surface",
    }  # fmt: skip
    digest_picture = part("engine.shared.pictures.digests").digest_picture
    for frame, record in manifest.frames.items():
        assert record.image == digest_picture(shot.image_path(frame))
        assert record.passes == digest_picture(shot.passes_path(frame))
    passes = read_passes(shot.passes_path(2))
    assert set(manifest.passes.values()) <= set(passes)
    assert all(values.shape[:2] == (HEIGHT, WIDTH) for values in passes.values())
    parts = len(passes) if bpy.app.version >= (5, 0, 0) else 1
    assert count_parts(shot.passes_path(2)) == parts, "what is not wanted is not decoded"


@pytest.mark.parametrize("transparent", [False, True])
def test_picture_is_what_blender_writes(
    scene: Any, part: Part, folder: Path, transparent: bool, tmp_path: Path
) -> None:
    scene.cycles.samples = 4
    scene.render.film_transparent = transparent
    scene.render.dither_intensity = 0
    scene.view_settings.view_transform = "AgX"
    image: Any = scene.render.image_settings
    image.file_format, image.color_mode = "PNG", "RGBA" if transparent else "RGB"
    scene.render.use_compositing = False
    scene.render.filepath = str(tmp_path / "plain.png")
    bpy.ops.render.render(write_still=True)
    scene.render.dither_intensity = 1.0
    image.file_format = "JPEG"
    run(part, scene, folder, [1])
    path = open_shot(part, folder).image_path(1)
    captured = read_codes(path)
    assert np.array_equal(captured, read_codes(tmp_path / "plain.png"))
    assert len(np.unique(captured[..., :3])) > 10
    colour_type = path.read_bytes()[25]
    assert colour_type == (6 if transparent else 2), "PNG colour type: RGBA or RGB"
    assert (captured[..., 3].min() < 255) == transparent


@pytest.mark.parametrize("kind", ["PERSP", "ORTHO"])
def test_camera_matrix_agrees_with_positions(
    scene: Any, part: Part, folder: Path, kind: str
) -> None:
    camera: Any = scene.camera
    bpy.ops.object.empty_add(location=(1, 0, 0), rotation=(0.1, 0.2, 0.1))
    camera.parent = bpy.context.object
    camera.parent.scale = (2, 2, 2)
    camera.data.type = kind
    camera.data.ortho_scale, camera.data.lens = 9, 32
    camera.data.shift_x, camera.data.shift_y = 0.13, -0.07
    camera.data.sensor_fit = "VERTICAL"
    camera.location = (2.2, -2.2, 1.7)
    camera.keyframe_insert("location", frame=1)
    camera.location.x += 0.5
    camera.keyframe_insert("location", frame=2)
    scene.render.resolution_percentage = 150
    scene.render.pixel_aspect_y = 1.2
    scene.view_layers[0].use_pass_position = True
    run(part, scene, folder, [1, 2])
    shot = open_shot(part, folder)
    height, width = HEIGHT * 3 // 2, WIDTH * 3 // 2
    assert (shot.manifest.width, shot.manifest.height) == (width, height)
    for frame in (1, 2):
        record = shot.manifest.frames[frame].camera
        assert record.orthographic == (kind == "ORTHO")
        passes = read_passes(shot.passes_path(frame))
        rows, columns = np.nonzero(passes["Depth"][..., 0] < 1000)
        assert len(rows) > 500
        world = np.c_[passes["Position"][rows, columns], np.ones(len(rows))]
        clip = world @ np.array(record.world_to_clip).reshape(4, 4).T
        across, up = clip[:, 0] / clip[:, 3], clip[:, 1] / clip[:, 3]
        errors = np.hypot(
            (across + 1) / 2 * width - columns - 0.5, (1 - up) / 2 * height - rows - 0.5
        )
        assert errors.max() < 0.02


def test_second_capture_renders_what_is_missing_or_out_of_date(
    scene: Any, part: Part, folder: Path
) -> None:
    run(part, scene, folder, [1, 2, 3])
    assert run(part, scene, folder, [1, 2, 3]).rendered == []
    shot = open_shot(part, folder)
    shot.passes_path(2).unlink()
    write_png(shot.image_path(3), picture(3))
    result = run(part, scene, folder, [1, 2, 3, 4])
    assert (result.rendered, result.skipped) == ([2, 3, 4], [1])
    assert run(part, scene, folder, [2, 3], force=True).rendered == [2, 3]
    scene.cycles.samples = 2
    result = run(part, scene, folder, [1, 2])
    assert (result.rendered, result.skipped) == ([1, 2], [])
    assert open_shot(part, folder).frames == [1, 2, 3, 4]
    scene.frame_start, scene.render.filepath = 2, "//elsewhere/"
    assert run(part, scene, folder, [1, 2]).rendered == []


def test_other_size_starts_the_shot_anew(scene: Any, part: Part, folder: Path) -> None:
    run(part, scene, folder, [1, 2, 3])
    shot = open_shot(part, folder)
    (folder / "keys").mkdir()
    painting = folder / "keys" / "0003.png"
    shutil.copy(shot.image_path(3), painting)
    scene.render.resolution_percentage = 50
    run(part, scene, folder, [2])
    shot = open_shot(part, folder)
    assert (shot.manifest.width, shot.frames) == (WIDTH // 2, [2])
    assert painting.is_file()


def test_size_of_the_shot_is_that_of_the_render(scene: Any, part: Part, folder: Path) -> None:
    # 100 × 0.29 is less than 29 in floating point.
    scene.render.resolution_x, scene.render.resolution_percentage = 100, 29
    run(part, scene, folder, [1])
    shot = open_shot(part, folder)
    assert (shot.manifest.width, shot.manifest.height) == (29, HEIGHT * 29 // 100)
    assert read_codes(shot.image_path(1)).shape[:2] == (shot.manifest.height, 29)


def test_cancel_leaves_whole_frames_and_the_next_goes_on(
    scene: Any, part: Part, folder: Path
) -> None:
    job = part("capture").capture(scene, folder, [1, 2, 3])
    texts = [next(job).text, next(job).text]
    job.close()
    assert texts == ["Frame 1", "Frame 2"]
    assert open_shot(part, folder).frames == [1]
    assert files(folder) == {"0001.png", "0001.exr", "shot.json"}
    assert run(part, scene, folder, [1, 2, 3]).rendered == [2, 3]


def test_orthographic_camera_that_moves(scene: Any, part: Part, folder: Path) -> None:
    scene.camera.data.type = "ORTHO"
    assert "motion" in open_shot_after(part, scene, folder / "still").passes
    scene.camera.keyframe_insert("location", frame=1)
    scene.camera.location.x += 0.5
    scene.camera.keyframe_insert("location", frame=2)
    result = run(part, scene, folder, [1, 2, 3])
    manifest = open_shot(part, folder).manifest
    assert ("motion" in manifest.passes) != CYCLES_MOVES_ORTHOGRAPHIC_WRONGLY
    assert len(result.warnings) == CYCLES_MOVES_ORTHOGRAPHIC_WRONGLY
    assert manifest.frames.keys() == {1, 2, 3}


def open_shot_after(part: Part, scene: Any, folder: Path) -> Any:
    run(part, scene, folder, [1, 2])
    return open_shot(part, folder).manifest


def test_one_view_layer_without_compositing(scene: Any, part: Part, folder: Path) -> None:
    scene.view_layers[0].use = False
    scene.view_layers.new("Second").use = True
    scene.view_layers.new("Third").use = True
    run(part, scene, folder, [1])
    shot = open_shot(part, folder)
    assert shot.manifest.source["view_layer"] == "Second"
    header = shot.passes_path(1).read_bytes()[:20000]
    assert b"Second.Combined" in header
    assert b"Third" not in header
    assert b"Composite" not in header


def test_markers_switch_the_camera(scene: Any, part: Part, folder: Path) -> None:
    first = scene.camera
    bpy.ops.object.camera_add(location=(0, 0, 6))
    second = bpy.context.object
    scene.timeline_markers.new("a", frame=1).camera = first
    scene.timeline_markers.new("b", frame=2).camera = second
    run(part, scene, folder, [1, 2])
    frames = open_shot(part, folder).manifest.frames
    assert frames[1].camera.world_to_clip != frames[2].camera.world_to_clip
    assert frames[2].camera.world_to_clip[11] == pytest.approx(6, abs=0.3)
    assert (frames[1].camera.name, frames[2].camera.name) == (first.name, second.name)
    assert scene.camera == first
    first.data.type = second.data.type = "ORTHO"
    run(part, scene, folder, [1, 2], force=True)
    assert "motion" in open_shot(part, folder).manifest.passes, "neither camera moves"


def test_panoramic_camera_has_no_matrix(scene: Any, part: Part, folder: Path) -> None:
    scene.camera.data.type = "PANO"
    result = run(part, scene, folder, [1])
    assert open_shot(part, folder).manifest.frames[1].camera is None
    assert len(result.warnings) == 1


def refused(part: Part, scene: Any, folder: Path, frames: list[int], **options: Any) -> str:
    """Return the sentence that the capture ends with."""
    with pytest.raises(part("engine.shared.errors").PaintoverError) as caught:
        run(part, scene, folder, frames, **options)
    return str(caught.value)


def test_what_is_missing_is_told(scene: Any, part: Part, folder: Path) -> None:
    assert "frame range" in refused(part, scene, folder, [])
    blocked = folder / "file"
    folder.mkdir()
    blocked.write_text("")
    for place in (blocked / "shot", blocked):
        told = refused(part, scene, place, [1])
        assert told == f"Cannot write {place}, as {blocked} is in the way; move it elsewhere."
    link = folder / "link"
    link.symlink_to(folder / "nowhere")
    assert f"as {link} is in the way; move it elsewhere" in refused(part, scene, link, [1])
    link.unlink()
    scene.camera = None
    assert "no camera" in refused(part, scene, folder, [1])
    assert files(folder) == {"file"}


def test_full_disk_keeps_what_was_there(scene: Any, part: Part, folder: Path) -> None:
    run(part, scene, folder, [1])
    before = {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    whole = (folder / "frames" / "0001.exr").stat().st_size
    for most in (500, 3000, whole // 2, whole - 1):
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
        try:
            sentence = refused(part, scene, folder, [1], force=True)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        assert f"Cannot write {folder}" in sentence
        assert "free some space" in sentence
    after = {path: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}
    after.pop(folder / "capture/shot.json", None)
    assert after == before
    assert run(part, scene, folder, [1, 2]).rendered == [2]


def test_shots_of_others_are_refused_and_damaged_ones_made_anew(
    scene: Any, part: Part, folder: Path
) -> None:
    run(part, scene, folder, [1])
    manifest = folder / "shot.json"
    good = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**good, "version": 99}))
    assert "later Paintover" in refused(part, scene, folder, [1])
    manifest.write_text(json.dumps({**good, "source": {"kind": "pictures"}}))
    assert "imported from pictures" in refused(part, scene, folder, [1])
    manifest.write_text('{"version": 1, "wid')
    assert run(part, scene, folder, [1]).rendered == [1]
    assert open_shot(part, folder).frames == [1]


def test_frames_are_captured_again_after_a_change_of_the_scene(scene: Any, part: Part) -> None:
    is_up_to_date = part("operators.capture").is_up_to_date
    assert not is_up_to_date(scene)
    bpy.ops.paintover.capture()
    shot = open_shot(part, part("properties").shot_folder(scene))
    before = read_codes(shot.image_path(2))
    assert is_up_to_date(scene)
    scene.frame_end = 4
    assert not is_up_to_date(scene)
    scene.frame_end = 3
    bpy.data.lights[0].energy = 0.1
    assert is_up_to_date(scene), "what only Capture Again renders anew"

    bpy.ops.paintover.capture_again()

    assert read_codes(shot.image_path(2)).mean() < before.mean() - 1
    scene.cycles.samples = 2
    assert not is_up_to_date(scene)


def test_operator_renders(scene: Any, part: Part) -> None:
    operator: Any = bpy.ops.paintover.capture
    assert operator() == {"FINISHED"}
    folder = part("properties").shot_folder(scene)
    shot = open_shot(part, folder)
    assert shot.frames == [1, 2, 3]
    before = shot.image_path(1).stat().st_mtime_ns
    operator()
    assert shot.image_path(1).stat().st_mtime_ns == before
    operator(force=True)
    assert shot.image_path(1).stat().st_mtime_ns > before
    scene.camera = None
    with pytest.raises(RuntimeError, match="no camera"):
        operator()


@pytest.mark.skipif(not engine_runs(), reason="the engine's Python lacks what the engine needs")
def test_operator_takes_an_image_sequence(scene: Any, part: Part, tmp_path: Path) -> None:
    for frame in (5, 6):
        write_png(tmp_path / "in" / f"frame.{frame:03d}.png", picture(frame))
    operator: Any = bpy.ops.paintover.capture
    assert operator(source_folder=str(tmp_path / "in")) == {"FINISHED"}
    shot = open_shot(part, part("properties").shot_folder(scene))
    assert shot.frames == [5, 6]
    source = (tmp_path / "in" / "frame.005.png").read_bytes()
    assert shot.image_path(5).read_bytes() == source
    assert shot.manifest.fps == 24
    with pytest.raises(RuntimeError, match="missing"):
        operator(source_folder=str(tmp_path / "missing"))


@pytest.mark.skipif(not engine_runs(), reason="the engine's Python lacks what the engine needs")
def test_movie_anywhere_keeps_its_rate(scene: Any, part: Part, tmp_path: Path) -> None:
    movie = tmp_path / "clip.mov"
    python = os.environ["PAINTOVER_ENGINE_PYTHON"]
    subprocess.run([python, "-c", _WRITE_MOVIE, str(movie)], check=True)
    (tmp_path / "other.txt").write_text("beside it")
    write_png(tmp_path / "still.0001.png", picture(1))
    operator: Any = bpy.ops.paintover.capture_pictures
    assert operator(filepath=str(movie)) == {"FINISHED"}
    shot = open_shot(part, part("properties").shot_folder(scene))
    assert shot.frames == [1, 2, 3, 4]
    assert (shot.manifest.width, shot.manifest.height) == (640, 360)
    assert shot.manifest.fps == pytest.approx(30000 / 1001)
    states = part("states")
    assert states.look(scene).differs == (
        "The shot is 640×360, frames 1 to 4, 29.97 fps; the scene is 480×270, frames 1 to 3, 24 fps"
    )
    scene.render.resolution_x, scene.render.resolution_y, scene.frame_end = 640, 360, 4
    assert "29.97 fps; the scene" in states.look(scene).differs
    assert bpy.ops.paintover.shot_match() == {"FINISHED"}
    assert states.look(scene).differs == ""
    assert (scene.render.fps, round(scene.render.fps_base, 6)) == (30, 1.001)
    # A picture of a sequence stands for its folder; one without a number is a sequence of one.
    (tmp_path / "sequence").mkdir()
    for frame in (7, 8):
        write_png(tmp_path / "sequence" / f"{frame:04d}.png", picture(frame))
    assert operator(filepath=str(tmp_path / "sequence/0008.png")) == {"FINISHED"}
    shot = open_shot(part, part("properties").shot_folder(scene))
    assert shot.frames == [7, 8]
    assert "rate" not in shot.manifest.source
    with pytest.raises(RuntimeError, match=r"other\.txt"):
        operator(filepath=str(tmp_path / "other.txt"))


_WRITE_MOVIE = """
import sys
from fractions import Fraction
import av, numpy as np
with av.open(sys.argv[1], "w") as container:
    stream = container.add_stream("png", rate=Fraction(30000, 1001))
    stream.width, stream.height, stream.pix_fmt = 640, 360, "rgb24"
    for number in range(4):
        codes = np.full((360, 640, 3), 60 * number, np.uint8)
        container.mux(stream.encode(av.VideoFrame.from_ndarray(codes, format="rgb24")))
    container.mux(stream.encode())
"""
