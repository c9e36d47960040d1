# SPDX-License-Identifier: GPL-3.0-or-later
"""Paintings that leave parts transparent: what comes out on their own frame, and on others.

Whole shots go through the command line in a size that people work in.
"""

from __future__ import annotations

import dataclasses
import json
import math

import cv2
import numpy as np
import pytest
import synthetic
from painted_scenes import INK, Floats, Scene
from real_sizes import Project, write

from engine.frames.alpha import as_layer, strokes_on_nothing
from engine.frames.frame import read_frame
from engine.frames.keyframe import read_keyframe
from engine.projection.blending import Projected
from engine.projection.world_strokes import WorldStrokes
from engine.shared.shot import Shot

SMALL = ("--network", "small")
WIDTH, HEIGHT = 480, 270
OPAQUE, ALONE = Scene(WIDTH, HEIGHT), Scene(WIDTH, HEIGHT, opaque=False)


def ink(scene: Scene, frame: int) -> Floats:
    """Lines on transparency, stuck to the disc and the box."""
    drawn = np.zeros((scene.height, scene.width), np.float32)
    for thing, share in list(zip(scene.things, scene.shares(frame), strict=True))[-2:]:
        u, v = thing.own(frame, *scene.places)
        way = np.abs(np.mod(0.8 * u + 0.6 * v, 16) - 8)
        drawn = np.maximum(drawn, share * np.clip(2.5 - way, 0, 1))
    return np.dstack([np.broadcast_to(INK, (*drawn.shape, 3)), drawn]).astype(np.float32)


def wash(scene: Scene) -> Floats:
    """A soft, half transparent spot."""
    x, y = scene.places
    alpha = 0.5 * np.clip((100 - np.hypot(x - 200, y - 120)) / 20, 0, 1)
    return np.dstack([np.broadcast_to([0.1, 0.3, 0.8], (*x.shape, 3)), alpha]).astype(np.float32)


def figure(scene: Scene) -> Floats:
    """The disc painted, the rest left empty."""
    paint = scene.painting(1)[..., :3]
    return np.dstack([paint, scene.shares(1)[-1]])


def with_strokes_on_nothing(scene: Scene) -> Floats:
    """What is seen, painted, and three strokes in the empty world beside it."""
    painting = scene.painting(1).copy()
    for top in (30, 90, 200):
        painting[top : top + 8, WIDTH - 90 : WIDTH - 20] = 0.9, 0.4, 0.1, 1
    return painting


def erased(scene: Scene) -> Floats:
    """What is seen, painted, without its upper half."""
    painting = scene.painting(1).copy()
    painting[: HEIGHT // 2] = 0
    return painting


def over(painting: Floats, frame: Floats) -> Floats:
    """Let a frame show where a painting has less alpha; premultiplied."""
    if frame.shape[2] == 3:
        frame = np.dstack([frame, np.ones(frame.shape[:2], np.float32)])
    lacking = np.maximum(frame[..., 3:] - painting[..., 3:], 0)
    alpha = painting[..., 3:] + lacking
    return np.dstack([painting[..., :3] * painting[..., 3:] + frame[..., :3] * lacking, alpha])


def premultiplied(pixels: Floats) -> Floats:
    return np.dstack([pixels[..., :3] * pixels[..., 3:], pixels[..., 3:]])


def psnr(one: Floats, other: Floats) -> float:
    return -10 * math.log10(max(1e-12, float(np.square(one - other).mean())))


def made(tmp_path, scene: Scene, painting: Floats, way: str = "", suffix: str = ".png") -> Project:
    """Make a shot of footage, or as captured ("surface" or "motion"), with a painting."""
    project = Project(tmp_path, scene)
    if way:
        project.capture(surface=way == "surface")
        (project.shot / "keys" / "0001.png").unlink()
    else:
        project.write("input", suffix)
        project.engine("import", project.shot, "--input", tmp_path / "input")
    write(project.shot / "keys" / f"0001{suffix}", painting)
    return project


@pytest.mark.parametrize(
    ("scene", "paint", "way", "suffix"),
    [
        (OPAQUE, lambda scene: ink(scene, 1), "", ".png"),
        (OPAQUE, wash, "surface", ".png"),
        (OPAQUE, figure, "", ".exr"),
        (ALONE, with_strokes_on_nothing, "surface", ".png"),
        (ALONE, with_strokes_on_nothing, "motion", ".png"),
        (ALONE, erased, "surface", ".png"),
        (Scene(WIDTH, HEIGHT, opaque=False, glass=True), lambda s: s.painting(1), "", ".png"),
        (Scene(WIDTH, HEIGHT, opaque=False, paper=True), None, "surface", ".png"),
        (OPAQUE, None, "", ".png"),
    ],
)
def test_on_its_own_frame_a_painting_is_what_comes_out(tmp_path, scene, paint, way, suffix):
    painting = paint(scene) if paint else scene.painting(1)
    project = made(tmp_path, scene, painting, way, suffix)
    project.train(*SMALL, "--steps", 3, "--filter" if not way else "--no-filter")
    if painting.shape[2] == 3:
        painting = np.dstack([painting, np.ones(painting.shape[:2], np.float32)])
    project.engine("preview", project.shot, "--frames", 1, "--unpainted", "nothing")
    assert psnr(premultiplied(project.result(1, "preview")), premultiplied(painting)) > 45
    more = ("--format", "exr") if suffix == ".exr" else ("--depth", 16)
    for value, wanted in (
        ("nothing", premultiplied(painting)),
        ("frame", over(painting, scene.render(1))),
    ):
        project.stylize("--frames", 1, "--unpainted", value, *more)
        assert psnr(premultiplied(project.result(1, suffix=suffix)), wanted) > 45


def test_lines_alone_are_carried_and_between_them_is_the_frame(tmp_path):
    project = made(tmp_path, OPAQUE, ink(OPAQUE, 1), "surface")
    project.train("--steps", 40)
    project.stylize()
    for frame in project.frames:
        truth, render = ink(OPAQUE, frame), OPAQUE.render(frame)
        result = project.result(frame)
        assert result[..., 3].min() == 1
        empty = truth[..., 3] == 0
        off = np.abs(result[..., :3] - render).max(axis=2)
        assert (off[empty] <= 1 / 255).mean() > 0.9
        drawn = over(truth, render)[..., :3]
        wrong = np.abs(result[..., :3] - drawn).mean()
        assert wrong < 0.35 * np.abs(render - drawn).mean()
    style = json.loads(
        project.engine("info", project.shot / "styles" / "style.safetensors", "--json")
    )
    assert style["guides"][-2:] == ["coverage", "projection"]
    project.engine("stylize", project.shot)
    empty = project.engine("stylize", project.shot, "--unpainted", "nothing", "--frames", 2)
    assert "1 frame painted" in empty
    alpha = project.result(2)[..., 3]
    assert np.abs(alpha - ink(OPAQUE, 2)[..., 3]).mean() < 0.3 * ink(OPAQUE, 2)[..., 3].mean()


def _set_cameras(project: Project, degrees: float) -> None:
    """Note cameras that turn by so much a frame."""
    path = project.shot / "shot.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    for frame, record in manifest["frames"].items():
        camera = synthetic.rotated_camera(degrees * int(frame))
        record["camera"] = dataclasses.asdict(camera)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def test_strokes_on_nothing_stay_in_the_world(tmp_path):
    """The disc moves before them, and its outline goes with it."""
    painting = with_strokes_on_nothing(ALONE)
    ring = cv2.dilate(ALONE.alpha(1), np.ones((9, 9))) * (1 - ALONE.alpha(1))
    painting[ring > 0] = 0.1, 0.1, 0.1, 1
    project = made(tmp_path, ALONE, painting, "surface")
    _set_cameras(project, 0)
    project.train("--steps", 60)
    project.stylize()
    apart = [np.abs(project.result(3)[..., 3] - painting[..., 3])[:, WIDTH - 90 : WIDTH - 20]]
    assert np.mean(apart) < 0.02
    assert project.result(3)[93:95, WIDTH - 80 : WIDTH - 30, 0].mean() > 0.8
    left_behind = (ring > 0) & (cv2.dilate(ALONE.alpha(3), np.ones((7, 7))) == 0)
    assert project.result(3)[left_behind, 3].mean() < 0.3


def test_strokes_on_nothing_follow_a_turning_camera(tmp_path):
    project = made(tmp_path, ALONE, with_strokes_on_nothing(ALONE), "surface")
    _set_cameras(project, 2)
    shot = Shot.open(project.shot)
    frames = [read_frame(shot, frame) for frame in (1, 2)]
    layer = as_layer(read_keyframe(shot, 1), frames[0].alpha)
    world = WorldStrokes(shot, layer, frames[0])
    empty = np.zeros((HEIGHT, WIDTH), np.float32)
    colours = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    no = np.zeros((HEIGHT, WIDTH), bool)
    nothing = Projected(colours, colours, no, empty, no, no, offset=empty)
    strokes = strokes_on_nothing(layer, frames[0].alpha)
    assert np.array_equal(world.add(nothing, frames[0]).offset > 0.5, strokes)
    turned = world.add(nothing, frames[1]).offset > 0.5
    columns = [np.flatnonzero(part.any(axis=0)).mean() for part in (strokes, turned)]
    place = np.tan(np.arctan((columns[0] + 0.5) / WIDTH * 2 - 1) + np.radians(2))
    assert columns[1] == pytest.approx((place + 1) / 2 * WIDTH, abs=3)


def test_a_weight_and_light_are_chosen_for_the_own_frame_too(tmp_path):
    project = made(tmp_path, OPAQUE, OPAQUE.painting(1))
    project.train(*SMALL, "--steps", 3)
    off = []
    for light in (0, 0.75, 1):
        project.stylize("--frames", 1, "--light", light)
        off.append(np.abs(project.result(1)[..., :3] - OPAQUE.painting(1)).mean())
    assert off[0] < 0.003 < off[1] < off[2]
    project.engine("weights", project.shot, "1=0")
    project.stylize("--frames", 1)
    assert np.abs(project.result(1)[..., :3] - OPAQUE.painting(1)).mean() > 0.03


def test_a_mask_limits_what_comes_out_as_painted(tmp_path):
    project = made(tmp_path, OPAQUE, OPAQUE.painting(1))
    left = OPAQUE.places[0] < WIDTH / 2
    write(project.shot / "keys" / "0001.mask.png", left.astype(np.float32))
    project.train(*SMALL, "--steps", 3)
    project.stylize("--frames", 1)
    off = np.abs(project.result(1)[..., :3] - OPAQUE.painting(1)).mean(axis=2)
    assert off[left].max() < 0.003
    assert off[~left].mean() > 0.03
