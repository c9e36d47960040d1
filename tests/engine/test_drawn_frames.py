# SPDX-License-Identifier: GPL-3.0-or-later
"""Drawn frames: footage that comes into view gets brush marks, made by the command line."""

from __future__ import annotations

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from engine.evaluation.grid import grid
from engine.evaluation.strokes import distance, stroke_quantiles
from engine.frames.drawn_frame import DrawnFrame
from engine.images.pictures import read_picture
from engine.networks.style_file import load_style, save_style
from engine.shared.errors import PaintoverError
from engine.shared.freshness import stale_out_frames
from engine.shared.manifest import FrameRecord
from engine.shared.pictures.digests import digest_picture
from engine.shared.shot import Shot

HEIGHT, WIDTH, FRAMES, STEP = 270, 480, 10, 14
STEPS = 80


def panorama() -> tuple[np.ndarray, np.ndarray]:
    """A wide landscape and its painting, in brush marks that the landscape does not tell."""
    chance = np.random.default_rng(5)
    width = WIDTH + STEP * FRAMES
    tone = cv2.GaussianBlur(chance.random((HEIGHT, width, 3)), (0, 0), 40)
    tone = (tone - tone.min()) / np.ptp(tone)
    fine = cv2.GaussianBlur(chance.normal(size=(HEIGHT, width, 1)), (0, 0), 2)
    photo = 0.2 + 0.6 * tone + 0.25 * (fine / fine.std() / 3)[..., None]
    painting = (0.1 + 0.8 * tone[..., ::-1]).astype(np.float32)
    colours = painting.copy()
    for _ in range(9000):
        x, y = int(chance.integers(width)), int(chance.integers(HEIGHT))
        colour = colours[y, x] * (1 + chance.normal(0, 0.15))
        end = x + int(chance.integers(4, 12)), y + int(chance.integers(-8, 8))
        cv2.line(painting, (x, y), end, colour.clip(0, 1).tolist(), 2)
    return photo.clip(0, 1), painting.clip(0, 1)


def write(path: Path, picture: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.rint(picture[..., ::-1] * 255).astype(np.uint8))


def engine(*arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "engine", *map(str, arguments), "--progress", "none"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A camera that pans over the landscape, learnt from its first frame and stylized."""
    folder = tmp_path_factory.mktemp("pan")
    photo, painting = panorama()
    for frame in range(1, FRAMES + 1):
        left = STEP * (frame - 1)
        write(folder / f"input/{frame:04d}.png", photo[:, left : left + WIDTH])
    write(folder / "painted/0001.png", painting[:, :WIDTH])
    shot = folder / "shot"
    engine("import", shot, "--input", folder / "input", "--painted", folder / "painted")
    train = "train", shot, "--steps", STEPS, "--network", "small", "--style"
    engine(*train, "drawn")
    engine(*train, "plain", "--drawn", 0)
    for style in ("drawn", "plain"):
        engine("stylize", shot, "--style", style)
    return shot


@pytest.fixture
def shot(made, tmp_path) -> Shot:
    shutil.copytree(made, tmp_path / "shot")
    return Shot.open(tmp_path / "shot")


def result(shot: Shot, style: str, frame: int) -> np.ndarray:
    return read_picture(shot.folder / f"out/{style}/{frame:04d}.png").rgb


def test_what_comes_into_view_is_drawn_with_the_painters_marks(made):
    shot = Shot.open(made)
    painting = read_picture(shot.key_path(1)).rgb
    everything = np.ones((HEIGHT, WIDTH), bool)
    wanted = stroke_quantiles(painting, everything)
    for frame in (FRAMES // 2 + 1, FRAMES):
        new = everything.copy()
        new[:, : WIDTH - STEP * (frame - 1) + 8] = False
        far = {
            style: distance(stroke_quantiles(result(shot, style, frame), everything, new), wanted)
            for style in ("drawn", "plain")
        }
        assert far["drawn"] < 0.5 * far["plain"]
        assert max(grid(result(shot, "drawn", frame)).values()) < 1.2
    drawn = load_style(shot.style_path("drawn")).drawn
    assert drawn
    assert all(one.frame in shot.frames and one.frame != 1 for one in drawn)
    assert not load_style(shot.style_path("plain")).drawn
    log = (shot.style_folder("drawn") / "train.log").read_text("utf-8")
    assert f"drew {drawn[0].frame}" in log


def test_marks_move_with_the_picture(made):
    """What was drawn in one frame is what the next frame shows, farther left."""
    shot = Shot.open(made)
    before, after = (result(shot, "drawn", frame) for frame in (FRAMES - 1, FRAMES))
    new = slice(WIDTH - STEP * (FRAMES - 2) + 12, WIDTH - 12)
    moved = np.abs(after[12:-12, new.start - STEP : new.stop - STEP] - before[12:-12, new])
    still = np.abs(after[12:-12, new] - before[12:-12, new])
    assert moved.mean() < 0.5 * still.mean()


def test_drawn_frames_of_pictures_that_changed_are_left_out(shot):
    style = load_style(shot.style_path("drawn"))
    for one in style.drawn:
        changed = dataclasses.replace(one, digest="0" * len(one.digest))
        save_style(
            shot.style_path("other"),
            style.network.state_dict(),
            style.header,
            style.activations,
            [changed],
        )
    engine("stylize", shot.folder, "--style", "other", "--frames", FRAMES)
    engine("stylize", shot.folder, "--style", "plain", "--frames", FRAMES, "--force")
    new = np.s_[:, WIDTH - STEP * (FRAMES - 1) + 8 :]
    assert result(shot, "other", FRAMES)[new].std() < 0.9 * result(shot, "drawn", FRAMES)[new].std()


def test_a_frame_on_the_way_from_a_drawn_one_counts(shot):
    """Drawn paint is carried back to the first frames, over all that lie between."""
    drawn = load_style(shot.style_path("drawn")).drawn[0].frame
    assert drawn > 5
    assert stale_out_frames(shot, "drawn", shot.frames) == []
    path = shot.image_path(drawn - 1)
    write(path, 0.9 * read_picture(path).rgb)
    shot.manifest.frames[drawn - 1] = FrameRecord(digest_picture(path))
    shot.save()
    again = Shot.open(shot.folder)
    assert 3 in stale_out_frames(again, "drawn", shot.frames)
    assert 3 not in stale_out_frames(again, "plain", shot.frames)


def some_drawn() -> DrawnFrame:
    chance = np.random.default_rng(2)
    mask = np.zeros((30, 40), bool)
    mask[5:20, 8:30] = True
    paint = chance.integers(0, 256, (30, 40, 3), np.uint8) * mask[..., None]
    return DrawnFrame(7, paint, mask, "abc")


def test_packed_and_unpacked_it_is_the_same():
    one = some_drawn()
    again = DrawnFrame.unpacked(7, one.packed(), (30, 40), "abc")
    assert (again.paint == one.paint).all()
    assert (again.mask == one.mask).all()
    assert (again.frame, again.digest) == (one.frame, one.digest)
    keyframe = again.as_keyframe()
    assert keyframe.paint.dtype == np.float32
    assert (keyframe.mask == one.mask).all()


@pytest.mark.parametrize(
    "damage",
    [
        lambda packed: packed[:10],
        lambda packed: packed[:60],
        lambda packed: np.zeros(100, np.uint8),
        lambda packed: np.concatenate([packed[:16], [0, 1, 0, 0] * 2, packed[24:]]).astype("u1"),
        lambda packed: DrawnFrame(
            7, np.zeros((9, 9, 3), np.uint8), np.ones((9, 9), bool), ""
        ).packed(),
    ],
    ids=["no head", "cut short", "no picture", "huge", "another size"],
)
def test_a_damaged_one_is_refused(damage):
    with pytest.raises(ValueError, match="drawn frame"):
        DrawnFrame.unpacked(7, damage(some_drawn().packed()), (30, 40), "abc")


def test_a_style_without_its_drawn_frame_is_refused(shot):
    style = load_style(shot.style_path("drawn"))
    header = dataclasses.replace(style.header)
    save_style(shot.style_path("other"), style.network.state_dict(), header, None, style.drawn)
    path = shot.style_path("other")
    path.write_bytes(path.read_bytes().replace(b"drawn.", b"drawm."))
    with pytest.raises(PaintoverError, match=r"other\.safetensors is damaged"):
        load_style(path)
