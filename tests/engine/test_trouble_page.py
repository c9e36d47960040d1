# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentences that the manual's page on troubles quotes are those of the program."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOLE = "…"
END = "\0"
"""Between two strings of the code."""


def test_quoted_sentences_stand_in_the_code():
    page = (ROOT / "docs/trouble.md").read_text("utf-8")
    quoted = re.findall(r"“([^”]{2,})”", page)
    folders = ("engine", "blender_addon")
    sentences = END.join(text for folder in folders for text in texts(ROOT / folder))
    assert len(quoted) > 50
    missing = [quote for quote in quoted if not says(sentences, quote)]
    assert not missing


def texts(folder: Path) -> Iterator[str]:
    """Yield the text of each string, with a hole for each value in it."""
    for path in folder.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant | ast.JoinedStr) and (text := _text(node)):
                yield text


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    assert isinstance(node, ast.JoinedStr)
    return "".join(_text(part) if isinstance(part, ast.Constant) else HOLE for part in node.values)


def says(texts: str, quote: str) -> bool:
    """Return whether one of the texts has the quoted words in their order."""
    parts = [part.strip(' "') for part in quote.split(HOLE)]
    pattern = f"[^{END}]*".join(re.escape(part) for part in parts if part.strip(" ,.;×()"))
    return bool(pattern) and re.search(pattern, texts) is not None


def test_words_in_another_order_are_not_a_quote():
    assert says("Frame 3 has no camera; add one.", "Frame … has no camera")
    assert not says("Has no camera: frame 3", "frame … has no camera")
    assert not says(f"Frame 3{END}has no camera", "Frame … has no camera")
    assert not says("anything", "…")
