# SPDX-License-Identifier: GPL-3.0-or-later
"""Trainings of a style are kept, listed, compared and taken back."""

from __future__ import annotations

import dataclasses
import json
import queue
import shutil
import signal

import numpy as np
import pytest
import synthetic
from shots import start_engine, wait_until
from test_train import Report, request

from engine.app.cli import main
from engine.images.pictures import read_picture
from engine.jobs.train import train
from engine.shared import protocol
from engine.shared.claims import Claims
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.files import write_bytes
from engine.shared.freshness import Step, style_state
from engine.shared.live_files import PictureSlots
from engine.shared.live_protocol import LivePictures
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.shared.style_header import read_style_header
from engine.shared.trainings import kept
from engine.shared.trainings.record import (
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STOPPED,
    TrainingRecord,
)
from engine.shared.trainings.verdict import Verdict, in_words, verdict
from engine.training.loop import _has_converged


@pytest.fixture
def shot(tmp_path) -> Shot:
    shot = synthetic.make_shot(tmp_path / "shot")
    synthetic.paint(shot, 1)
    return shot


@pytest.fixture(scope="module")
def trained_once(tmp_path_factory) -> Shot:
    shot = synthetic.make_shot(tmp_path_factory.mktemp("trained") / "shot")
    synthetic.paint(shot, 1)
    train(request(shot, 24), Silent())
    return shot


@pytest.fixture
def trained(trained_once, tmp_path) -> Shot:
    """A shot whose style was trained for 24 steps."""
    shutil.copytree(trained_once.folder, tmp_path / "trained")
    return Shot.open(tmp_path / "trained")


class Asking(Report):
    """Sends requests to the training after some steps, as the worker does."""

    def __init__(self, *requests: protocol.TrainRequest, after: int) -> None:
        super().__init__()
        self.inbox: queue.SimpleQueue = queue.SimpleQueue()
        self._requests, self._after = requests, after

    def cancelled(self):
        super().cancelled()
        if self._asked == self._after:
            for one in self._requests:
                self.inbox.put(one)
        return False


def test_a_killed_training_is_interrupted_and_can_be_continued(shot):
    """The process is killed while it trains: its file says that it runs, the list does not."""
    process = start_engine("train", str(shot.folder), "--seconds", "300", "--device", "cpu")
    try:
        wait_until(lambda: kept.read_trainings(shot, "style").last is not None, process)
        running = kept.read_trainings(shot, "style").last
        assert running.record.state == RUNNING
        process.send_signal(signal.SIGSTOP)
        assert kept.read_trainings(shot, "style").last.record.state == RUNNING
    finally:
        process.kill()
        process.communicate()
    last = kept.read_trainings(shot, "style").last
    assert json.loads(kept.record_path(shot, "style", last.name).read_text())["state"] == RUNNING
    assert last.record.state == INTERRUPTED
    assert in_words(last.record).startswith("It was interrupted. ")
    assert "interrupted" in kept.describe(last)
    train(request(shot, 2), Silent())
    assert kept.read_trainings(shot, "style").last.record.state != INTERRUPTED


def curve(*figures: float, every: float = 2.0) -> list[list[float]]:
    return [[10.0 * n, every * n, 1.0, figure] for n, figure in enumerate(figures, 1)]


def record(*figures: float, state: str = RUNNING) -> TrainingRecord:
    return TrainingRecord(1.8e9, state, "fast", {1: "a"}, "j", curve=curve(*figures))


# Held-out figures every 2 s of 60 s on a shot of 960x540, as they were measured.
MEASURED = (
    *(0.23456, 0.11233, 0.09539, 0.08785, 0.0839, 0.0805, 0.07601, 0.07368, 0.07194, 0.07375),
    *(0.07217, 0.07099, 0.07101, 0.0713, 0.0701, 0.06913, 0.06801, 0.06743, 0.06734, 0.06684),
    *(0.06618, 0.0662, 0.06612, 0.06587, 0.06548, 0.06506, 0.0651, 0.06492),
)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ((), Verdict.EARLY),
        (MEASURED[:3], Verdict.EARLY),
        (MEASURED[:7], Verdict.QUICKLY),
        (MEASURED[:14], Verdict.STILL),
        (MEASURED, Verdict.STILL),
        ((*MEASURED, *[0.064] * 28), Verdict.NO_MORE),
        ((*MEASURED, *[0.0635] * 28), Verdict.HARDLY),
        ((*MEASURED, *[0.2] * 40), Verdict.NO_MORE),  # the best lies in the first half
        ((0.0, 0.0, 0.0, 0.0), Verdict.NO_MORE),
        ((-1.0, -1.0, -1.0), Verdict.BLIND),
        ((-1.0, 0.3, -1.0, 0.2), Verdict.EARLY),
    ],
)
def test_the_verdict_is_about_the_second_half_of_the_time(figures, expected):
    assert verdict(record(*figures)) is expected


def test_the_words_have_no_numbers_and_tell_the_way_out():
    done = record(*MEASURED, *[0.064] * 28)
    assert in_words(done) == "No longer improving: more time will not help; another keyframe will"
    assert in_words(record(*MEASURED)) == "Sharpness still improving"
    ended = record(*MEASURED, state=FINISHED)
    assert in_words(ended) == "Was still improving when it ended: continuing makes it sharper"
    for one in (done, ended, record(), record(-1, -1)):
        assert not any(letter.isdigit() for letter in in_words(one))


def test_a_training_leaves_its_record_and_the_style_it_has_written(trained):
    found = kept.read_trainings(trained, "style")
    assert found.notes == () and len(found.trainings) == 1
    only = found.trainings[0]
    assert (only.is_kept, only.is_in_use, only.is_best) == (True, True, False)
    header = read_style_header(trained.style_path("style"))
    assert only.record.curve == header.curve and only.record.curve[-1][0] == 24
    assert only.record.trained_on == header.trained_on
    assert (only.record.state, only.record.steps) == (FINISHED, 24)
    assert only.record.held_out == pytest.approx(min(row[3] for row in header.curve), abs=1e-4)
    style = trained.style_path("style")
    assert kept.kept_path(trained, "style", only.name).read_bytes() == style.read_bytes()


def test_what_is_learnt_so_far_becomes_the_style_and_the_one_before_is_taken_back(trained):
    style, state = trained.style_path("style"), trained.style_folder("style") / kept.RESUME_NAME
    before = style.read_bytes(), state.read_bytes()
    (first,) = kept.read_trainings(trained, "style").kept
    report = Asking(protocol.TrainKeep(1), after=5)
    result = train(request(trained, 500), report)
    assert (result["steps"], result["kept"], report.warnings) == (5, "", [])
    header = read_style_header(style)
    assert (header.steps, header.finished) == (5, True)
    assert style_state(trained, "style").step is Step.UP_TO_DATE
    after = style.read_bytes(), state.read_bytes()
    last, old = kept.read_trainings(trained, "style").kept
    assert (last.name, last.record.state) == (result["training"], STOPPED)
    assert (last.is_in_use, last.is_best, old.is_in_use, old.is_best) == (True, False, False, True)

    assert kept.take_back(trained, "style", kept.BEST).name == first.name
    assert (style.read_bytes(), state.read_bytes()) == before
    assert (trained.style_folder("style") / kept.PREVIOUS_NAME).read_bytes() == after[0]
    in_use = kept.read_trainings(trained, "style").in_use
    assert in_use is not None and in_use.name == first.name
    kept.take_back(trained, "style", kept.PREVIOUS)
    assert (style.read_bytes(), state.read_bytes()) == after

    third = train(request(trained, 4, resume=True), Silent())
    assert third["steps"] == 9
    names = [one.name for one in kept.read_trainings(trained, "style").kept]
    assert names == [third["training"], last.name, first.name]


def test_a_training_that_is_stopped_and_worse_is_not_kept(trained):
    (first,) = kept.read_trainings(trained, "style").kept
    with pytest.raises(Cancelled):
        train(request(trained, 500), Report(stop_at=4))
    found = kept.read_trainings(trained, "style")
    assert [one.name for one in found.kept] == [first.name] and found.kept[0].is_in_use
    assert found.last is not None and found.last.record.state == STOPPED


def test_the_last_five_are_kept_with_the_best_and_the_one_in_use(shot, monkeypatch):
    figures = (0.1, *(0.3,) * 7)
    for number, figure in enumerate(figures):
        write_bytes(shot.style_path("style"), b"style %d" % number)
        write_bytes(shot.style_folder("style") / kept.RESUME_NAME, b"state %d" % number)
        one = dataclasses.replace(record(0.5, figure), began=1.8e9 + number, held_out=figure)
        kept.keep_training(shot, "style", f"2027010{number}-000000", one)
    found = kept.read_trainings(shot, "style").kept
    assert [one.name[7] for one in found] == ["7", "6", "5", "4", "0"]
    assert (found[0].is_in_use, found[-1].is_best) == (True, True)
    folder = shot.trainings_folder("style")
    assert len(list(folder.iterdir())) == 3 * 5
    monkeypatch.setattr(kept, "MOST_KEPT_BYTES", 1)
    write_bytes(shot.style_path("style"), b"style 5")
    kept.delete_old_trainings(shot, "style")
    found = kept.read_trainings(shot, "style").kept
    assert [one.name[7] for one in found] == ["7", "5", "0"], "the newest, in use, and the best"
    assert len(list(folder.iterdir())) == 3 * 3


def test_a_style_that_no_training_has_kept_is_kept_before_it_is_replaced(trained):
    for path in trained.trainings_folder("style").iterdir():
        path.unlink()
    name = kept.keep_present_style(trained, "style")
    (old,) = kept.read_trainings(trained, "style").kept
    assert (old.name, old.record.steps, old.is_in_use) == (name, 24, True)
    assert kept.keep_present_style(trained, "style") == name, "it is kept once"
    before = trained.style_path("style").read_bytes()
    write_bytes(trained.style_path("style"), b"another")
    kept.take_back(trained, "style", name)
    assert trained.style_path("style").read_bytes() == before
    state = trained.style_folder("style") / kept.RESUME_NAME
    assert not state.exists(), "it is of another training, so nothing continues from it"


def test_other_paintings_begin_another_curve(trained):
    synthetic.paint(trained, 3)
    train(request(trained, 20, resume=True), Silent())
    last = kept.read_trainings(trained, "style").last
    assert last is not None
    assert [row[0] for row in last.record.curve] == [30, 40, 44]
    first = kept.read_trainings(trained, "style").trainings[1].record.curve
    assert 0 < last.record.curve[0][1] < last.record.seconds - first[-1][1] + 1e-3


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is damaged, so this training is not shown"),
        ('{"version": 1, "began": "x"}', "is damaged"),
        ('{"version": 9}', "was written by a later Paintover"),
        ("[" * 100_000, "is damaged"),
        ("7", "is damaged"),
    ],
)
def test_a_damaged_record_costs_one_sentence(trained, text, says):
    (only,) = kept.read_trainings(trained, "style").kept
    path = kept.record_path(trained, "style", only.name)
    path.write_text(text)
    (path.parent / "notes.json").write_text("{")
    found = kept.read_trainings(trained, "style")
    assert found.trainings == () and len(found.notes) == 1
    assert str(path) in found.notes[0] and says in found.notes[0]
    again = kept.keep_present_style(trained, "style")
    assert [one.name for one in kept.read_trainings(trained, "style").kept] == [again]


def test_a_damaged_style_and_one_that_is_being_trained_are_left_alone(trained):
    (only,) = kept.read_trainings(trained, "style").kept
    path, style = kept.kept_path(trained, "style", only.name), trained.style_path("style")
    with Claims() as claims:
        assert claims.take(trained.training_claim_path("style")) is None
        with pytest.raises(PaintoverError, match="is being trained"):
            kept.take_back(trained, "style", only.name)
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    write_bytes(path, bytes(data))
    before = style.read_bytes()
    with pytest.raises(PaintoverError, match=r"is damaged: it is not as the training has written"):
        kept.take_back(trained, "style", only.name)
    assert style.read_bytes() == before


def test_a_continued_training_has_time_to_improve():
    class Stands:
        steps, best_step, best_loss = 900, 400, 0.1

    assert _has_converged(Stands, 0)
    assert not _has_converged(Stands, 600), "400 of its own steps are not over"
    Stands.steps = 1100
    assert _has_converged(Stands, 600)
    Stands.best_step = 900
    assert not _has_converged(Stands, 600)


def test_large_pictures_of_the_frame_that_is_chosen(shot, tmp_path):
    width, height = shot.manifest.width, shot.manifest.height
    place = LivePictures(str(tmp_path / "large"), width, height, slots=len(protocol.WATCHED))
    slots = PictureSlots.make(place)
    small = protocol.LivePicture("", 3, 48, 32)
    report = Asking(protocol.TrainShow(1, 2, large=True), after=3)
    train(dataclasses.replace(request(shot, 5), live=small, watch=place), report)
    assert [frame for frame, _ in report.pictures][:2] == [3, 2]
    assert [slots.header(slot).frame for slot in range(3)] == [2, 2, 1]

    def shown(slot: int) -> np.ndarray:
        return np.frombuffer(slots.pixels(slot).tobytes(), "f4").reshape(height, width, 4)[::-1]

    for slot, path in ((1, shot.image_path(2)), (2, shot.key_path(1))):
        assert np.abs(shown(slot) - read_picture(path).pixels).max() < 1e-3
    assert shown(0)[..., :3].std() > 0.01
    slots.close()


def test_the_command_line_lists_trainings_and_takes_one_back(trained, capsys):
    (only,) = kept.read_trainings(trained, "style").kept
    folder = str(trained.folder)
    assert main(["styles", folder]) == 0
    text = capsys.readouterr().out
    assert only.name in text and "in use" in text and in_words(only.record) in text
    assert main(["styles", folder, "--take", "previous"]) == 1
    assert "is in use; train again to have another" in capsys.readouterr().err
    before = trained.style_path("style").read_bytes()
    write_bytes(trained.style_path("style"), b"another")
    assert main(["styles", folder, "--take", "previous"]) == 0
    assert f"is that of the training {only.name}" in "".join(capsys.readouterr())
    assert trained.style_path("style").read_bytes() == before
    assert main(["styles", folder, "--json", "--style", "style"]) == 0
    (told,) = json.loads(capsys.readouterr().out)["styles"]["style"]["trainings"]
    assert (told["name"], told["in_use"], told["keyframes"]) == (only.name, True, "1")
    for wrong, says in (
        (
            ["--take", "19990101-000000"],
            f"no kept training 19990101-000000; choose one of {only.name}",
        ),
        (["--take", "best"], "No two trainings"),
        (["--style", "other"], 'has no style "other"; train it first'),
        (["--style", "other", "--take", "best"], 'No training of the style "other" is kept'),
    ):
        assert main(["styles", folder, *wrong]) == 1
        assert says in capsys.readouterr().err
