# SPDX-License-Identifier: GPL-3.0-or-later
"""Crafted files of every kind: each is refused by a sentence, or what is read of it is whole."""

from __future__ import annotations

import pytest

from benchmarks.faults import crafted
from benchmarks.faults.counts import wrong_sentence
from benchmarks.faults.subjects import make_subjects

EVERY = 4
"""Reads each fourth file; ``python -m benchmarks.faults`` reads all."""


def test_crafted_files_end_in_a_sentence_and_change_nothing_else(tmp_path):
    counts = crafted.measure(tmp_path, every=EVERY)
    assert counts.unforeseen == []
    assert counts.lost == []
    assert counts.tried >= 1000
    assert counts.refused > counts.tried / 2


def test_the_valid_files_are_read_and_rules_find_places_in_them(tmp_path):
    for subject in make_subjects(tmp_path):
        valid = subject.path.read_bytes()
        assert subject.read() is not None, subject.kind
        rules = {rule.split(" at ")[0] for rule, _ in crafted.crafted(subject, valid)}
        assert {"cut short", "flipped bit", "noise", "nested too deeply"} <= rules
        if subject.unpack:
            assert {"NaN", "Infinity", "huge", "lone surrogate", "nothing", "more"} <= rules


@pytest.mark.parametrize(
    ("sentence", "is_right"),
    [
        ("/a/shot.json is damaged; capture the shot again.", True),
        ("/a/shot.json is damaged.", False),
        ("shot is damaged; capture the shot again.", False),
        ("/a/shot.json is\ndamaged; capture the shot again.", False),
        ("Traceback; shot.json", False),
    ],
)
def test_sentences_are_judged(tmp_path, sentence, is_right):
    assert (wrong_sentence(sentence, tmp_path / "shot.json") == "") == is_right
