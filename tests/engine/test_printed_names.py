# SPDX-License-Identifier: GPL-3.0-or-later
"""Names with line breaks: none begins a line of the output, which farms take for commands."""

from __future__ import annotations

import contextlib
import os

import pytest
import shots

from engine.app.cli import main
from engine.sweep.report import Results

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
NAME = "a\nopenjd_fail: b"


@pytest.mark.parametrize(
    "words",
    [
        ("info", "{}"),
        ("status", "{}"),
        ("styles", "{}"),
        ("suggest", "{}"),
        ("weights", "{}", "1=0.5"),
        ("matte", "{}", "--none"),
        ("matte", "{}", "--none", "--dry-run"),
        ("import", "{}", "{}/in", "--dry-run"),
        ("train", "{}", "--dry-run"),
        ("preview", "{}", "--dry-run"),
        ("sweep", "{}", "--dry-run"),
        ("stylize", "{}", "--style", NAME),
        ("info", "{}", "{}"),
        ("info", "{}/none"),
        ("batch", "{}/list.txt", "--dry-run"),
        ("\udcff" + NAME, "{}"),
    ],
)
def test_a_name_begins_no_line(tmp_path, capsys, words):
    folder = tmp_path / NAME
    shots.make_shot(folder)
    shots.make_inputs(folder / "in")
    (folder / "list.txt").write_text("info .\n")
    with contextlib.suppress(SystemExit):
        main([*(word.replace("{}", str(folder)) for word in words), "--progress", "openjd"])
    printed = capsys.readouterr()
    told = printed.out + printed.err
    assert told.strip()
    assert not [line for line in told.splitlines() if line.startswith("openjd_fail: b")]


def test_the_table_of_a_sweep_has_no_lines_of_names():
    trial = dict.fromkeys(("score", "held_out", "strokes", "flicker", "steps"), 1.0)
    trial |= {"number": 0, "state": "done", "values": {NAME: NAME}}
    data = {
        "sweep": NAME, "trial": NAME, "compared_with": NAME, "best": 0, "style": NAME,
        "importance": {}, "trials": [trial],
    }  # fmt: skip
    lines = Results(data, None).table().splitlines()
    assert not [line for line in lines if line.startswith("openjd_fail")]
