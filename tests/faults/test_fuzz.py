# SPDX-License-Identifier: GPL-3.0-or-later
"""Inputs that fuzzing once found stay right, and a short fuzzing of every parser finds no more."""

from __future__ import annotations

import importlib.util
import sys

import pytest

from benchmarks.faults import fuzz
from benchmarks.faults.fuzz_log import FuzzRun, add_run, to_table, totals
from benchmarks.faults.fuzz_readers import STYLE
from benchmarks.faults.fuzz_target import WrongError
from benchmarks.faults.fuzz_targets import TARGETS
from benchmarks.faults.subjects import make_shot
from engine.shared.errors import PaintoverError

SECONDS = 14
"""Beside the starts; ``python -m benchmarks.faults.fuzz`` takes longer, and all targets."""
QUICK = [name for name, target in TARGETS.items() if not target.is_slow]
FOUND = sorted(path for path in fuzz.FOUND.glob("*/*"))


@pytest.mark.parametrize("path", FOUND, ids=lambda path: f"{path.parent.name}: {path.name}")
def test_what_fuzzing_found_stays_right(tmp_path, path):
    shot = make_shot(tmp_path / "shot").folder
    TARGETS[path.parent.name].make(shot)(path.read_bytes())


def test_each_found_input_has_its_target():
    assert {path.parent.name for path in FOUND} <= TARGETS.keys()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("name", b"a\nb"),
        ("frame list", b"1-\n2"),
        ("farm lines", "a\u2028openjd_env: A=b".encode()),
        ("claim", b'{"machine": "a\\nb"}'),
    ],
)
def test_line_breaks_are_tried_and_right(tmp_path, name, data):
    TARGETS[name].make(tmp_path)(data)


def test_the_targets_notice_what_is_wrong(tmp_path, monkeypatch):
    shot = make_shot(tmp_path / "shot").folder

    def fail(*_: object) -> None:
        raise PaintoverError("Something\nwent wrong")

    monkeypatch.setattr("benchmarks.faults.fuzz_readers.read_style_header", fail)
    with pytest.raises(WrongError, match="one line"):
        TARGETS["style header"].make(shot)(b"")
    assert (shot / f"styles/{STYLE}.safetensors").is_file()


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris has wheels for Linux on x86-64 with CPython 3.11 to 3.13 alone",
)
def test_fuzzing_finds_nothing(tmp_path):
    outcomes = fuzz.fuzz(tmp_path, QUICK, seconds=SECONDS, keep=False)
    assert [one for one in outcomes if one.wrong] == []
    assert min(one.inputs for one in outcomes) > 0
    assert sum(one.inputs for one in outcomes) > 10_000


@pytest.mark.skipif(sys.platform != "linux", reason="where atheris has its wheels")
def test_on_linux_atheris_is_there():
    if sys.version_info < (3, 14):
        assert fuzz.is_there()


def test_runs_go_on_where_earlier_ones_stopped_and_count_once(tmp_path):
    cache = tmp_path / "cache"
    one = FuzzRun("a", "2026-01-01T10:00:00+00:00", "name", 30, 1.0, "code")
    for run in (one, one, FuzzRun("b", "2026-01-02T10:00:00+00:00", "name", 12, 1.0, "code")):
        add_run(cache, run)
    runs = fuzz.go_on(tmp_path / "work", ["name"], 40, cache)
    assert totals(runs) == {"name": 42}
    assert "| name | 42 | 2 | 2026-01-01 10:00 UTC | 2026-01-02 10:00 UTC | 0 |" in to_table(runs)
    assert not (tmp_path / "work").exists(), "it had enough, so it did not begin"
