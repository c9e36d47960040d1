# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo's parts: the scene in real bpy, the painter on a made-up frame, the contact sheet."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bpy
import cv2
import numpy as np
import pytest
from PIL import Image

from demo.contact_sheet import PAPER, contact_sheet
from demo.movie import write_movie
from demo.moving_picture import pages, write
from demo.paint import Painter
from demo.scene import build_scene, save_scene
from engine.frames.frame import Frame

ROOT = Path(__file__).resolve().parents[2]
WIDTH, HEIGHT = 96, 64


def points_of(name: str) -> np.ndarray:
    """World positions of an object's points, deformed as in the current frame."""
    evaluated = bpy.data.objects[name].evaluated_get(bpy.context.evaluated_depsgraph_get())
    mesh = evaluated.to_mesh()
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    evaluated.to_mesh_clear()
    matrix = np.array(evaluated.matrix_world)
    return points.reshape(-1, 3) @ matrix[:3, :3].T + matrix[:3, 3]


def ball_frame(x: float, number: int = 1) -> Frame:
    """A lit, shining-free ball before a wall; the ball's middle is at ``x``."""
    across, down = np.meshgrid(np.arange(WIDTH) + 0.5, np.arange(HEIGHT) + 0.5)
    u, v = (across - x) / 20, (down - HEIGHT / 2) / 20
    ball = u**2 + v**2 < 1
    bulge = np.sqrt(np.clip(1 - u**2 - v**2, 0, 1))
    light = np.clip(0.25 + 0.75 * (bulge - 0.5 * u - 0.4 * v), 0.1, 1) ** (1 / 2.2)
    colour = np.where(ball[..., None], [0.85, 0.4, 0.15], [0.5, 0.6, 0.8])
    image = colour * np.where(ball, light, 0.9)[..., None]
    place = np.where(ball, 1.0, 3.0)
    surface = np.where(
        ball[..., None],
        np.stack([u, -bulge, -v], axis=-1),
        np.stack([across / 20, place, down / 20], axis=-1),
    )
    return Frame(
        number,
        image.astype(np.float32),
        np.ones((HEIGHT, WIDTH), np.float32),
        depth=np.where(ball, 4 - bulge, 9).astype(np.float32),
        albedo=colour.astype(np.float32),
        object=np.where(ball, 7, 9).astype(np.int32),
        surface=surface.astype(np.float32),
    )


def test_the_scene_moves_and_deforms_and_can_be_opened_again(tmp_path: Path) -> None:
    scene = build_scene(64, 36, 8)
    save_scene(tmp_path / "fox.blend")
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "fox.blend"))
    scene = bpy.context.scene
    assert (scene.frame_start, scene.frame_end) == (1, 8)
    seen = {}
    for frame in (1, 8):
        scene.frame_set(frame)
        camera = np.array(scene.camera.matrix_world)
        seen[frame] = camera, points_of("Head"), points_of("Scarf end")
    assert np.linalg.norm(seen[1][0][:3, 3] - seen[8][0][:3, 3]) > 0.5
    moved = np.linalg.norm(seen[1][1] - seen[8][1], axis=1)
    assert moved.max() > 0.15, "the head turns"
    sizes = [np.linalg.norm(seen[f][2] - seen[f][2].mean(axis=0), axis=1) for f in (1, 8)]
    assert np.abs(sizes[0] - sizes[1]).max() > 0.02, "the scarf flutters"


def test_the_scene_renders_the_fox_in_its_middle(tmp_path: Path) -> None:
    scene = build_scene(64, 36, 4)
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    scene.render.filepath = str(tmp_path / "fox.png")
    bpy.ops.render.render(write_still=True)
    picture = cv2.imread(str(tmp_path / "fox.png")).astype(float)
    blue, green, red = (picture[..., i] for i in range(3))
    orange = (red > 1.6 * green) & (red > 2.5 * blue)
    assert orange.sum() > 60
    assert 20 < np.nonzero(orange)[1].mean() < 44


def test_the_painter_is_no_filter_and_always_paints_alike() -> None:
    frame = ball_frame(40)
    painting = Painter(frame).paint(frame)
    assert painting.shape == (HEIGHT, WIDTH, 4)
    assert painting.dtype == np.uint8
    assert (painting[..., 3] == 255).all()
    assert np.array_equal(painting, Painter(frame).paint(frame))
    assert not np.array_equal(painting, Painter(frame, seed=8).paint(frame))
    wall = np.s_[4:60, 70:92]
    assert frame.image[wall].std(axis=(0, 1)).max() < 0.01
    assert painting[wall][..., :3].std(axis=(0, 1)).min() > 2, "strokes show on a plain wall"
    luma = painting[..., :3].mean(axis=2)
    rim = np.abs(np.hypot(*np.mgrid[0.5:HEIGHT, 0.5:WIDTH] - [[[32]], [[40]]]) - 20) < 1.2
    assert np.percentile(luma[rim], 25) < 0.6 * np.median(luma), "there is ink along the outline"


def test_the_paintings_alpha_is_the_frames() -> None:
    frame = ball_frame(40)
    frame.alpha[:, :20] = 0.5
    painting = Painter(frame).paint(frame)
    assert (painting[:, :20, 3] == 128).all()
    assert (painting[:, 20:, 3] == 255).all()


def test_strokes_stick_to_the_surface() -> None:
    before, after = ball_frame(36), ball_frame(46)
    painter = Painter(before)
    first, second = (painter.paint(frame)[..., :3].astype(int) for frame in (before, after))
    inner = np.hypot(*np.mgrid[0.5:HEIGHT, 0.5:WIDTH] - [[[32]], [[36]]]) < 14
    with_it = np.abs(np.roll(second, -10, axis=1) - first)[inner].mean()
    another = np.abs(Painter(before, seed=8).paint(before)[..., :3].astype(int) - first)[inner]
    assert with_it < 0.5 * another.mean()


def test_the_sheet_has_a_row_a_kind_and_a_column_a_frame() -> None:
    def plain(red: int, green: int, blue: int) -> np.ndarray:
        return np.full((90, 160, 3), (red, green, blue), np.uint8)

    see_through = np.dstack([plain(0, 0, 0), np.zeros((90, 160, 1), np.uint8)])
    sheet = contact_sheet(
        "Title",
        ["Frame 1", "Frame 2"],
        [("Above", [plain(200, 0, 0), plain(0, 200, 0)]), ("Below", [plain(0, 0, 200), None])],
    )
    boxes = {}
    for name, colour in (("red", (200, 0, 0)), ("green", (0, 200, 0)), ("blue", (0, 0, 200))):
        boxes[name] = cv2.boundingRect((sheet == colour).all(axis=2).astype(np.uint8))
        assert boxes[name][2:] == (160, 90)
    assert boxes["red"][1] == boxes["green"][1] < boxes["blue"][1]
    assert boxes["red"][0] == boxes["blue"][0] < boxes["green"][0]
    captions = sheet[:, : boxes["red"][0] - 4]
    assert (captions.sum(axis=2) < 400).sum() > 200, "the captions are there"
    empty = sheet[boxes["blue"][1] :, boxes["green"][0] :][4:30, 4:156]
    assert (empty == PAPER).all()
    assert (contact_sheet("T", ["1"], [("x", [see_through])])[-80, -80] == PAPER).all()


def test_the_movie_shows_the_pictures(tmp_path: Path) -> None:
    pictures = [np.full((64, 96, 3), level, np.uint8) for level in (40, 128, 220)]
    write_movie(tmp_path / "grey.mp4", pictures, 12)
    movie = cv2.VideoCapture(str(tmp_path / "grey.mp4"))
    levels = []
    while (read := movie.read())[0]:
        assert read[1].shape == (64, 96, 3)
        levels.append(read[1].mean())
    assert movie.get(cv2.CAP_PROP_FPS) == 12
    assert levels == pytest.approx([40, 128, 220], abs=4)
    assert "Movie" not in bpy.data.scenes


@pytest.mark.parametrize("wrong", [["--size", "97x64"], ["--frames", "1"], ["--size", "big"]])
def test_wrong_options_are_refused(wrong: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo", "--out", str(tmp_path / "out"), *wrong],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert wrong[1] in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_scene_alone_can_be_made_and_never_over_a_shot(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "demo", "--short", "--scene", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    before = (tmp_path / "fox.blend").read_bytes()
    (tmp_path / "paintover").mkdir()
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "has a shot already" in done.stderr
    assert (tmp_path / "fox.blend").read_bytes() == before


def test_the_moving_picture_shows_render_painting_and_result(tmp_path: Path) -> None:
    def flat(value: int) -> np.ndarray:
        return np.full((270, 480, 3), value, np.uint8)

    made = pages([flat(10), flat(20), flat(30)], flat(120), [flat(210), flat(220), flat(230)])
    assert len(made) == 4
    for page, rendered, result in zip(made, (10, 20, 30, 20), (210, 220, 230, 220), strict=True):
        middles = [page[120, x] for x in (150, 150 + 304, 150 + 608)]
        assert [list(middle) for middle in middles] == [[rendered] * 3, [120] * 3, [result] * 3]
    write(tmp_path / "fox.webp", made, 12)
    with Image.open(tmp_path / "fox.webp") as moving:
        assert (moving.n_frames, moving.info["loop"]) == (4, 0)
        assert moving.size == made[0].shape[1::-1]
