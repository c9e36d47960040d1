# SPDX-License-Identifier: GPL-3.0-or-later
"""The house: which module may import which (the rules stand in ``tools/house.py``)."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tools import house

ROOT = Path(__file__).parents[2]


def test_every_import_keeps_the_rules() -> None:
    assert house.problems(ROOT) == []


def test_every_package_of_the_engine_has_its_place() -> None:
    folders = {path.parent.name for path in (ROOT / "engine").glob("*/__init__.py")}
    assert folders == set(house.ORDER)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("engine/shared/files.py", "import numpy"),
        ("engine/shared/files.py", "from ..images import window"),
        ("engine/motion/tracking.py", "def later():\n    from ..guides.base import Guide"),
        ("engine/images/window.py", "from .pictures import read_picture"),
        ("engine/app/cli.py", "import bpy"),
        ("blender_addon/jobs.py", "from .engine.images.window import Window"),
        ("blender_addon/keyframes/weights.py", "from ..engine import images"),
        ("blender_addon/jobs.py", "import numpy as np"),
    ],
)
def test_an_import_that_breaks_a_rule_is_found(tmp_path: Path, file: str, line: str) -> None:
    for name in ("engine", "blender_addon"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.pyc"))
    with (tmp_path / file).open("a", encoding="utf-8") as opened:
        opened.write(f"\n{line}\n")
    assert len(house.problems(tmp_path)) == 1


def test_what_blender_imports_loads_no_library() -> None:
    names = [path.stem for path in (ROOT / "engine" / "shared").glob("[!_]*.py")]
    code = f"import sys\nfrom engine.shared import {', '.join(names)}\n"
    code += f"loaded = {house.HEAVY | house.BLENDER} & set(sys.modules)\nassert not loaded, loaded"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_the_tests_of_the_addon_run_in_every_blender() -> None:
    """The environments of the other bpy have only what ``OF_THE_ADDON_TESTS`` names."""
    installed = {"bpy", "numpy", "pytest", "yaml"}  # bpy brings numpy
    of_blender = {"addon_utils", "bl_ext", "bl_operators", "mathutils", "OpenImageIO"}
    of_the_project = {"benchmarks", "build_addon", "engine", "paintover", "scenes", "tools"}
    folder = ROOT / "tests" / "addon"
    known = {*installed, *of_blender, *of_the_project, *sys.stdlib_module_names}
    known |= {path.stem for path in folder.glob("*.py")}
    found = [
        f"{path.name}: {name}"
        for path in sorted(folder.glob("*.py"))
        for name in _imported(path)
        if name not in known
    ]
    assert not found


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from [alias.name.partition(".")[0] for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.partition(".")[0]
