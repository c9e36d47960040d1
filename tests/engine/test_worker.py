# SPDX-License-Identifier: GPL-3.0-or-later
"""The worker as Blender sees it: a real process, JSON lines in and out, its log on stderr."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import threading

import numpy as np
import pytest
import shots

from engine.shared import protocol
from engine.shared.shot import Shot


class Worker:
    """A running worker and what it has said so far."""

    def __init__(self) -> None:
        self.process = shots.start_engine("worker")
        self.log: list[str] = []
        self._reader = threading.Thread(target=self._read_log, daemon=True)
        self._reader.start()

    def _read_log(self) -> None:
        self.log.extend(self.process.stderr)

    def send(self, message: protocol.Request | str) -> None:
        line = message if isinstance(message, str) else protocol.encode(message)
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def next(self) -> protocol.Event:
        line = self.process.stdout.readline()
        assert line, "the worker has ended:\n" + "".join(self.log)
        return protocol.decode_event(line)

    def until(self, *kinds: type[protocol.Event]) -> list[protocol.Event]:
        """Read events up to the first of these kinds."""
        events = [self.next()]
        while not isinstance(events[-1], kinds):
            events.append(self.next())
        return events

    def end(self) -> int:
        """Close its input, and return its exit code."""
        self.process.stdin.close()
        return self.process.wait(60)


@pytest.fixture
def worker():
    worker = Worker()
    yield worker
    worker.process.kill()
    worker.process.wait()
    for stream in (worker.process.stdin, worker.process.stdout):
        stream.close()


@pytest.fixture
def ready(worker):
    assert isinstance(worker.next(), protocol.Ready)
    return worker


@pytest.fixture
def shot(tmp_path):
    return shots.make_shot(tmp_path / "shot")


def test_it_says_ready_names_the_device_and_ends_with_its_input(worker):
    event = worker.next()
    assert isinstance(event, protocol.Ready)
    assert event.device
    assert event.engine_version == "0.1.0"
    assert worker.end() == 0


def test_a_shot_from_pictures_to_frames(ready, tmp_path):
    folder = shots.make_inputs(tmp_path / "Ordner mit Ümläuten")
    target = tmp_path / "shot"
    ready.send(
        protocol.ImportPictures(
            1, str(target), str(folder / "input"), str(folder / "painted"), str(folder / "mask")
        )
    )
    done = ready.until(protocol.Done, protocol.Failed)[-1]
    assert isinstance(done, protocol.Done), done
    assert Shot.open(target).frames == [1, 2, 3, 4]

    ready.send(protocol.Train(2, str(target), steps=6))
    events = ready.until(protocol.Done, protocol.Failed)
    assert isinstance(events[-1], protocol.Done), events[-1]
    assert {event.job for event in events} == {2}
    fractions = [event.fraction for event in events if isinstance(event, protocol.Progress)]
    assert fractions
    assert fractions == sorted(fractions)
    assert all(0 <= fraction <= 1 for fraction in fractions)

    ready.send(protocol.Stylize(3, str(target)))
    events = ready.until(protocol.Done, protocol.Failed)
    assert isinstance(events[-1], protocol.Done), events[-1]
    frames = [event for event in events if isinstance(event, protocol.FrameDone)]
    assert sorted(event.frame for event in frames) == [1, 2, 3, 4]
    assert all(shots.Path(event.path).is_file() for event in frames)

    ready.send(protocol.Preview(4, str(target), frames=[1, 3]))
    events = ready.until(protocol.Done, protocol.Failed)
    assert isinstance(events[-1], protocol.Done), events[-1]
    assert [event.frame for event in events if isinstance(event, protocol.FrameDone)] == [1, 3]
    assert ready.end() == 0


def test_live_pictures_come_whole_through_the_file(ready, shot, tmp_path):
    path = tmp_path / "live"
    live = protocol.LivePicture(str(path), 3, shots.WIDTH, shots.HEIGHT)
    path.write_bytes(live.HEADER.pack(7, 0, 0) + bytes(live.size - live.HEADER.size))
    ready.send(protocol.Train(1, str(shot.folder), steps=8, live=live))
    events = ready.until(protocol.Done, protocol.Failed)
    assert isinstance(events[-1], protocol.Done), events[-1]
    pictures = [event for event in events if isinstance(event, protocol.Picture)]
    assert pictures
    assert {event.frame for event in pictures} == {3}
    sequences = [event.sequence for event in pictures]
    assert sequences == sorted(set(sequences))
    assert all(sequence % 2 == 0 for sequence in sequences)
    data = path.read_bytes()
    assert live.HEADER.unpack_from(data) == (sequences[-1], shots.WIDTH, shots.HEIGHT)
    pixels = np.frombuffer(data, np.uint8, offset=live.HEADER.size)
    pixels = pixels.reshape(shots.HEIGHT, shots.WIDTH, 4)
    alpha = shots.picture(3)[..., 3]
    assert np.array_equal(pixels[..., 3] > 127, alpha > 0.5)
    assert pixels[alpha > 0.5][:, :3].std() > 1


def test_a_live_file_that_is_too_small_is_a_warning(ready, shot, tmp_path):
    path = tmp_path / "live"
    path.write_bytes(b"small")
    live = protocol.LivePicture(str(path), 2, shots.WIDTH, shots.HEIGHT)
    ready.send(protocol.Train(1, str(shot.folder), steps=4, live=live))
    events = ready.until(protocol.Done, protocol.Failed)
    assert isinstance(events[-1], protocol.Done), events[-1]
    assert [event.sentence for event in events if isinstance(event, protocol.Warned)] != []
    assert path.read_bytes() == b"small"


def test_cancel_is_heard_during_a_job_and_the_next_job_runs(ready, shot):
    ready.send(protocol.Train(5, str(shot.folder), seconds=600))
    ready.until(protocol.Progress)
    ready.send(protocol.Cancel(4))  # not this job: ignored
    ready.send(protocol.Train(6, str(shot.folder), seconds=600))
    refused = ready.until(protocol.Failed)[-1]
    assert refused.job == 6
    assert "busy with job 5" in refused.sentence
    ready.send(protocol.Cancel(5))
    ended = ready.until(protocol.Cancelled, protocol.Done, protocol.Failed)[-1]
    assert isinstance(ended, protocol.Cancelled), ended
    assert ended.job == 5
    ready.send(protocol.Train(7, str(shot.folder), steps=2))
    assert isinstance(ready.until(protocol.Done, protocol.Failed)[-1], protocol.Done)


def test_closing_its_input_during_a_job_ends_it(ready, shot):
    ready.send(protocol.Train(1, str(shot.folder), seconds=600))
    ready.until(protocol.Progress)
    ready.process.stdin.close()
    assert isinstance(ready.until(protocol.Cancelled, protocol.Done)[-1], protocol.Cancelled)
    assert ready.process.wait(60) == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_130(ready, number):
    ready.process.send_signal(number)
    assert ready.process.wait(60) == 130


def test_a_signal_during_a_job_cancels_it_first(ready, shot):
    ready.send(protocol.Train(1, str(shot.folder), seconds=600))
    ready.until(protocol.Progress)
    ready.process.send_signal(signal.SIGTERM)
    assert isinstance(ready.until(protocol.Cancelled, protocol.Done)[-1], protocol.Cancelled)
    assert ready.process.wait(60) == 130


WRONG_LINES = {
    "no JSON": ("hello\n", "Not a message"),
    "not an object": ("[1, 2]\n", "Not a message"),
    "not UTF-8": ('{"version": 2, "kind": "\udcff"}\n', "Unknown message"),
    "unknown kind": ('{"version": 2, "kind": "Bake", "job": 1}\n', "Unknown message 'Bake'"),
    "kind of another type": ('{"version": 2, "kind": ["Train"], "job": 1}\n', "Unknown message"),
    "unknown field": (
        '{"version": 2, "kind": "Cancel", "job": 1, "hard": true}\n',
        "Unknown field 'hard'",
    ),
    "missing field": ('{"version": 2, "kind": "Train", "job": 1}\n', "missing"),
    "wrong live picture": (
        '{"version": 2, "kind": "Train", "job": 1, "shot": "x", "live": {"path": "y"}}\n',
        "missing or wrong",
    ),
    "another version": ('{"version": 99, "kind": "Cancel", "job": 1}\n', "different versions"),
}


def test_wrong_lines_are_answered_and_survived(ready):
    for line, words in WRONG_LINES.values():
        ready.process.stdin.buffer.write(line.encode("utf-8", "surrogateescape"))
        ready.process.stdin.buffer.flush()
        event = ready.next()
        assert isinstance(event, protocol.Failed), line
        assert event.job == protocol.job_of_line(line)
        assert words in event.sentence
    ready.send("\n")
    assert ready.end() == 0


def test_the_job_of_a_refused_line_is_read_if_it_can_be():
    assert protocol.job_of_line('{"version": 9, "job": 3, "more": [1]}') == 3
    for line in ("", "{", "[3]", '{"job": "3"}', '{"job": -3}', '{"job": true}', "[" * 5000):
        assert protocol.job_of_line(line) == 0


def test_an_error_is_a_sentence_and_the_log_has_the_rest(ready, tmp_path):
    ready.send(protocol.Train(1, str(tmp_path / "nowhere")))
    event = ready.until(protocol.Failed)[-1]
    assert event.job == 1
    assert "nowhere holds no shot yet" in event.sentence
    assert "Traceback" in event.detail
    ready.send('{"version": 2, "kind": "Stylize", "job": 2, "shot": 5}\n')
    event = ready.until(protocol.Failed)[-1]
    assert event.job == 2
    assert "shot: no text" in event.sentence
    ready.end()
    assert "Traceback" in "".join(ready.log)
    lines = [
        re.match(r"[\d-]{10} [\d:,]{12} (\w+) engine\.app\.worker: (.*)", line)
        for line in ready.log
    ]
    told = [line.groups() for line in lines if line]
    assert told[0][0] == "INFO" and told[0][1].startswith("Paintover ")
    assert ("ERROR", "Job 1 failed") in told
    assert any(level == "ERROR" and "Job 2 is refused" in text for level, text in told)


PRINTING_LIBRARY = """
import os, sys
import engine.jobs.import_pictures
def chatty(request, report):
    print("a library says hello")
    os.write(1, b"and so does its C part\\n")
    os.system("echo and a child of it")
    return {}
engine.jobs.import_pictures.import_pictures = chatty
from engine.app import worker
sys.exit(worker.main())
"""


def test_what_libraries_print_does_not_spoil_the_protocol():
    request = protocol.encode(protocol.ImportPictures(1, "shot", "input"))
    process = subprocess.Popen(
        [shots.sys.executable, "-c", PRINTING_LIBRARY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        cwd=shots.ROOT,
    )
    process.stdin.write(request)
    process.stdin.flush()
    lines = [process.stdout.readline() for _ in range(2)]
    rest, log = process.communicate()
    assert [json.loads(line)["kind"] for line in lines] == ["Ready", "Done"]
    assert rest == ""
    assert "hello" in log
    assert "C part" in log
    assert "child of it" in log
