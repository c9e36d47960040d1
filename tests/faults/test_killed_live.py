# SPDX-License-Identifier: GPL-3.0-or-later
"""What a killed live session leaves is gone after the next one; a second one changes nothing."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults.checks import leftovers, torn_files
from benchmarks.faults.counts import contents
from benchmarks.faults.subjects import make_shot
from engine.app.terminal import Terminal
from engine.app.verbs.live import watch
from engine.shared import live_protocol
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.files import digest_file
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.training.training_claim import TrainingClaim


def _session(shot: Path, seconds: float, output: Path | None = None) -> str:
    """Run a session, and return what it wrote to the standard error."""
    errors = io.StringIO()
    terminal = Terminal("none", out=io.StringIO(), err=errors)
    with contextlib.suppress(Cancelled):
        watch(
            shot,
            terminal,
            style="ink",
            frame=2,
            output=output,
            seconds=seconds,
            device="cpu",
            share=1.0,
            seed=0,
        )
    return errors.getvalue()


def test_what_a_killed_session_leaves_is_gone_after_the_next(tmp_path):
    shot = make_shot(tmp_path / "shot").folder
    left = [shot / "live/.0002.0123456789abcdef.tmp.raw", shot / "keys/.0001.0123456789abcdef.tmp"]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    painted = contents(shot / "keys")
    _session(shot, 0.5)
    assert leftovers(shot) == []
    assert torn_files(shot) == []
    assert contents(shot / "keys").items() <= painted.items()


def test_a_session_on_a_style_that_is_trained_is_refused_or_waits(tmp_path):
    shot = make_shot(tmp_path / "shot").folder
    with TrainingClaim(Shot.open(shot), "ink", Silent()):
        before = contents(shot)
        with pytest.raises(PaintoverError, match="ink"):
            _session(shot, 0.5)
        assert contents(shot) == before


def _write_elsewhere(shot: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a session that shows one picture at once."""

    def shows(request: live_protocol.Live, link: Any) -> None:
        link.send(live_protocol.LiveShown(0, 1, 2, 0, 2, live_protocol.NETWORK, 0, 0.0))

    monkeypatch.setattr("engine.app.verbs.live.live", shows)
    _session(shot, 0.5, output)


def test_a_session_replaces_no_picture_of_others(tmp_path, monkeypatch):
    shot = make_shot(tmp_path / "shot").folder
    other = make_shot(tmp_path / "other").folder
    (tmp_path / "link").symlink_to(shot / "frames")
    stranger = tmp_path / "holiday.png"
    stranger.write_bytes((shot / "frames" / "0001.png").read_bytes())
    before = contents(tmp_path)
    for output, told in (
        (shot / "keys" / "0001.png", "among the files of a shot"),
        (shot / "frames" / "0003.png", "among the files of a shot"),
        (shot / "keys" / "0099.png", "among the files of a shot"),
        (other / "keys" / "0099.png", "among the files of a shot"),
        (shot / "live" / ".." / "keys" / "0099.png", "among the files of a shot"),
        (tmp_path / "link" / "0099.png", "among the files of a shot"),
        (stranger, "is not as live has written it"),
    ):
        with pytest.raises(PaintoverError, match=told):
            _write_elsewhere(shot, output, monkeypatch)
        assert contents(tmp_path) == before


def test_a_session_replaces_its_own_picture_until_somebody_changes_it(tmp_path, monkeypatch):
    shot = make_shot(tmp_path / "shot").folder
    output = tmp_path / "seen.png"
    for _ in range(2):
        _write_elsewhere(shot, output, monkeypatch)
        assert output.is_file()
    retouched = (shot / "frames" / "0001.png").read_bytes()
    output.write_bytes(retouched)
    with pytest.raises(PaintoverError, match="is not as live has written it"):
        _write_elsewhere(shot, output, monkeypatch)
    assert output.read_bytes() == retouched
    _write_elsewhere(shot, shot / "live" / "mine.png", monkeypatch)


def test_a_picture_that_is_changed_while_it_is_shown_stays(tmp_path, monkeypatch):
    shot, output = make_shot(tmp_path / "shot").folder, tmp_path / "seen.png"
    retouched = (shot / "frames" / "0001.png").read_bytes()
    seen = []

    def shows(request: live_protocol.Live, link: Any) -> None:
        for change in (None, lambda: output.write_bytes(retouched), None, output.unlink):
            if change:
                change()
            link.send(live_protocol.LiveShown(0, 1, 2, 0, 2, live_protocol.NETWORK, 0, 0.0))
            seen.append(output.read_bytes())

    monkeypatch.setattr("engine.app.verbs.live.live", shows)
    told = _session(shot, 0.5, output)
    assert seen[1:3] == [retouched] * 2 and seen[0] == seen[3] != retouched
    assert told.count(f"{output} was changed while live wrote it, so it stays") == 1


_KILLED = """
import os, pathlib, sys
from engine.app.terminal import Terminal
from engine.app.verbs import live as verb
from engine.shared import live_protocol

shot, output, moment = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), sys.argv[3]
replace = pathlib.Path.replace

def replaced(path, target):
    if moment == "before" and target == output:
        os._exit(9)
    found = replace(path, target)
    if target == output:
        os._exit(9)
    return found

def shows(request, link):
    link.send(live_protocol.LiveShown(0, 1, 2, 0, 2, live_protocol.NETWORK, 0, 0.0))

pathlib.Path.replace, verb.live = replaced, shows
words = {"style": "ink", "frame": 2, "output": output, "seconds": 0.5}
verb.watch(shot, Terminal("none"), **words, device="cpu", share=1.0, seed=0)
"""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_session_replaces_the_picture_of_one_that_was_killed(tmp_path, monkeypatch, moment):
    shot = make_shot(tmp_path / "shot").folder
    output = tmp_path / "seen.png"
    paths = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for _ in range(2):
        command = [sys.executable, "-c", _KILLED, shot, output, moment]
        assert subprocess.run(command, env=paths, check=False).returncode == 9
        assert output.is_file() == (moment == "after")
        _write_elsewhere(shot, output, monkeypatch)
        output.unlink() if moment == "before" else output.write_bytes(output.read_bytes())


def test_what_an_earlier_version_noted_of_a_picture_counts(tmp_path, monkeypatch):
    shot = make_shot(tmp_path / "shot").folder
    output = tmp_path / "seen.png"
    output.write_bytes(b"old")
    (shot / "live").mkdir()
    (shot / "live" / "outputs.json").write_text(json.dumps({str(output): digest_file(output)}))
    _write_elsewhere(shot, output, monkeypatch)
    assert output.read_bytes() != b"old"
