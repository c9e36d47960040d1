# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts of the panels can be translated by Blender: whole, with values put in afterwards."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from typing import Any

import pytest
import test_panels
from conftest import ROOT

Part = Callable[[str], Any]
_WORD = re.compile(r"[A-Za-z]{2,}")
_NAMES = re.compile(r"paintover\.\w*|_PT_|PAINTOVER\w*")
"""Parts of f-strings that are names, not texts."""


@pytest.fixture
def german(part: Part, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sentences have a translation. Blender as a module has no languages; a window has."""
    words = {"Unsteady: {frames}": "Unruhig: {frames}", "Online access is off": "Kein Netz erlaubt"}
    monkeypatch.setattr(part("ui.text"), "translated", lambda sentence: words[sentence])


def test_sentences_are_translated_whole(part: Part, german: None, scene: Any) -> None:
    text = part("ui.text")
    assert text.filled("Unsteady: {frames}", frames="2-3") == "Unruhig: 2-3"
    layout = test_panels.Layout()
    context = test_panels.context(scene)
    context.region.width = 96  # the sentence does not fit into one line
    text.draw_wrapped(layout, "Online access is off", "INFO", context)
    assert layout.drawn == [("label", "Kein Netz"), ("label", "erlaubt")]


def test_a_path_with_braces_stays(part: Part, scene: Any) -> None:
    layout = test_panels.Layout()
    sentence = "There is no {shot} in /a{0}b"
    part("ui.text").draw_detail(layout, sentence, test_panels.context(scene))
    assert layout.drawn == [("label", sentence)]


def test_no_panel_puts_values_into_a_text_before_it_is_translated() -> None:
    found = []
    for path in sorted((ROOT / "blender_addon/ui").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.JoinedStr):
                fixed = [str(v.value) for v in node.values if isinstance(v, ast.Constant)]
                if any(_WORD.search(_NAMES.sub("", part)) for part in fixed):
                    found.append(f"{path.name}:{node.lineno}")
    assert found == []
