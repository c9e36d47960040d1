# SPDX-License-Identifier: GPL-3.0-or-later
"""Mattes: only what is inside is painted, in a size that people work in, by the command line."""

from __future__ import annotations

import json
import shutil

import cv2
import numpy as np
import pytest
import shots
from painted_scenes import Floats, Scene
from real_sizes import Project, write

from engine.images.pictures import write_picture
from engine.jobs.mattes import remove_mattes, set_mattes
from engine.jobs.train import train
from engine.shared.errors import PaintoverError
from engine.shared.manifest import Manifest
from engine.shared.protocol import LivePicture, Train
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

WIDTH, HEIGHT = 480, 270
SCENE = Scene(WIDTH, HEIGHT)
FOOTAGE, SURFACE = "footage", "surface"


def matte(frame: int) -> Floats:
    """The disc, with an edge that is soft over some pixels."""
    return cv2.GaussianBlur(SCENE.shares(frame)[-1], (0, 0), 1.5)


def stored(frame: int) -> Floats:
    return np.rint(255 * matte(frame)) / 255


def write_mattes(project: Project, suffix: str = ".png"):
    for frame in project.frames:
        write(project.folder / "mattes" / f"{frame:04d}{suffix}", matte(frame))
    return project.folder / "mattes"


def make(folder, way: str, network: str) -> Project:
    """Make a shot with mattes, imported or as captured, and train a style by some steps."""
    project = Project(folder, SCENE)
    mattes = write_mattes(project)
    if way == FOOTAGE:
        project.make("--mask", mattes)
    else:
        project.capture(surface=True)
        project.engine("matte", project.shot, "--input", mattes)
    project.train("--network", network, "--steps", 3)
    return project


@pytest.fixture(scope="module", params=[(FOOTAGE, "small"), (SURFACE, "fast")])
def trained(request, tmp_path_factory) -> Project:
    """Not to be changed."""
    return make(tmp_path_factory.mktemp("mattes"), *request.param)


def premultiplied(pixels: Floats) -> Floats:
    return np.dstack([pixels[..., :3] * pixels[..., 3:], pixels[..., 3:]])


def rendered(frame: int) -> Floats:
    return np.rint(255 * SCENE.render(frame)[..., :3]) / 255


def test_outside_the_matte_is_the_frame_or_nothing(trained, tmp_path):
    project = trained.copy(tmp_path)
    for suffix, words, near in (
        (".png", ("--depth", 8), 1.01 / 255),
        (".png", ("--depth", 16), 1e-4),
        (".exr", ("--format", "exr"), 2e-3),
    ):
        project.stylize("--frames", 2, "--unpainted", "nothing", *words)
        alone = project.result(2, suffix=suffix)
        project.stylize("--frames", 2, *words)
        kept = project.result(2, suffix=suffix)
        share, frame = stored(2), rendered(2)
        outside = share == 0
        assert 0.5 < outside.mean() < 0.95
        assert not alone[outside].any()
        exact = 1e-3 if suffix == ".exr" else 1e-6
        assert np.abs(kept[outside][:, :3] - frame[outside]).max() < exact
        assert np.abs(kept[..., 3] - 1).max() < 1e-6
        assert np.abs(alone[..., 3] - share).max() < near
        blended = premultiplied(alone)[..., :3] + (1 - share[..., None]) * frame
        assert np.abs(kept[..., :3] - blended).max() < 2 * near
        inside = share == 1
        assert np.abs(kept[inside][:, :3] - frame[inside]).mean() > 0.02


def test_the_own_frame_shows_the_painting_inside(trained, tmp_path):
    project = trained.copy(tmp_path)
    share = stored(1)[..., None]
    wanted = share * SCENE.painting(1)[..., :3] + (1 - share) * rendered(1)
    project.stylize("--frames", 1)
    assert np.abs(project.result(1)[..., :3] - wanted).max() < 2.5 / 255


def test_a_changed_matte_makes_its_frame_out_of_date_alone(tmp_path):
    project = make(tmp_path, SURFACE, "small")
    words = ("stylize", project.shot)
    assert "3 frames painted" in project.engine(*words)
    assert "0 frames painted, 3 up to date" in project.engine(*words)
    changed = np.roll(matte(3), 40, axis=1)
    write(project.shot / "mattes" / "matte" / "0003.png", changed)
    info = json.loads(project.engine("info", project.shot, "--json"))
    assert info["matte"] == "matte"
    assert info["styles"]["style"]["training"]["state"] == "up to date"
    assert info["styles"]["style"]["stylizing"]["why"] == "1 of 3 frames to do"
    assert "1 frame painted, 2 up to date" in project.engine(*words)
    outside = np.rint(255 * changed) == 0
    assert np.array_equal(
        project.result(3)[outside][:, :3], rendered(3)[outside].astype(np.float32)
    )
    nothing = ("--unpainted", "nothing")
    assert "3 frames painted, 0 up to date" in project.engine(*words, *nothing)
    write(project.shot / "mattes" / "matte" / "0001.png", changed)
    info = json.loads(project.engine("info", project.shot, "--json"))
    assert (
        info["styles"]["style"]["training"]["why"]
        == "The frame or matte of keyframe 1 has changed since"
    )
    project.engine("matte", project.shot, "--none")
    (versions,) = (project.shot / "mattes" / "matte").iterdir()  # of those that were changed
    assert sorted(path.name[:4] for path in versions.iterdir()) == ["0001", "0003"]
    assert "3 frames painted" in project.engine(*words)
    assert project.result(2)[..., 3].min() == 1


def test_previews_heed_the_matte(tmp_path):
    project = Project(tmp_path, SCENE)
    project.make("--mask", write_mattes(project))
    for value in ("nothing", "frame"):
        project.engine("preview", project.shot, "--frames", "1-2", "--unpainted", value)
        for frame in (1, 2):
            outside = stored(frame) == 0
            result = project.result(frame, "preview")
            wanted = rendered(frame) if value == "frame" else np.zeros((HEIGHT, WIDTH, 3))
            assert np.abs(result[outside][:, :3] - wanted[outside]).max() < 1e-6
            assert np.abs(result[..., 3] - (1 if value == "frame" else stored(frame))).max() < 2e-3
    own = np.abs(project.result(1, "preview")[..., :3] - SCENE.painting(1)[..., :3])
    assert own[stored(1) == 1].max() < 1.5 / 255


class Watcher(Silent):
    """Keeps the last live picture."""

    seen: Floats

    def picture(self, frame, rgba):
        assert frame == 2
        self.seen = rgba / np.float32(255)


@pytest.mark.parametrize("unpainted", ["frame", "nothing"])
def test_live_pictures_heed_the_matte(tmp_path, unpainted):
    project = Project(tmp_path, SCENE)
    project.make("--mask", write_mattes(project))
    live = LivePicture("", 2, WIDTH, HEIGHT, unpainted=unpainted)
    watcher = Watcher()
    train(Train(1, str(project.shot), steps=2, network="small", live=live), watcher)
    outside = stored(2) == 0
    wanted = rendered(2) if unpainted == "frame" else np.zeros((HEIGHT, WIDTH, 3))
    assert np.abs(watcher.seen[outside][:, :3] - wanted[outside]).max() < 1e-6
    assert watcher.seen[outside][:, 3].min() == watcher.seen[outside][:, 3].max()
    assert watcher.seen[outside][0, 3] == (unpainted == "frame")


@pytest.mark.parametrize("around", ["soft", "hard", "black"])
def test_no_fringe_where_a_bright_figure_was_cut_out(tmp_path, around):
    """A bright figure before a bright wall; around the painted figure is nothing, or black."""
    project = Project(tmp_path, SCENE)
    for frame in project.frames:
        write(tmp_path / "input" / f"{frame:04d}.png", 0.6 + 0.3 * SCENE.render(frame)[..., :3])
    share = stored(1)
    alpha = share if around == "soft" else (share > 0).astype(np.float32)
    bright = np.broadcast_to([0.9, 0.85, 0.8], (*share.shape, 3)) * (alpha > 0)[..., None]
    painting = bright * share[..., None] if around == "black" else np.dstack([bright, alpha])
    write(tmp_path / "painted" / "0001.png", painting)
    words = ("--input", tmp_path / "input", "--painted", tmp_path / "painted")
    project.engine("import", project.shot, *words, "--mask", write_mattes(project))
    project.train("--network", "small", "--steps", 20)
    for frame in (1, 2):
        project.stylize("--frames", frame)
        edge = (stored(frame) > 0) & (stored(frame) < 1)
        least = 0.6 if frame == 1 else 0.45
        assert project.result(frame)[edge][:, :3].min() > least
        project.stylize("--frames", frame, "--unpainted", "nothing", "--format", "exr")
        alone = project.result(frame, suffix=".exr")
        assert np.abs(alone[..., 3] - stored(frame)).max() < 0.06
        assert alone[edge & (alone[..., 3] > 0.1)][:, :3].min() > least


def test_masks_of_some_frames_are_learnt_from_and_no_mattes(tmp_path):
    project = Project(tmp_path, SCENE)
    mattes = write_mattes(project)
    project.make("--mask", mattes)
    shot = project.shot
    assert sorted(path.name for path in (shot / "mattes" / "matte").iterdir()) == [
        "0001.png",
        "0002.png",
        "0003.png",
    ]
    assert not (shot / "keys" / "0001.mask.png").exists()
    assert "mattes/matte: only inside" in project.engine("info", shot)
    for frame in (2, 3):
        (mattes / f"{frame:04d}.png").unlink()
    words = ("--input", tmp_path / "input", "--painted", tmp_path / "painted")
    project.engine("import", shot, *words, "--mask", mattes)
    assert (shot / "keys" / "0001.mask.png").is_file()
    assert not (shot / "mattes" / "matte").exists()
    assert "matte" not in project.engine("info", shot)
    write_mattes(project)
    project.engine("import", shot, *words, "--mask", mattes)
    assert [path.name[:4] for path in (shot / "keys" / "versions").glob("*.mask.png")] == ["0001"]
    project.engine("import", shot, *words)
    assert not (shot / "mattes" / "matte").exists()


def test_mattes_of_jpegs_are_black_where_they_look_black(tmp_path):
    project = Project(tmp_path, SCENE)
    project.make("--mask", write_mattes(project, ".jpg"))
    codes = cv2.imread(str(tmp_path / "mattes" / "0001.jpg"), cv2.IMREAD_GRAYSCALE)
    kept = cv2.imread(str(project.shot / "mattes" / "matte" / "0001.png"), cv2.IMREAD_GRAYSCALE)
    assert (codes[matte(1) == 0] > 0).any()
    assert not kept[codes < 16].any()
    assert (kept[codes > 240] == 255).all()


def test_mattes_that_do_not_fit_are_told(tmp_path):
    project = Project(tmp_path, SCENE)
    project.make("--mask", write_mattes(project))
    shot, mattes = project.shot, project.folder / "mattes"
    project.train("--network", "small", "--steps", 2)
    place = shot / "mattes" / "matte"
    kept = (place / "0002.png").read_bytes()
    (place / "0002.png").unlink()
    told = ("no matte", str(place / "0002.png"), "add it")
    shots.assert_one_sentence(shots.run_warm("stylize", shot), *told)
    shots.assert_one_sentence(shots.run_warm("preview", shot), *told)
    assert "missing: frames 2; add them" in project.engine("info", shot)
    write(place / "0002.png", matte(2)[::2])
    shots.assert_one_sentence(shots.run_warm("stylize", shot), "480×135", "480×270", "matte")
    (place / "0002.png").write_bytes(kept)
    write(place / "0001.png", 0 * matte(1))
    shots.assert_one_sentence(shots.run_warm("train", shot, "--steps", 1), "all black", "0001.png")
    (mattes / "0002.png").unlink()
    shots.assert_one_sentence(
        shots.run_warm("matte", shot, "--input", mattes), "lacks mattes for frames 2"
    )
    shots.assert_one_sentence(
        shots.run_warm("matte", shot, "--input", place), "keeps its own copies"
    )
    shutil.rmtree(mattes)
    shots.assert_one_sentence(shots.run_warm("matte", shot, "--input", mattes), "There is no")


def test_a_frame_that_another_program_saved_is_not_painted_with_a_matte_either(tmp_path):
    """A figure on black, whose edge would count as cut out."""
    project = Project(tmp_path, SCENE)
    for frame in project.frames:
        shown = SCENE.render(frame)[..., :3] * stored(frame)[..., None]
        write(tmp_path / "input" / f"{frame:04d}.png", shown)
    write_mattes(project)
    words = ("--input", tmp_path / "input", "--mask", tmp_path / "mattes")
    project.engine("import", project.shot, *words)
    shown = cv2.imread(str(tmp_path / "input" / "0001.png"))
    (project.shot / "keys").mkdir(exist_ok=True)
    cv2.imwrite(str(project.shot / "keys" / "0001.png"), cv2.cvtColor(shown, cv2.COLOR_BGR2BGRA))
    told = shots.run_warm("train", project.shot, "--steps", 1)
    shots.assert_one_sentence(told, "not painted yet")


def test_a_frame_whose_matte_is_black_stays_the_frame(tmp_path):
    project = Project(tmp_path, SCENE)
    mattes = write_mattes(project)
    write(mattes / "0003.png", 0 * matte(3))
    project.make("--mask", mattes)
    project.train("--network", "small", "--steps", 2)
    project.stylize()
    assert np.abs(project.result(3)[..., :3] - rendered(3)).max() < 1e-6


def test_a_shot_without_frames_gets_and_loses_no_mattes(tmp_path):
    shot = Shot(tmp_path / "shot", Manifest(WIDTH, HEIGHT, 1, 3, matte="matte"))
    shot.save()
    shot.matte_path(1).parent.mkdir(parents=True)
    remove_mattes(shot.folder, Silent())
    assert Shot.open(shot.folder).manifest.matte == ""
    assert not shot.matte_path(1, "matte").parent.exists()
    write_picture(tmp_path / "in" / "0001.png", np.ones((HEIGHT, WIDTH, 3), np.float32))
    with pytest.raises(PaintoverError, match="no frames yet"):
        set_mattes(shot.folder, tmp_path / "in", Silent())
