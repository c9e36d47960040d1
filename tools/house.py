# SPDX-License-Identifier: GPL-3.0-or-later
"""The import rules of the repository.

``build_addon.py`` makes no zip that breaks them; ``tests/engine/test_house.py`` checks them.

- In ``engine/`` a package imports only itself and the packages before it in ``ORDER``.
- There are no import cycles.
- ``engine/`` never imports Blender. ``engine/shared/`` imports only the standard library.
- ``blender_addon/`` imports only ``engine/shared/`` and the version from the engine, and none of
  the engine's libraries.

Imports inside functions count too. Imports under ``TYPE_CHECKING`` may name any library.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

ORDER = (
    *("shared", "images", "synthesis", "frames", "motion", "evaluation", "projection", "coverage"),
    *("guides", "networks", "inference", "training", "sweep", "jobs", "live", "app"),
)
BLENDER = {"bpy", "bmesh", "gpu", "mathutils", "blender_addon"}
HEAVY = {"numpy", "torch", "cv2", "OpenImageIO", "numba", "scipy", "safetensors", "PIL", "av"}
HEAVY |= {"optuna", "matplotlib"}


class Import(NamedTuple):
    """One imported module or name, such as ``engine.shared.shot``."""

    place: str
    name: str
    is_for_types: bool


def problems(root: Path) -> list[str]:
    """Return one line per import under ``root`` that breaks a rule."""
    engine = {_name_of(root, path): path for path in sorted((root / "engine").rglob("*.py"))}
    graph: dict[str, set[str]] = {}
    found = []
    for module, path in engine.items():
        imports = list(_imports(root, path))
        graph[module] = {_module_of(one.name, engine) for one in imports} - {"", module}
        found += [f"{one.place} imports {one.name}" for one in imports if _is_wrong(module, one)]
    for path in sorted((root / "blender_addon").rglob("*.py")):
        for one in _imports(root, path):
            first, second = [*one.name.split("."), ""][:2]
            wrong = first == "engine" and second not in ("shared", "__version__")
            if wrong or first in HEAVY:
                found.append(f"{one.place} imports {one.name}")
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found.append(f"in a circle: {' < '.join(error.args[1])}")
    return found


def _is_wrong(module: str, one: Import) -> bool:
    first, second = [*one.name.split("."), ""][:2]
    package = [*module.split("."), ""][1]
    if first != "engine":
        alone = package == "shared" and first not in sys.stdlib_module_names
        return first in BLENDER or (alone and not one.is_for_types)
    if package not in ORDER or second in ("", "__version__"):
        return False
    return second not in ORDER[: ORDER.index(package) + 1]


def _imports(root: Path, path: Path) -> Iterator[Import]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    package = path.relative_to(root).parent.parts
    types = {
        inner
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for inner in ast.walk(node)
    }
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) + 1 - node.level] if node.level else ()
            start = [*base, *(node.module or "").split(".")]
            names = [".".join(filter(None, [*start, alias.name])) for alias in node.names]
        for name in names:
            place = f"{path.relative_to(root).as_posix()}:{getattr(node, 'lineno', 0)}"
            yield Import(place, name.removeprefix("blender_addon."), node in types)


def _name_of(root: Path, path: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _module_of(name: str, engine: Mapping[str, Path]) -> str:
    """Return the engine module that a name is or belongs to; empty if there is none."""
    return name if name in engine else name.rpartition(".")[0] if "." in name else ""
