# SPDX-License-Identifier: GPL-3.0-or-later
"""Trainings in Blender: watched, ended and kept, and taken back."""

from __future__ import annotations

import array
import dataclasses
from collections.abc import Callable
from typing import Any

import bpy
import pytest
from conftest import engine_runs, picture, write_png
from test_panels import draw


@pytest.fixture
def painted(shot: Any) -> Any:
    """The shot with a painting of frame 1."""
    write_png(shot.key_path(1), picture(1, seed=1))
    return shot


def record(part: Callable[[str], Any], figures: tuple[float, ...], began: float = 1.8e9) -> Any:
    kind = part("engine.shared.trainings.record").TrainingRecord
    curve = [[float(n), 2.0 * n, 1.0 / n, figure] for n, figure in enumerate(figures, 1)]
    return kind(began, "finished", "fast", {1: "a"}, "j", figures[-1], 9, 60.0, curve)


def test_the_chart_shows_the_last_training_above_the_others(part: Callable[[str], Any]) -> None:
    chart, training = part("training_view.chart"), part("engine.shared.trainings.kept").Training
    new, best = (0.3, 0.2, 0.15, 0.14), (0.3, 0.12, 0.11, 0.1)
    canvas = chart.draw_chart(
        [
            training("b", record(part, new), True, True),
            training("a", record(part, best), True, False, True),
            training("0", record(part, (0.3, 0.25, 0.2, 0.2)), True),
        ]
    )
    assert len(canvas.pixels) == chart.WIDTH * chart.HEIGHT * 4

    def rows(colour: tuple[int, ...]) -> list[int]:
        wanted = bytes(colour)
        line = chart.WIDTH * 4
        data = canvas.pixels.tobytes()
        return [
            number
            for number in range(chart.HEIGHT)
            if any(
                data[at : at + 4] == wanted for at in range(number * line, (number + 1) * line, 4)
            )
        ]

    assert min(rows(chart._BEST)) < min(rows(chart._LAST)) < min(rows(chart._OTHER))
    assert rows(chart._LEARNT), "the training loss is drawn too"
    assert len(chart.draw_chart([]).pixels) == len(canvas.pixels)
    blind = training("c", record(part, (-1.0, -1.0)))
    assert len(chart.draw_chart([blind]).pixels) == len(canvas.pixels)


def test_the_chart_is_drawn_when_trainings_change(part: Callable[[str], Any]) -> None:
    chart, kept = part("training_view.chart"), part("engine.shared.trainings.kept")
    one = kept.Trainings((kept.Training("b", record(part, (0.3, 0.2)), True),))
    chart.update(one)
    (preview,) = chart._icons._previews.values()
    assert tuple(preview.image_size) == (chart.WIDTH, chart.HEIGHT)
    shown = array.array("i", bytes(4 * chart.WIDTH * chart.HEIGHT))
    preview.image_pixels.foreach_get(shown)
    assert shown.tobytes() == chart.draw_chart(one.trainings).pixels.tobytes()
    chart.update(kept.Trainings())
    assert chart.icon() == 0


@pytest.mark.parametrize("editor", ["VIEW_3D", "IMAGE_EDITOR", "NODE_EDITOR"])
def test_the_panel_says_how_it_went_and_offers_what_is_kept(
    scene: Any, part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch, editor: str
) -> None:
    kept, states = part("engine.shared.trainings.kept"), part("states")
    watcher = part("ui.watcher")
    before = draw(part, scene, editor)
    assert ("operator", "paintover.training_take") not in before
    still = record(part, (0.3, 0.2, 0.15, 0.14))
    found = kept.Trainings(
        (
            kept.Training("c", still, True, True),
            kept.Training("b", record(part, (0.3, 0.2, 0.1)), True, False, True),
            kept.Training("a", record(part, (0.3,)), False),
        ),
        ("x.json is damaged, so this training is not shown.",),
    )
    snapshot = dataclasses.replace(states.EMPTY, trainings=found)
    monkeypatch.setattr(watcher._watcher, "snapshot", snapshot)
    drawn = draw(part, scene, editor)
    assert drawn.count(("operator", "paintover.training_take")) == 1
    labels = " ".join(text for what, text in drawn if what == "label")
    assert "Was improving quickly when it ended: continuing makes it sharper." in labels
    assert "In use" in labels and "Best" in labels and "x.json is damaged" in labels
    assert ("operator", "paintover.train_keep") not in drawn, "nothing is being trained"


def test_a_damaged_record_is_a_sentence_in_the_state(
    scene: Any, shot: Any, part: Callable[[str], Any]
) -> None:
    path = shot.trainings_folder("style") / "20260101-101010.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    (note,) = part("states").look(scene).trainings.notes
    assert str(path) in note and "is damaged, so this training is not shown" in note
    with pytest.raises(RuntimeError, match="No training of the style"):
        bpy.ops.paintover.training_take()


@pytest.mark.skipif(not engine_runs(), reason="the engine's Python lacks the engine's packages")
def test_a_training_is_watched_kept_and_taken_back(
    scene: Any, painted: Any, part: Callable[[str], Any]
) -> None:
    steps, view = part("steps"), part("training_view.view")
    job = steps.train(scene, lambda _: None, seconds=600, live=True)
    assert not view.is_training()
    told, protocol = False, part("engine.shared.protocol")
    try:
        while True:
            progress = next(job)
            if "Step" not in progress.text:
                continue
            assert view.is_training()
            watched = view.current()
            client = part("engine_process.client").running()
            if not told:
                view.settings().frame = 99  # the nearest frame of the shot is taken
                assert view.settings().frame == watched.frame == 3
                client.tell(protocol.TrainShow(0, 1, large=True))
                told = True
            if watched._slots.header(0).sequence and told:
                break
        headers = [watched._slots.header(slot) for slot in range(3)]
        assert [header.frame for header in headers] == [1, 1, 1]
        steps.keep_training()
        while True:
            next(job)
    except StopIteration as end:
        sentence = end.value
    assert sentence.startswith("Trained on 1 keyframe in ") and view.current() is None
    (first,) = part("states").look(scene).trainings.kept
    assert first.is_in_use and first.record.state == "stopped"
    assert part("states").look(scene).steps["train"].step.value == "up to date"
    style = painted.style_path("style").read_bytes()
    with pytest.raises(part("engine.shared.errors").PaintoverError, match="Nothing is being"):
        steps.keep_training()

    assert bpy.ops.paintover.train(seconds=1, resume=True) == {"FINISHED"}
    assert painted.style_path("style").read_bytes() != style
    assert bpy.ops.paintover.training_take(training="previous") == {"FINISHED"}
    assert painted.style_path("style").read_bytes() == style
    assert part("states").look(scene).trainings.in_use.name == first.name
    assert not bpy.ops.paintover.train_keep.poll()
    assert not bpy.ops.paintover.train_watch.poll()
