# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines that the worker gets: however strange, it answers in a sentence, and hears the next."""

from __future__ import annotations

import io
import json
import math
from pathlib import Path

import pytest

from benchmarks.faults.subjects import make_shot
from engine.app.worker import Worker
from engine.jobs.train import train
from engine.shared import protocol
from engine.shared.errors import PaintoverError
from engine.shared.reporter import Silent
from engine.training.budget import Budget


def answers(lines: bytes) -> list[protocol.Event]:
    events = io.BytesIO()
    assert Worker(events).run(io.BytesIO(lines)) == 0
    return [protocol.decode_event(line) for line in events.getvalue().decode().splitlines()]


def test_the_worker_hears_on_after_strange_lines():
    strange = (
        *(b"[" * 200_000, b'{"a":' * 100_000, b"\xff\xfe\x00", b'"\\ud800"', b"7" * 9000),
        b"x" * (protocol.MOST_LINE + 5_000_000),
        b'{"version": 2, "kind": "Stylize", "job": 1, "shot": 5}',
        b'{"version": 2, "kind": "Stylize", "job": 1, "shot": "a\\u0000b"}',
        b'{"version": 2, "kind": "Train", "job": 1, "shot": "s", "seconds": NaN}',
        b'{"version": 2, "kind": "Train", "job": 1, "shot": "s", "keys": [1e300]}',
    )
    last = b'{"version": 99, "kind": "Cancel", "job": 1}'
    ready, *failed = answers(b"\n".join([*strange, b"", last]))
    assert isinstance(ready, protocol.Ready)
    assert len(failed) == len(strange) + 1
    for event in failed:
        assert isinstance(event, protocol.Failed)
        assert "\n" not in event.sentence and len(event.sentence) < 600
    assert "different versions" in failed[-1].sentence


@pytest.mark.parametrize("seconds", [-5, -1e-9, math.inf, math.nan])
def test_a_time_that_never_ends_is_refused(tmp_path: Path, seconds: float):
    with pytest.raises(PaintoverError, match="give a number above 0"):
        Budget.of(0, seconds)
    with pytest.raises(PaintoverError, match="give a number above 0"):
        Budget.of(-3, 0.0)
    shot = make_shot(tmp_path / "shot")
    request = protocol.Train(1, str(shot.folder), seconds=seconds, network="small", device="cpu")
    with pytest.raises(PaintoverError, match="give a number above 0"):
        train(request, Silent())
    assert not (shot.folder / "styles" / "style.safetensors").exists()


def test_messages_with_numbers_that_are_none_are_refused():
    data = json.loads(protocol.encode(protocol.Train(1, "shot")))
    for name, value in (("seconds", math.inf), ("steps", 1.5), ("seed", -1), ("keys", [1 << 40])):
        line = json.dumps({**data, name: value})
        with pytest.raises(PaintoverError, match=r"wrong|Not a message"):
            protocol.decode_request(line)
