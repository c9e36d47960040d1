# SPDX-License-Identifier: GPL-3.0-or-later
"""JSON of files and messages is read through ``engine/shared/checked.py`` alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARSERS = {"read_json", "parse_json"}
"""What reads JSON within bounds; ``from_data`` says whether it is what it should be."""
OTHERS = {
    "engine/shared/checked.py": "is that way",
    "engine/shared/reading.py": "is that way, for files",
    "engine/shared/manifest.py": "what it has written itself, to check it",
    "engine/shared/manifest_file.py": "manifests that were checked before",
    "engine/shared/style_header.py": "what it has written itself, to check it",
    "engine/sweep/record.py": "what it has written itself, so that tuples become lists",
    "engine/app/cli.py": "what a verb of its own process printed",
    "engine/networks/style_file.py": "leaves the check to ``engine/training/resume.py``",
    "blender_addon/engine_setup/builds.py": "a file of the add-on itself",
}
"""Modules that read JSON otherwise, and why they may."""


def _calls(path: Path) -> set[str]:
    """Return the names of the functions that a module calls."""
    nodes = ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    functions = [node.func for node in nodes if isinstance(node, ast.Call)]
    return {ast.unparse(function) for function in functions}


def _is_unchecked(path: Path) -> bool:
    """Return whether a module parses JSON by itself, or does not check what it has parsed."""
    calls = _calls(path)
    by_itself = calls & {"json.load", "json.loads", "json.JSONDecoder"}
    return bool(by_itself or (calls & PARSERS and "from_data" not in calls))


@pytest.mark.parametrize("folder", ["engine", "blender_addon"])
def test_json_is_read_in_one_way(folder):
    found = {
        path.relative_to(ROOT).as_posix()
        for path in sorted((ROOT / folder).rglob("*.py"))
        if _is_unchecked(path)
    }
    assert found - OTHERS.keys() == set()
    assert {name for name in OTHERS if name.startswith(folder)} <= found


@pytest.mark.parametrize(
    ("text", "is_unchecked"),
    [
        ("json.loads(text)", True),
        ("json.load(file)", True),
        ("read_json(path)['a']", True),
        ("from_data(A, read_json(path))", False),
        ("json.dumps(data)", False),
    ],
)
def test_the_check_finds_readers(tmp_path, text, is_unchecked):
    module = tmp_path / "module.py"
    module.write_text(text)
    assert _is_unchecked(module) == is_unchecked
