# SPDX-License-Identifier: GPL-3.0-or-later
"""Claims: one holder at a time, none that sticks, whatever clocks, locks and numbers say."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time

import pytest
import shots
from shots import assert_one_sentence, start_engine, wait_until

from engine.shared import claim_file
from engine.shared.claims import Claims, holder_of, is_held
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.reporter import Silent
from engine.shared.temporary import is_temporary
from engine.training.training_claim import TrainingClaim

QUICK = {"beat": 0.02, "stale": 0.4}
_HOLDS = """
import sys, time
from pathlib import Path
from engine.shared.claims import Claims
claims = Claims(0.02, 0.4)
print(claims.take(Path(sys.argv[1])), flush=True)
time.sleep(100)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "styles" / ".ink.claim"


@pytest.fixture
def far_away(monkeypatch):
    """Let claims know no locks, and this process run on another machine than those before."""
    monkeypatch.setattr(claim_file, "try_lock", lambda _: None)
    monkeypatch.setattr(claim_file, "kernel", lambda: f"other {time.monotonic_ns()}")


def hold(path):
    """Start a process that holds a claim."""
    process = subprocess.Popen(
        [sys.executable, "-c", _HOLDS, str(path)],
        stdout=subprocess.PIPE,
        cwd=shots.ROOT,
        encoding="utf-8",
    )
    assert process.stdout.readline().strip() == "None"
    return process


def end(process, number=signal.SIGKILL):
    process.send_signal(number)
    process.communicate()


def test_one_holder_and_nothing_left(path):
    with Claims(**QUICK) as first, Claims(**QUICK) as second:
        assert first.take(path) is None and first.take(path) is None
        holder = second.take(path)
        assert holder.is_sure and holder.process == os.getpid()
        assert str(holder) == str(holder_of(path)) and f"process {os.getpid()} on" in str(holder)
        assert first.is_ours(path) and not second.is_ours(path)
        first.release(path)
        assert second.take(path) is None
    assert list(path.parent.iterdir()) == []
    assert holder_of(path) is None


def test_a_killed_holder_of_this_machine_is_followed_at_once(path):
    process = hold(path)
    with Claims() as ours:
        assert ours.take(path).process == process.pid
        end(process)
        assert ours.take(path) is None
    assert list(path.parent.iterdir()) == []


def test_a_killed_holder_of_another_machine_is_followed_when_it_shows_no_life(path, far_away):
    process = hold(path)
    with Claims(**QUICK) as ours:
        assert not ours.take(path).is_sure
        assert ours.settle(path).process == process.pid
        end(process)
        assert ours.take(path) is not None
        while ours.take(path) is not None:
            time.sleep(0.01)
        assert holder_of(path).process == os.getpid()


def test_whether_a_holder_lives_is_seen_without_touching_its_claim(path):
    assert not is_held(path)
    process = hold(path)
    assert all(is_held(path) for _ in range(50))
    with Claims(**QUICK) as other:
        assert other.take(path).process == process.pid
    end(process)
    left = path.read_bytes()
    assert not is_held(path)
    assert path.read_bytes() == left
    with Claims(**QUICK) as ours:
        assert ours.take(path) is None and is_held(path)


def test_a_holder_elsewhere_lives_as_long_as_it_shows_life(path, far_away):
    process = hold(path)
    until = time.monotonic() + 1
    while time.monotonic() < until:
        assert is_held(path, 20.0)
        time.sleep(0.02)
    end(process)
    while is_held(path, 0.4):
        time.sleep(0.01)


def test_clocks_do_not_count(path, far_away, monkeypatch):
    process = hold(path)
    try:
        for wrong in (-1e6, 1e6):
            monkeypatch.setattr(time, "time", lambda wrong=wrong: wrong)
            os.utime(path, (1e9 + wrong, 1e9 + wrong))
            with Claims(**QUICK) as ours:
                assert ours.settle(path).process == process.pid
    finally:
        end(process)


def test_a_suspended_holder_finds_that_it_has_lost(path, far_away):
    with Claims(**QUICK) as ours:
        ours.take(path)
        ours._stop.set()  # as if suspended
        time.sleep(2 * QUICK["beat"])
        with Claims(**QUICK) as other:
            assert other.settle(path) is None
            assert other.is_ours(path) and not ours.is_ours(path)
            ours.release(path)
            assert other.is_ours(path)
    assert list(path.parent.iterdir()) == []


def test_of_many_that_follow_a_killed_one_a_single_one_holds(path, far_away):
    process = hold(path)
    end(process)
    many = [Claims(**QUICK) for _ in range(8)]
    found = {}
    threads = [
        threading.Thread(target=lambda n=n, one=one: found.update({n: one.settle(path)}))
        for n, one in enumerate(many)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    time.sleep(4 * QUICK["beat"])
    assert sum(one.is_ours(path) for one in many) == 1
    assert sum(holder is None for holder in found.values()) >= 1
    for one in many:
        one.close()
    assert [one for one in path.parent.iterdir() if not is_temporary(one.name)] == []


def test_a_claim_that_was_deleted_is_made_anew(path):
    with Claims(**QUICK) as ours, Claims(**QUICK) as other:
        ours.take(path)
        path.unlink()
        assert ours.is_ours(path) and path.is_file()
        assert other.take(path) is not None
        path.unlink()
        path.parent.rmdir()
        assert ours.is_ours(path)


@pytest.mark.parametrize("content", [b"", b"{}", b"\xff", b"[" * 999, b"x" * 5000])
def test_a_claim_that_is_none_is_followed_too(path, content):
    path.parent.mkdir()
    path.write_bytes(content)
    assert str(holder_of(path)) == "another process"
    with Claims(**QUICK) as ours:
        assert not ours.take(path).is_sure
        assert ours.settle(path) is None


@pytest.mark.skipif(os.name == "nt", reason="links and pipes as on POSIX")
def test_what_is_no_file_is_replaced_and_not_followed(path, tmp_path):
    path.parent.mkdir()
    mine = tmp_path / "mine"
    mine.write_text("mine")
    for make in (lambda: path.symlink_to(mine), lambda: os.mkfifo(path)):
        make()
        with Claims(**QUICK) as ours:
            assert ours.take(path) is None
    assert mine.read_text() == "mine"
    path.mkdir()
    with Claims(**QUICK) as ours, pytest.raises(PaintoverError, match=r"ink\.claim"):
        ours.take(path)


def test_a_name_from_a_claim_begins_no_line(path):
    with Claims(**QUICK) as ours:
        ours.take(path)
        data = json.loads(path.read_text())
    data["machine"] = "a\nopenjd_env: A=b"
    path.write_text(json.dumps(data))
    assert "\n" not in str(holder_of(path)) and "openjd_env" in str(holder_of(path))


def test_the_second_training_of_a_style_is_refused_and_names_the_first(tmp_path):
    shot = shots.make_shot(tmp_path / "shot")
    first = start_engine("train", shot.folder, "--steps", 100_000, "--network", "small")
    claim = shot.training_claim_path("style")
    try:
        wait_until(claim.is_file, first)
        refused = shots.run_warm("train", shot.folder, "--steps", 1)
        assert_one_sentence(refused, "being trained", f"process {first.pid} on", "UTC")
        other = shots.run_warm(
            "train", shot.folder, "--style", "other", "--steps", 1, "--network", "small"
        )
        assert other.returncode == 0
    finally:
        end(first)
    assert claim.is_file()
    again = shots.run_warm("train", shot.folder, "--steps", 1, "--network", "small")
    assert again.returncode == 0, again.stderr
    assert [path for path in shot.folder.rglob(".*") if path.name != ".shot.json.lock"] == []


def test_a_training_that_lost_its_claim_writes_nothing_more(tmp_path, monkeypatch):
    shot = shots.make_shot(tmp_path / "shot")
    with TrainingClaim(shot, "ink", Silent()) as claim:
        claim.check()
        path = shot.training_claim_path("ink")
        other = json.loads(path.read_text()) | {"token": "0" * 16, "machine": "render3"}
        path.unlink()
        path.write_text(json.dumps(other))
        with pytest.raises(PaintoverError, match="render3"):
            claim.check()
    assert path.is_file()


def test_waiting_for_signs_of_life_can_be_cancelled(tmp_path, far_away):
    class Impatient(Silent):
        def __init__(self):
            self.said = []

        def progress(self, step, fraction, seconds_left, text):
            self.said.append(text)

        def cancelled(self):
            return bool(self.said)

    shot = shots.make_shot(tmp_path / "shot")
    end(hold(shot.training_claim_path("ink")))
    report = Impatient()
    with pytest.raises(Cancelled), TrainingClaim(shot, "ink", report):
        pass
    assert "earlier training by process" in report.said[0]
