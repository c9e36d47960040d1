# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are written through ``engine/shared/files.py`` alone: whole, beside their place."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
WRITERS = {"write_text", "write_bytes", "savez", "savez_compressed", "tofile", "imwrite"}
OTHERS = {
    "engine/shared/files.py": "is that way",
    "engine/shared/live_files.py": "pictures of a live session, in temporary files of its owner",
    "engine/app/verbs/batch.py": "what a job prints, into a log that that way has begun",
    "engine/app/cli.py": "a log in the folder for temporary files, of mkstemp",
    "engine/app/streams.py": "the standard streams",
    "engine/app/worker.py": "the standard output, to which events go",
    "engine/sweep/journal.py": "only to sync what was appended",
    "engine/app/live_picture_file.py": "the live picture, whose file the add-on has made",
    "engine/motion/temporal_filter.py": "into a temporary folder of its own",
    "blender_addon/engine_process/live_picture.py": "into a temporary file of its own",
    "blender_addon/engine_process/log_files.py": "logs, opened exclusively",
    "blender_addon/engine_setup/commands.py": "logs, opened exclusively",
}
"""Modules that write by themselves, and why they may."""


def _writes(path: Path) -> list[int]:
    """Return the lines of a module that open a file for writing, or write one at once."""
    lines = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if isinstance(node.func, ast.Name) and node.func.id == "open":
            name = "open"
        words = [*node.args, *(word.value for word in node.keywords)]
        texts = {word.value for word in words if isinstance(word, ast.Constant)}
        modes = {text for text in texts if isinstance(text, str) and set(text) <= set("rwaxbt+")}
        is_open = name in ("open", "fdopen") and any(set(mode) & set("wax+") for mode in modes)
        if is_open or name in WRITERS:
            lines.append(node.lineno)
    return lines


@pytest.mark.parametrize("folder", ["engine", "blender_addon"])
def test_files_are_written_in_one_way(folder):
    found = {
        path.relative_to(ROOT).as_posix(): lines
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (lines := _writes(path))
    }
    assert {name: lines for name, lines in found.items() if name not in OTHERS} == {}
    assert {name for name in OTHERS if name.startswith(folder)} <= found.keys()


def test_the_check_finds_writers(tmp_path):
    module = tmp_path / "module.py"
    module.write_text(
        "path.write_text('a')\nopen(path, 'w')\npath.open('ab')\npath.open('rb')\n"
        "os.fdopen(1, mode='r+b')\nnumpy.savez(path)\nopen(path)\nwrite_bytes(path, b'a')\n"
    )
    assert _writes(module) == [1, 2, 3, 5, 6]


MOVERS = {
    "engine/shared/files.py": "is that way",
    "engine/shared/claim_file.py": "a claim, aside in its folder",
    "blender_addon/composed_frames.py": "a rendered frame, in its folder",
    "blender_addon/compositor/sequences.py": "a link, in its folder",
    "blender_addon/engine_process/log_files.py": "an old log, in its folder",
    "blender_addon/engine_setup/downloads.py": "what is received, in its folder",
    "blender_addon/example_files.py": "a folder, in its folder",
    "blender_addon/shot_choices.py": "a copy of a shot, in its folder",
}
"""Modules that rename by themselves, and what: nothing that may go to another disk."""


def _moves(path: Path) -> list[int]:
    """Return the lines of a module that rename files; text and dates have further arguments."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if ast.unparse(node.func) in ("os.rename", "os.replace", "os.renames", "shutil.move")
        or (node.func.attr in ("replace", "rename") and len(node.args) == 1 and not node.keywords)
    ]


def test_files_are_moved_in_one_way():
    """Folders of a shot may be links to other disks, to which no file can be renamed."""
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("engine", "blender_addon")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if _moves(path)
    }
    assert found == set(MOVERS)


def test_folders_are_walked_in_one_way():
    """Python's own ways call themselves for each folder in a folder; someone may nest thousands."""
    names = {"rmtree", "rglob", "walk"}
    found = [
        f"{path.relative_to(ROOT).as_posix()}:{node.lineno}"
        for folder in ("engine", "blender_addon")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in names
    ]
    of_the_installed_engine = "blender_addon/engine_setup/"
    strange = [place for place in found if not place.startswith(of_the_installed_engine)]
    assert {place.partition(":")[0] for place in strange} == {"engine/shared/folders.py"}
