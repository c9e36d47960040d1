# SPDX-License-Identifier: GPL-3.0-or-later
"""The benchmark of faults: kills are survived, and what it looks for is found."""

from __future__ import annotations

import dataclasses
import json
import shutil

import pytest

from benchmarks.faults import __main__ as faults
from benchmarks.faults.checks import leftovers, torn_files
from benchmarks.faults.engine_runs import Ended
from benchmarks.faults.jobs import Job, check_again, check_end, check_stopped
from benchmarks.faults.outcome import COLUMNS, Outcome, to_markdown
from benchmarks.faults.small_shots import contents, make_inputs


@pytest.fixture
def job(tmp_path):
    make_inputs(tmp_path / "template" / "inputs")
    (tmp_path / "template" / "keys").mkdir()
    painting = tmp_path / "template" / "inputs" / "painted" / "0001.png"
    shutil.copy(painting, tmp_path / "template" / "keys")
    made = Job("copy", tmp_path / "template", ("stylize",), ("inputs",))
    made.copy_to(tmp_path / "shot")
    return made


def test_kills_of_imports_lose_nothing(tmp_path, monkeypatch):
    few = dataclasses.replace(faults._EXTENTS["short"], kills={"import": 2, "import again": 1})
    monkeypatch.setitem(faults._EXTENTS, "short", few)
    file, page = tmp_path / "faults.json", tmp_path / "page.md"
    words = ["--short", "--only", "kills", "--json", str(file), "--write", str(page)]
    assert faults.main(words) == 0
    rows = json.loads(file.read_text())
    assert [row["class"] for row in rows] == ["killed: import", "killed: import again"]
    for row in rows:
        assert row["tried"] >= 1
        assert [row[name] for name in COLUMNS[1:]] == [0, 0, 0, 0]
    assert "| killed: import |" in page.read_text()


def test_what_is_lost_torn_or_left_over_is_counted(tmp_path, job):
    shot, outcome = tmp_path / "shot", Outcome("all", "")
    right, safe = contents(shot, *job.parts), job.safe_contents(shot)
    check_stopped(outcome, job, shot, safe, "nothing")
    check_again(outcome, Ended(0, "", 1.0, 0), job, shot, right, "nothing")
    nothing = {"class": "all", **dict.fromkeys(COLUMNS, 0), "measured": "", "how": ""}
    assert outcome.as_data() == nothing
    picture = shot / "inputs" / "input" / "0002.png"
    picture.write_bytes(picture.read_bytes()[:-20])
    (shot / "keys" / "0001.png").write_bytes(b"another")
    (shot / ".0001.0123456789abcdef.tmp.png").write_bytes(b"half")
    assert torn_files(shot) == [picture, shot / "keys" / "0001.png"]
    assert [path.name for path in leftovers(shot)] == [".0001.0123456789abcdef.tmp.png"]
    check_stopped(outcome, job, shot, safe, "hurt")
    check_again(outcome, Ended(0, "", 1.0, 1), job, shot, right, "hurt")
    check_again(outcome, Ended(1, "Cannot write it.", 1.0, 0), job, shot, right, "hurt")
    assert (outcome.lost, outcome.torn, outcome.unforeseen) == (3, 2, 2)
    assert "| all | 0 | 3 | 2 | 2 | 0 |" in to_markdown([outcome])


@pytest.mark.parametrize(
    "code, err, is_right",
    [
        (0, "Warning: something.\n", True),
        (-9, "", True),
        (1, "Warning: something.\nCannot write it; free some space.\n", True),
        (1, "Internal error (ValueError: x); please report it with the log x.\n", False),
        (1, "Traceback\nValueError: x\n", False),
        (1, "", False),
        (70, "", False),
        (-11, "", False),
    ],
)
def test_errors_are_sentences(code, err, is_right):
    outcome = Outcome("all", "")
    check_end(outcome, Ended(code, err, 1.0, 0), "run")
    assert outcome.unforeseen == (not is_right)
