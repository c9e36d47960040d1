# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages between Blender and the engine: they come back as they went, or are refused."""

from __future__ import annotations

import json

import pytest

from engine.shared import live_protocol as live
from engine.shared import protocol
from engine.shared.errors import PaintoverError

REQUESTS = [
    protocol.ImportPictures(1, "/ß 日本", "in", guides={"ink lines": "/g"}, fps=23.976),
    protocol.Train(
        2,
        "shot",
        keys=[1, 30],
        settings={"batch": 4, "rate": 1e-3, "muon": False, "filter": True, "vgg": "/ß.pth"},
        live=protocol.LivePicture("/p", 3, 96, 64, 0.25),
        watch=live.LivePictures("/w", 960, 540, slots=3),
    ),
    protocol.TrainShow(2, -7, large=True),
    protocol.TrainKeep(2),
    protocol.Stylize(3, "shot", "ink", [1, 2], "exr", 16, True, "cpu", 0.25),
    protocol.Preview(4, "shot", "look", [1], [2, 3], "exr", 16, True),
    protocol.Suggest(6, "shot", [1, -3]),
    protocol.Sweep(5, "shot", "tried", 2.5, trials=3, paper=True, keys=[-1], seed=7),
    protocol.Cancel(4),
    live.Live(
        5,
        "shot",
        live.LivePictures("pictures", 512, 288, slots=12),
        -1,
        view=live.LivePictures("view", 384, 216, floats=False, bottom_first=False),
    ),
    live.LivePaint(5, 4, 1, "canvas", linear=True),
    live.LiveRevert(5, 5, 1),
    live.LiveReload(5, 6),
    live.LiveShow(5, 7, -2),
    live.LiveRange(5, [1, 2, 3]),
    live.LiveSettings(5, paused=True, share=0.5),
    live.LiveView(5, 8, "view"),
    live.LiveFinish(5, "ink"),
]
EVENTS = [
    protocol.Ready(0, "CPU (2 threads)", "0.1.0"),
    protocol.Progress(1, "train", 0.5, -1.0, 'Step 1\nof 2 "quoted"'),
    protocol.FrameDone(1, 7, "/ß/0007.png"),
    protocol.Picture(1, 7, 42),
    protocol.Warned(1, "Ein Satz."),
    protocol.Done(1, {"frames": 3, "guides": ["a"]}),
    protocol.Cancelled(1),
    protocol.Failed(1, "A sentence.", "Traceback\n  line"),
    live.LiveState(5, live.LEARNING, 1.5, 20, 1.9, 4),
    live.LiveShown(5, 7, -2, 0, 2, live.CARRIED, 4, 0.1),
    live.LiveCache(5, [1, 2], [3]),
    live.LiveViewed(5, 8, 2),
    live.LiveFinished(5, "ink", "ink.safetensors"),
]


def train_with(settings: object) -> str:
    return json.dumps({**json.loads(protocol.encode(REQUESTS[1])), "settings": settings})


@pytest.mark.parametrize("message", REQUESTS, ids=lambda message: type(message).__name__)
def test_requests_come_back(message):
    line = protocol.encode(message)
    assert line.endswith("\n")
    assert "\n" not in line[:-1]
    assert protocol.decode_request(line) == message


@pytest.mark.parametrize("message", EVENTS, ids=lambda message: type(message).__name__)
def test_events_come_back(message):
    line = protocol.encode(message)
    assert "\n" not in line[:-1]
    assert protocol.decode_event(line) == message


def test_every_kind_is_tried_here():
    assert {type(message).__name__ for message in REQUESTS} == set(protocol.REQUESTS)
    assert {type(message).__name__ for message in EVENTS} == set(protocol.EVENTS)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "Not a message"),
        ("{", "Not a message"),
        ("[1]", "Not a message"),
        ("7", "Not a message"),
        ('{"kind": "Cancel", "job": 1}', "Not a message"),
        ('{"version": 99, "kind": "Cancel", "job": 1}', "different versions"),
        ('{"version": 2, "kind": "Dance", "job": 1}', "Unknown message 'Dance'"),
        ('{"version": 2, "kind": "Ready", "job": 1}', "Unknown message 'Ready'"),
        ('{"version": 2, "kind": "Cancel", "job": 1, "how": 2}', "Unknown field 'how'"),
        ('{"version": 2, "kind": "Cancel"}', "field is missing"),
        ('{"version": 2, "kind": "Train", "job": 1}', "field is missing"),
        ('{"version": 2, "kind": "LiveSettings", "job": 1, "share": 3}', "share"),
        (train_with(5), "field is missing"),
        (train_with({"glitter": 1}), 'no setting "glitter"'),
        (train_with({"batch": "many"}), '"batch" must be a whole number'),
        (train_with({"muon": 1}), '"muon" must be true or false'),
    ],
)
def test_what_this_version_does_not_know_is_refused(line, words):
    with pytest.raises(PaintoverError, match=words):
        protocol.decode_request(line)


@pytest.mark.parametrize("live", [{"path": "p"}, {"path": "p", "frame": 1, "depth": 3}, 5, "x"])
def test_a_wrong_live_picture_is_refused(live):
    data = json.loads(protocol.encode(REQUESTS[1]))
    with pytest.raises(PaintoverError):
        protocol.decode_request(json.dumps({**data, "live": live}))


def test_the_size_of_a_live_picture():
    assert protocol.LivePicture("p", 1, 96, 64).size == 12 + 96 * 64 * 4
