# SPDX-License-Identifier: GPL-3.0-or-later
"""Several machines stylize the same frames: each is painted once, and nobody waits forever."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
import shots

from engine.jobs.frame_claims import FrameClaims
from engine.shared.claims import Claims
from engine.shared.errors import Cancelled
from engine.shared.manifest import FrameRecord
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.shared.shot_status import read_status

FRAMES = list(range(1, 9))
_OF_ANOTHER_MACHINE = (
    b'{"beat":                7, "token": "0123456789abcdef", "kernel": "k of another",'
    b' "machine": "farm-12", "process": 77, "since": "2026-11-28 10:00 UTC"}\n'
)


class Told(Silent):
    def __init__(self, stop_after: int = -1) -> None:
        self.texts: list[str] = []
        self._left = stop_after

    def progress(self, step, fraction, seconds_left, text):
        self.texts.append(text)

    def cancelled(self):
        self._left -= 1
        return self._left == -1


def paint(shot: Shot, frames: list[int], done: list[int], claims: FrameClaims) -> None:
    """Paint frames as ``stylize`` does, but for the pixels."""
    with claims:
        for round_ in claims.rounds(frames):
            for frame in claims.turns(round_):
                assert frame not in done
                time.sleep(0.005)
                done.append(frame)
                claims.release(frame)


def machine(shot: Shot, done: list[int], report: Silent | None = None, **claims: float):
    kept = Claims(**claims) if claims else None
    return FrameClaims(shot, "style", done.__contains__, report or Silent(), kept)


@pytest.fixture(scope="module")
def long_shot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight frames of 480×270 and a trained style."""
    folder = tmp_path_factory.mktemp("many") / "shot"
    shots.make_shot(folder, frames=8)
    assert shots.run_engine("train", folder, "--steps", 4).returncode == 0
    return folder


def test_two_processes_paint_each_frame_once(long_shot: Path, tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    shutil.copytree(long_shot, alone)
    assert shots.run_engine("stylize", alone).returncode == 0
    workers = [
        shots.start_engine("stylize", long_shot, "--frames", frames) for frames in ("1-8", "3-8")
    ]
    seen = []
    while any(worker.poll() is None for worker in workers):
        time.sleep(0.01)
        seen += read_status(long_shot)["styles"]["style"]["painting"]
    told = [worker.communicate()[0] for worker in workers]
    assert [worker.returncode for worker in workers] == [0, 0]
    painted = [int(re.search(r"(\d+) frames? painted", out)[1]) for out in told]
    assert sum(painted) == 8
    out = Path("out") / "style"
    for frame in FRAMES:
        name = f"{frame:04d}.png"
        assert (long_shot / out / name).read_bytes() == (alone / out / name).read_bytes()
    assert {who["process"] for who in seen} <= {worker.pid for worker in workers}
    assert seen
    assert not list((long_shot / out / "made").glob(".*"))
    status = read_status(long_shot)["styles"]["style"]
    assert (status["painted"], status["missing"], status["painting"]) == ("1-8", "", [])


def test_in_opposite_orders_nobody_waits_forever(long_shot: Path) -> None:
    shot, done = Shot.open(long_shot), []
    orders = [FRAMES, FRAMES[::-1], FRAMES[4:] + FRAMES[:4]]
    threads = [
        threading.Thread(target=paint, args=(shot, order, done, machine(shot, done)))
        for order in orders
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert Counter(done) == dict.fromkeys(FRAMES, 1)


def test_the_frames_of_a_machine_that_is_gone_are_painted(long_shot: Path) -> None:
    shot, done, report = Shot.open(long_shot), [], Told()
    claim = shot.frame_claim_path("style", 3)
    claim.parent.mkdir(parents=True, exist_ok=True)
    claim.write_bytes(_OF_ANOTHER_MACHINE)
    status = read_status(long_shot)["styles"]["style"]["painting"]
    who = {"machine": "farm-12", "process": 77, "since": "2026-11-28 10:00 UTC"}
    assert status[0].pop("last_sign") < 20
    assert status == [{**who, "frames": "3"}]
    paint(shot, [2, 3, 4], done, machine(shot, done, report, beat=0.05, stale=0.4))
    assert done == [2, 4, 3]
    assert "Waiting for 1 frame of process 77 on farm-12" in report.texts[0]


def test_claims_on_frames_that_are_done_go_with_the_next_run(long_shot: Path) -> None:
    """A process that is killed between a frame's record and its claim leaves the claim."""
    shot = Shot.open(long_shot)
    assert shots.run_engine("stylize", long_shot).returncode == 0
    left, held = (shot.frame_claim_path("style", frame) for frame in (2, 3))
    killed = (
        "import os, pathlib, signal, sys\nfrom engine.shared.claims import Claims\n"
        "Claims().take(pathlib.Path(sys.argv[1]))\nos.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", killed, str(left)], check=False)
    assert left.is_file()
    assert read_status(long_shot)["styles"]["style"]["painting"] == []
    with Claims() as claims:
        assert claims.take(held) is None
        assert "0 frames painted" in shots.run_engine("stylize", long_shot).stdout
        assert not left.exists() and claims.is_ours(held)


def test_who_waits_for_a_living_machine_can_be_cancelled(long_shot: Path) -> None:
    shot, done = Shot.open(long_shot), []
    with Claims() as other:
        assert other.take(shot.frame_claim_path("style", 3)) is None
        with pytest.raises(Cancelled):
            paint(shot, [3, 4], done, machine(shot, done, Told(stop_after=3)))
        assert done == [4]
        assert other.is_ours(shot.frame_claim_path("style", 3))


def test_what_another_has_painted_meanwhile_is_not_painted_again(long_shot: Path) -> None:
    shot, done = Shot.open(long_shot), [1, 2]
    claims = machine(shot, done)
    with claims:
        assert list(claims.turns([1, 2, 3])) == [3]


def test_status_of_a_long_shot_and_of_strange_files(tmp_path: Path) -> None:
    shot = shots.make_shot(tmp_path / "shot", frames=2)
    shot.manifest.frames.update({frame: FrameRecord("0" * 32) for frame in range(3, 5001)})
    shot.save()
    made = shot.out_record_path("ink", 1).parent
    made.mkdir(parents=True)
    for frame in (1, 2, 7):
        shot.out_path("ink", frame).write_bytes(b"")
    for frame in (1, 2):
        shot.out_record_path("ink", frame).write_bytes(b"{}")
    (made / ".evil.claim").write_bytes(_OF_ANOTHER_MACHINE)
    (made / ".0004.claim").write_bytes(b"\0 nonsense")
    (shot.folder / "styles").mkdir(exist_ok=True)
    (shot.folder / "styles" / ".ink.claim").write_bytes(_OF_ANOTHER_MACHINE)
    result = shots.run_warm("status", shot.folder, "--json")
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    ink = told["styles"]["ink"]
    assert (told["frames"], ink["painted"], ink["missing"]) == ("1-5000", "1-2", "3-5000")
    assert ink["training"]["machine"] == "farm-12"
    assert ink["painting"] == []
    claim = shot.sweep_folder("deep") / ".trial-4.claim"
    with Claims() as claims:
        assert claims.take(claim) is None
        claim.with_name(".trial-7.claim").write_bytes(_OF_ANOTHER_MACHINE)
        seconds = time.time() - 600
        os.utime(claim.with_name(".trial-7.claim"), (seconds, seconds))
        words = shots.run_warm("status", shot.folder).stdout
        told = json.loads(shots.run_warm("status", shot.folder, "--json").stdout)["sweeps"]
    assert [one["trial"] for one in told["deep"]] == [4, 7]
    assert f'trial 5 of the sweep "deep" is tried by process {os.getpid()} on ' in words
    since = "process 77 on farm-12 since 2026-11-28 10:00 UTC"
    assert f'trial 8 of the sweep "deep" is tried by {since}, last sign 10 min' in words
    assert "trained by process 77 on farm-12 since 2026-11-28 10:00 UTC" in words
    assert "missing    3-5000" in words
