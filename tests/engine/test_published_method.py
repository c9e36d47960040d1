# SPDX-License-Identifier: GPL-3.0-or-later
"""The published method as a whole, and its settings, on plain footage without any pass."""

from __future__ import annotations

from pathlib import Path

import moving_pictures as footage
import numpy as np
import pytest
import shots
import synthetic
from safetensors.torch import load_file, save_file
from test_vgg_loss import random_weights

from engine.images.pictures import read_picture, write_picture
from engine.jobs.stylize import stylize
from engine.jobs.train import train
from engine.shared import protocol
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.freshness import out_state, stale_out_frames
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.shared.style_header import read_style_header
from engine.shared.training_settings import TYPES
from engine.training.settings import default_guides, default_settings, run_settings

QUICK = {"patch": 16, "batch": 2, "blocks": 1}
"""The published configuration, but small enough for a test."""


@pytest.fixture
def plain(tmp_path: Path) -> Shot:
    shot = footage.make_shot(tmp_path / "shot", frames=5)
    paint(shot, 2)
    return shot


def paint(shot: Shot, frame: int) -> None:
    write_picture(shot.key_path(frame), np.ascontiguousarray(footage.clean(frame)[..., ::-1]))


def request(shot: Shot, steps: int = 3, **more) -> protocol.Train:
    settings = {**QUICK, **{name: more.pop(name) for name in TYPES if name in more}}
    values = {"network": "paper", "device": "cpu", "settings": settings, **more}
    return protocol.Train(1, str(shot.folder), steps=steps, **values)


def run(shot: Shot, **more) -> dict:
    return stylize(protocol.Stylize(2, str(shot.folder), device="cpu", **more), Silent())


class StopsAt(Silent):
    def __init__(self, time: int) -> None:
        self._left = time

    def cancelled(self) -> bool:
        self._left -= 1
        return self._left == 0


def test_the_configuration_is_the_published_one(plain):
    paper = default_settings("paper")
    assert (paper.patch, paper.batch, paper.blocks, paper.filter) == (36, 40, 7, 15)
    assert 2e-4 <= paper.rate <= 4e-4
    assert paper.adversarial > 0
    assert default_guides("paper", plain) == ["colour", "gaussians"]
    fast = default_settings("fast")
    assert (fast.adversarial, fast.filter, fast.vgg) == (0, 0, "")


def test_rendered_shots_have_better_than_gaussians_unless_it_is_the_yardstick(rendered_shot):
    assert "gaussians" not in default_guides("fast", rendered_shot)
    assert default_guides("paper", rendered_shot) == ["colour", "gaussians"]


def test_plain_footage_by_command(tmp_path):
    pictures = tmp_path / "in"
    for frame in range(1, 5):
        write_picture(pictures / f"shot.{frame:04d}.png", footage.noisy(frame))
    write_picture(
        tmp_path / "painted" / "0001.png", np.ascontiguousarray(footage.clean(1)[..., ::-1])
    )
    folder = tmp_path / "shot"
    quick = ["--patch", 16, "--batch", 2, "--blocks", 2, "--rate", 0.0004, "--adversarial", 0.25]
    train_paper = ["train", folder, "--network", "paper", "--steps", 3, "--style", "paper"]
    train_fast = ["train", folder, "--steps", 3, "--style", "fast", "--device", "cpu"]
    words = [
        ["import", folder, "--input", pictures, "--painted", tmp_path / "painted"],
        [*train_paper, *quick, "--device", "cpu"],
        [*train_fast, "--filter", "--gradients", 0.5, "--no-muon"],
        ["stylize", folder, "--style", "paper", "--device", "cpu"],
        ["stylize", folder, "--style", "fast", "--device", "cpu"],
    ]
    for line in words:
        result = shots.run_engine(*line)
        assert result.returncode == 0, result.stderr
    shot = Shot.open(folder)
    paper, fast = (read_style_header(shot.style_path(name)) for name in ("paper", "fast"))
    assert paper.guides == ["colour", "gaussians"]
    wanted = {"patch": 16, "batch": 2, "blocks": 2, "rate": 0.0004, "adversarial": 0.25}
    assert wanted.items() <= paper.settings.items()
    assert (paper.settings["filter"], fast.settings["filter"]) == (15, 15)
    assert fast.settings["adversarial"] == 0
    assert (fast.settings["gradients"], fast.settings["muon"]) == (0.5, False)
    for name in ("paper", "fast"):
        shots.assert_all_frames_open(shot, name)


def test_frames_are_the_same_in_any_order_and_alone(plain):
    train(request(plain), Silent())
    run(plain)
    together = {frame: plain.out_path("style", frame).read_bytes() for frame in plain.frames}
    for path in plain.cache_folder("").rglob("*.*"):
        if path.is_file():
            path.unlink()
    run(plain, frames=[5], force=True)
    run(plain, frames=[4, 1, 3, 2], force=True)
    assert together == {f: plain.out_path("style", f).read_bytes() for f in plain.frames}


def test_frames_are_out_of_date_when_one_that_they_were_made_from_is(plain):
    train(request(plain, filter=False), Silent())
    run(plain)
    assert stale_out_frames(plain, "style", plain.frames) == []
    write_picture(plain.image_path(4), footage.noisy(9))
    plain.manifest.frames[4].image = "another"
    plain.save()
    assert stale_out_frames(plain, "style", plain.frames) == [4, 5]
    assert run(plain)["frames"] == 2
    assert "up to date" in out_state(plain, "style").step.value


def test_the_neighbours_that_the_filter_saw_count_too(plain):
    train(request(plain, guides=["colour"]), Silent())
    run(plain)
    plain.manifest.frames[5].image = "another"
    plain.save()
    assert stale_out_frames(plain, "style", plain.frames) == [1, 2, 3, 4, 5]


def test_a_resumed_run_equals_an_uninterrupted_one(plain, tmp_path):
    save_file(random_weights(), tmp_path / "vgg.safetensors")
    vgg = {"vgg": str(tmp_path / "vgg.safetensors"), "filter": False}
    train(request(plain, 8, style="whole", **vgg), Silent())
    with pytest.raises(Cancelled):
        train(request(plain, 8, style="parts", **vgg), StopsAt(5))
    saved = load_file(plain.style_folder("parts") / "resume.safetensors")
    assert any(name.startswith("adversary.") for name in saved)
    again = protocol.Train(
        1, str(plain.folder), "parts", steps=8, resume=True, network="paper", device="cpu"
    )
    train(again, Silent())
    whole, parts = (
        load_file(plain.style_folder(style) / "resume.safetensors") for style in ("whole", "parts")
    )
    assert whole.keys() == parts.keys()
    assert all((whole[name] == parts[name]).all() for name in whole)
    settings = [read_style_header(plain.style_path(s)).settings for s in ("whole", "parts")]
    assert settings[0] == settings[1]
    assert settings[0]["patch"] == 16


def test_each_loss_changes_what_is_learnt(plain, tmp_path):
    save_file(random_weights(), tmp_path / "vgg.safetensors")
    losses = {
        "neither": {"adversarial": 0},
        "adversarial": {"adversarial": 1},
        "vgg": {"adversarial": 0, "vgg": str(tmp_path / "vgg.safetensors")},
    }
    learnt = {}
    for name, more in losses.items():
        train(request(plain, 2, style=name, filter=False, **more), Silent())
        learnt[name] = load_file(plain.style_path(name))["last.weight"]
    assert not (learnt["neither"] == learnt["adversarial"]).all()
    assert not (learnt["neither"] == learnt["vgg"]).all()


def test_the_painting_is_learnt(plain):
    train(request(plain, 40, batch=4, rate=1e-3), Silent())
    run(plain, frames=[4])
    painted = read_picture(plain.out_path("style", 4)).rgb
    truth = footage.clean(4)[..., ::-1]
    wrong = np.abs(painted - truth).mean()
    assert wrong < 0.8 * np.abs(footage.noisy(4) - truth).mean()


@pytest.mark.parametrize("size", [12, 17, 36, 100])
def test_patches_of_any_size(plain, size):
    train(request(plain, 1, network="small", patch=size, filter=False), Silent())
    assert read_style_header(plain.style_path("style")).settings["patch"] == size


def test_it_works_with_alpha_and_projection_too(rendered_shot):
    pixels = synthetic.picture(2)[..., [1, 2, 0, 3]]
    pixels[..., 3] *= 0.5
    write_picture(rendered_shot.key_path(2), np.ascontiguousarray(pixels))
    names = ["colour", "gaussians", "projection"]
    train(request(rendered_shot, guides=names), Silent())
    run(rendered_shot, frames=[3])
    assert read_picture(rendered_shot.out_path("style", 3)).pixels.shape[2] == 4


def test_a_style_of_another_shot_finds_its_place(plain, tmp_path):
    train(request(plain, filter=False), Silent())
    other = footage.make_shot(tmp_path / "other", frames=1)
    path = other.style_path("style")
    path.parent.mkdir()
    path.write_bytes(plain.style_path("style").read_bytes())
    assert run(other)["frames"] == 1


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"patch": 5}, "patch size must be 12 to 512 pixels, not 5"),
        ({"batch": 5000}, "batch size must be 1 to 1000 patches, not 5000"),
        ({"blocks": 41}, "residual blocks must be 1 to 40, not 41"),
        ({"rate": float("nan")}, "learning rate"),
        ({"adversarial": -1}, "adversarial loss must be 0 to 100, not -1"),
        ({"vgg": "nowhere.pth"}, r"nowhere\.pth"),
    ],
)
def test_impossible_settings_are_sentences(plain, more, words):
    with pytest.raises(PaintoverError, match=words):
        train(request(plain, **{"filter": False, **more}), Silent())
    assert not plain.style_path("style").exists()


def test_what_training_goes_on_from_keeps_its_settings():
    recorded = {"patch": 20, "blocks": 3, "filter": 0, "alpha": "frame"}
    settings = run_settings({"batch": 5}, "paper", recorded)
    assert (settings.patch, settings.filter, settings.batch) == (20, 0, 5)
    with pytest.raises(PaintoverError, match="has 3 residual blocks"):
        run_settings({"blocks": 4}, "paper", recorded)
