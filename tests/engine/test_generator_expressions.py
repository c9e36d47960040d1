# SPDX-License-Identifier: GPL-3.0-or-later
"""A generator expression must be consumed in the statement that makes it.

It reads the names that it closes over when it is consumed, not when it is made. Kept in a variable,
it gives something else as soon as one of these names is bound anew, and nothing but the size of
what it goes through may show it:

    parts = (x[:, part] for part in squares)
    for x in parts:  # the second part is cut out of the first
        yield x

Ruff has no rule against this: B023 looks only at functions and lambdas that are made inside of a
loop, and B020 only at what a loop goes through under the loop's own name. What has to be lazy is a
generator function: its arguments are bound when it is called.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeGuard

import pytest

ROOT = Path(__file__).parents[2]
PLACES = ("engine", "blender_addon", "benchmarks", "demo", "tools", "tests", "build_addon.py")
CONSUMERS = {
    *("all", "any", "dict", "frozenset", "list", "max", "min", "next", "set", "sorted", "sum"),
    *("tuple", "extend", "fromiter", "join", "median", "update", "writelines"),
}
"""Functions and methods that take all they want of an iterable before they return."""
LAZY = {
    *("enumerate", "filter", "iter", "map", "zip"),
    *("accumulate", "batched", "chain", "compress", "cycle", "dropwhile", "filterfalse"),
    *("from_iterable", "groupby", "islice", "pairwise", "starmap", "takewhile", "zip_longest"),
}
"""Functions that hand on what they are given, when they are asked for it."""
AT_ONCE = (ast.YieldFrom, ast.Starred, ast.Compare, ast.comprehension)
"""What else consumes an expression, wherever it stands."""
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)


def violations(source: str) -> list[int]:
    """Return the lines of a module in which an expression outlives its statement."""
    tree = ast.parse(source)
    parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}
    late = [node for node in ast.walk(tree) if _reads_later(node)]
    return sorted({node.lineno for node in late if not _is_consumed(node, parents)})


def _reads_later(node: ast.AST) -> TypeGuard[ast.GeneratorExp | ast.Call]:
    """Tell whether this is an expression that reads names when it is consumed."""
    if isinstance(node, ast.Call) and _name(node) in LAZY:
        return any(isinstance(argument, ast.Lambda) for argument in node.args)
    return isinstance(node, ast.GeneratorExp)


def _name(call: ast.Call) -> str:
    return getattr(call.func, "id", getattr(call.func, "attr", ""))


def _is_consumed(late: ast.GeneratorExp | ast.Call, parents: Mapping[ast.AST, ast.AST]) -> bool:
    node: ast.AST = late
    while True:
        parent = parents[node]
        match parent:
            case ast.IfExp() | ast.BoolOp():
                node = parent
            case ast.Call() if _name(parent) in LAZY:
                node = parent
            case ast.comprehension() if isinstance(parents[parent], ast.GeneratorExp):
                node = parents[parent]
            case ast.For() | ast.AsyncFor():
                return not _names_read_later(late) & _names_bound_by(parent)
            case ast.Assign():
                return all(isinstance(target, (ast.Tuple, ast.List)) for target in parent.targets)
            case ast.Call():
                return _name(parent) in CONSUMERS
            case _:
                return isinstance(parent, AT_ONCE)


def _names_read_later(late: ast.GeneratorExp | ast.Call) -> set[str]:
    if isinstance(late, ast.GeneratorExp):
        first, *others = late.generators
        parts = [late.elt, *first.ifs, *others]
        own = _names([first.target, *others], ast.Store)
    else:
        parts = [argument for argument in late.args if isinstance(argument, ast.Lambda)]
        own = {node.arg for part in parts for node in ast.walk(part) if isinstance(node, ast.arg)}
    return _names(parts, ast.Load) - own


def _names(nodes: Iterable[ast.AST], context: type[ast.expr_context]) -> set[str]:
    found = [part for node in nodes for part in ast.walk(node) if isinstance(part, ast.Name)]
    return {name.id for name in found if isinstance(name.ctx, context)}


def _names_bound_by(loop: ast.For | ast.AsyncFor) -> set[str]:
    """Return the names that a loop binds, in its head or its body, but not in functions there."""
    names: set[str] = set()
    waiting: list[ast.AST] = [loop.target, *loop.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        if not isinstance(node, FUNCTIONS):
            waiting.extend(ast.iter_child_nodes(node))
    return names


def project_files() -> list[Path]:
    """Return all Python files of the project."""
    found: list[Path] = []
    for place in PLACES:
        path = ROOT / place
        assert path.exists(), f"{place} is gone; name what has taken its place"
        found += [path] if path.is_file() else sorted(path.rglob("*.py"))
    return found


def test_no_generator_expression_outlives_its_statement():
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in project_files()
        for line in violations(path.read_text(encoding="utf-8"))
    ]
    assert not found, (
        "generator expressions that outlive their statement; make each a list, or a generator "
        "function, or name the function that consumes it in CONSUMERS: " + ", ".join(found)
    )


def test_what_broke_large_footage_is_caught():
    source = """
def examples(x, window):
    if local:
        x = with_paint(x)
        parts = (x[:, *part.inside] for part in window.squares(96))
    else:
        parts = (with_paint(part) for part in window.squares(96))
    for x in parts:
        yield x
"""
    assert violations(source) == [5, 7]


@pytest.mark.parametrize(
    "source",
    [
        "found = (f(x) for x in y)",
        "self.found = (f(x) for x in y)",
        "found: object = (f(x) for x in y)",
        "found = first, second = (f(x) for x in y)",
        "def g(): return (f(x) for x in y)",
        "def g(): yield (f(x) for x in y)",
        "def g(found=(f(x) for x in y)): pass",
        "g = lambda: (f(x) for x in y)",
        "if found := (f(x) for x in y): pass",
        "found = [(f(x) for x in y)]",
        "found = {'a': (f(x) for x in y)}",
        "found = (f(x) for x in y) if g else []",
        "found = map(g, (f(x) for x in y))",
        "found = zip(a, (f(x) for x in y), strict=True)",
        "found = itertools.chain(['a'], (f(x) for x in y))",
        "def g(): return enumerate(f(x) for x in y)",
        "found = itertools.islice(map(g, (f(x) for x in y)), 3)",
        "found = (g(z) for z in (f(x) for x in y))",
        "found = ours(f(x) for x in y)",
        "found = ours(source=(f(x) for x in y))",
        "found = map(lambda x: f(x), y)",
        "for x in (x[part] for part in parts): print(x)",
        "for z in (x[part] for part in parts): x = z",
        "for z in (part for part in parts if part in x):\n    x.add(z)\n    x = set()",
        "for number, x in enumerate(x[part] for part in parts): print(x)",
        "for x in map(lambda part: x[part], parts): print(x)",
        "for x in (f(z) for z in (x[part] for part in parts)): print(x)",
    ],
)
def test_what_outlives_its_statement_is_found(source):
    assert violations(source)


@pytest.mark.parametrize(
    "source",
    [
        "found = [f(x) for x in y]",
        "found = sum(f(x) for x in y)",
        "found = ', '.join(f(x) for x in y)",
        "found = np.fromiter((f(x) for x in y), float)",
        "found = next((f(x) for x in y), None)",
        "found = dict((f(x) for x in y))",
        "found = list(map(g, (f(x) for x in y)))",
        "found = sorted(itertools.chain(a, (f(x) for x in y)), key=g)",
        "found = [g(z) for z in (f(x) for x in y)]",
        "found = tuple(g(z) for z in (f(x) for x in y))",
        "found = any(f(x) for x in y) if g else all(f(x) for x in y)",
        "first, second = (f(x) for x in y)",
        "first, *second = (f(x) for x in y)",
        "[first, second] = (f(x) for x in y)",
        "found = ours(*(f(x) for x in y))",
        "found = [*(f(x) for x in y)]",
        "found = a in (f(x) for x in y)",
        "for z in (f(x) for x in y): print(x, y, z)",
        "for z in (f(x) for x in y):\n    y = z",
        "for x in map(lambda x: f(x), y): print(x)",
        "for x, z in zip(a, (f(x) for x in y)): print(x, z)",
        "def g(): yield from (f(x) for x in y)",
        "found = zip(a, b)",
        "found = list(map(lambda x: f(x), y))",
    ],
)
def test_what_is_consumed_at_once_is_allowed(source):
    assert violations(source) == []
