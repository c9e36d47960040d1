# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that ``fuzz`` starts for a target: atheris changes inputs by what code they reach.

``python -m benchmarks.faults.fuzz_process TARGET SHOT [libFuzzer's arguments]``
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import atheris

if TYPE_CHECKING:
    from .fuzz_target import Target

_MARK = "fuzz-mark"
_TOKENS = (
    *("null", "true", "0", "-1", "0.5", "1e999", "-1e308", "NaN", "Infinity", str(1 << 70)),
    *('""', r'"\ud800"', r'"a\u0000b"', r'"a\nb"', '"../x"', "[]", "{}", '"1"', "[[]]", "1e-320"),
    "1" + "0" * 400,
    "[" * 2000 + "]" * 2000,
)
_MOST_STEPS = 6


def main() -> None:
    """Fuzz until libFuzzer ends; it ends the process itself."""
    with atheris.instrument_imports(
        include=["engine.shared", "engine.app", "engine.images.movie_bounds"]
    ):
        from .fuzz_targets import TARGETS  # noqa: PLC0415

    target = TARGETS[sys.argv[1]]
    one = target.make(Path(sys.argv[2]))
    options: dict[str, Any] = {}
    if target.unpack:
        options["custom_mutator"] = _mutator(target)
    atheris.Setup([sys.argv[0], f"-max_len={target.most}", *sys.argv[3:]], one, **options)
    atheris.Fuzz()


def _mutator(target: Target) -> Callable[[bytes, int, int], bytes]:
    """Return what changes an input: the JSON in it in half of all cases, else its bytes."""

    def mutate(data: bytes, most: int, seed: int) -> bytes:
        chance = random.Random(seed)
        if chance.random() < 0.5:
            try:
                return _with_other_json(target, data, chance)[:most]
            except Exception:  # whatever is wrong with the input, its bytes can be changed
                pass
        changed: bytes = atheris.Mutate(data, most)
        return changed

    return mutate


def _with_other_json(target: Target, data: bytes, chance: random.Random) -> bytes:
    assert target.unpack
    assert target.pack
    tree = json.loads(target.unpack(data))
    tokens = []
    for _ in range(chance.choice((1, 1, 2, 3))):
        tree = _changed(tree, chance)
    text = json.dumps(tree)
    while f'"{_MARK}"' in text:
        tokens.append(chance.choice(_TOKENS))
        text = text.replace(f'"{_MARK}"', tokens[-1], 1)
    return target.pack(data, text)


def _changed(tree: Any, chance: random.Random) -> Any:
    """Change one place of JSON data, reached by a random walk."""
    holder: Any = None
    name, here = None, tree
    for _ in range(_MOST_STEPS):
        inside = (
            list(here)
            if isinstance(here, dict)
            else list(range(len(here)))
            if isinstance(here, list)
            else []
        )
        if not inside or chance.random() < 0.15:
            break
        holder, name = here, chance.choice(inside)
        here = here[name]
    new: Any = _MARK
    kind = chance.random()
    if type(here) in (int, float) and kind < 0.3:
        new = here * chance.choice((-1, 2, 1000)) + chance.choice((0, 1, 0.5))
    elif isinstance(here, str) and kind < 0.3:
        new = here + chance.choice(("x", "0", "\u2028", " ", "\U0001f3a8"))
    elif isinstance(here, list) and kind < 0.3:
        new = here + here[:2]
    elif isinstance(here, dict) and kind < 0.5:
        new = {**here, chance.choice(("x", "-1", "07", "9" * 17, "\udc00")): _MARK}
    if holder is None:
        return new
    if kind > 0.9:
        del holder[name]
    else:
        holder[name] = new
    return tree


if __name__ == "__main__":
    main()
