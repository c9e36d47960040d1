# SPDX-License-Identifier: GPL-3.0-or-later
"""A stopped or short training never replaces a better style, and records name what was read."""

from __future__ import annotations

import numpy as np
import pytest
import shots
import synthetic
from test_train import Report, request

from engine.images.pictures import write_picture
from engine.jobs.preview import preview
from engine.jobs.stylize import stylize
from engine.jobs.train import train
from engine.shared import protocol
from engine.shared.errors import Cancelled
from engine.shared.freshness import Step, out_state, stale_out_frames, style_state
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.shared.style_header import read_style_header


@pytest.fixture
def shot(tmp_path) -> Shot:
    shot = synthetic.make_shot(tmp_path / "shot")
    synthetic.paint(shot, 1)
    return shot


def stop(shot: Shot, after: int, **more) -> Report:
    """Train and stop after some steps."""
    report = Report(stop_at=after + 1)
    with pytest.raises(Cancelled):
        train(request(shot, 500, **more), report)
    return report


def paint_all(shot: Shot) -> None:
    stylize(protocol.Stylize(1, str(shot.folder), device="cpu"), Silent())


def test_a_stopped_training_leaves_a_better_style(shot):
    train(request(shot, 40), Silent())
    paint_all(shot)
    path = shot.style_path("style")
    before = path.read_bytes()
    report = stop(shot, 3)
    assert path.read_bytes() == before
    assert "after 3 steps" in report.warnings[0] and "40 steps" in report.warnings[0]
    assert style_state(shot, "style").step is Step.UP_TO_DATE
    assert out_state(shot, "style").step is Step.UP_TO_DATE
    train(request(shot, 60, resume=True), Silent())
    assert read_style_header(path).steps == 60
    assert (shot.style_folder("style") / "previous.safetensors").read_bytes() == before


def test_the_first_style_may_be_a_stopped_one(shot):
    report = stop(shot, 3)
    assert report.warnings == []
    state = style_state(shot, "style")
    assert (state.step, state.why) == (Step.OUT_OF_DATE, "Stopped early after 3 steps")
    paint_all(shot)
    info = shots.run_warm("info", shot.folder).stdout
    assert "Stopped early after 3 steps" in info
    stop(shot, 30)
    assert style_state(shot, "style").why == "Stopped early after 30 steps"
    train(request(shot, 40, resume=True), Silent())
    assert style_state(shot, "style").step is Step.UP_TO_DATE


def test_after_a_change_of_the_painting_the_better_style_stays(shot):
    """A few dabs make no style worse than one of three steps; other colours do."""
    train(request(shot, 60), Silent())
    path = shot.style_path("style")
    before = path.read_bytes()
    pixels = synthetic.picture(1)[..., [1, 2, 0, 3]]
    pixels[20:23, 50:53, :3] = 1
    write_picture(shot.key_path(1), np.ascontiguousarray(pixels))
    stop(shot, 2)
    assert path.read_bytes() == before
    assert "changed" in style_state(shot, "style").why
    pixels[..., :3] = 1 - pixels[..., :3]
    write_picture(shot.key_path(1), np.ascontiguousarray(pixels))
    stop(shot, 40)
    assert not read_style_header(path).finished
    assert (shot.style_folder("style") / "previous.safetensors").read_bytes() == before


def test_a_short_training_replaces_only_what_is_worse_or_other(shot):
    train(request(shot, 40), Silent())
    path = shot.style_path("style")
    before = path.read_bytes()
    report = Report()
    result = train(request(shot, 2), report)
    assert result["kept"] == report.warnings[0]
    assert path.read_bytes() == before
    words = ("--steps", 2, "--network", "small", "--device", "cpu")
    said = shots.run_warm("train", shot.folder, *words)
    assert said.returncode == 0
    assert "is better and stays" in said.stderr + said.stdout
    assert train(request(shot, 2, settings={"gradients": 1.0}), Silent())["kept"] == ""
    assert read_style_header(path).steps == 2


class Replacing(Silent):
    """Does something once, when the first frame is written."""

    def __init__(self, work) -> None:
        self._work = work

    def frame_done(self, frame, path):
        work, self._work = self._work, None
        if work:
            work()


def test_a_record_names_the_style_that_was_read(tmp_path):
    shot = shots.make_shot(tmp_path / "shot", frames=6)
    train(request(shot, 2), Silent())
    train(request(shot, 3, style="other"), Silent())
    other = shot.style_path("other").read_bytes()
    wanted = protocol.Stylize(1, str(shot.folder), device="cpu")
    stylize(wanted, Replacing(lambda: shot.style_path("style").write_bytes(other)))
    assert stale_out_frames(shot, "style", shot.frames) == shot.frames


@pytest.mark.parametrize("job", [stylize, preview])
def test_a_record_names_the_painting_that_was_read(shot, job):
    train(request(shot, 2), Silent())

    def repaint() -> None:
        write_picture(shot.key_path(1), synthetic.picture(1)[..., [2, 2, 0, 3]])

    kind = protocol.Stylize if job is stylize else protocol.Preview
    wanted = kind(1, str(shot.folder))
    job(wanted, Replacing(repaint))
    assert job(wanted, Silent())["skipped"] == 0
    assert job(wanted, Silent())["skipped"] == 3


def test_a_style_names_the_paintings_that_were_read(shot):
    class Repainting(Silent):
        def progress(self, step, fraction, seconds_left, text):
            if text.startswith("Reading"):
                return
            write_picture(shot.key_path(1), synthetic.picture(1)[..., [2, 2, 0, 3]])

    train(request(shot, 3), Repainting())
    assert "Keyframe 1 has changed" in style_state(shot, "style").why


def test_a_painting_replaced_while_it_is_read_is_read_again(shot, monkeypatch):
    """What is learnt and its digest belong together."""
    from engine.training import dataset

    read, times = dataset.read_keyframes, []

    def slow(*arguments):
        found = read(*arguments)
        if not times:
            write_picture(shot.key_path(1), synthetic.picture(1)[..., [2, 2, 0, 3]])
        times.append(found)
        return found

    monkeypatch.setattr(dataset, "read_keyframes", slow)
    training_set = dataset.read_training_set(shot, [], ["colour"], 0, Silent())
    assert len(times) == 2
    assert training_set.digests == {1: shot.key_digest(1)}
