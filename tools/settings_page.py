# SPDX-License-Identifier: GPL-3.0-or-later
"""Makes the page of all settings, ``docs/settings.md``, from the code that has them.

    .venv/bin/python -m tools.settings_page          # or: make settings-page

Installs the built extension into an empty Blender (bpy) and asks it for its settings and operators;
those of training come from ``engine/shared/training_settings.py``.
``tests/addon/test_settings_page.py`` fails where the page is not what the code says.
"""

from __future__ import annotations

import dataclasses
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from engine.shared import training_settings

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/settings.md"
_LARGE = 1e9
"""Numbers from here on stand for no limit, or for a value that is not given."""
EXTENSION = "bl_ext.user_default.paintover"
_INTRODUCTION = """\
# All settings

Made from the code: names, meanings, defaults and ranges are those of the program. In Blender,
each also shows its meaning when the pointer rests on it.

"""
_SCENE = """\
## Of a shot

Saved in the .blend. In Python: `bpy.context.scene.paintover.NAME`.

"""
_PREFERENCES = """\
## Of this computer

In the preferences of the add-on and in the panels **Engine** and **Live**. In Python:
`bpy.context.preferences.addons["bl_ext.user_default.paintover"].preferences.NAME`.

"""
_TRAINING = """\
## Of training

For those who want to try: the usual values suit most shots, and
[Find Settings](sweep.md) looks for better ones. Options of `python -m engine train`, such as
`--patch 48`; those that are switched on or off have a `--no-` form. The network `paper` is the
[published method](method.md#the-published-method).

"""
_OPERATORS = """\
## Operators

What the buttons do, for scripts: `bpy.ops.paintover.NAME(…)`. They wait until the step is done. In
the window, started by a button, they run beside your work.

"""


def text() -> str:
    """Return the page. The extension must be enabled in this Blender."""
    import bpy  # noqa: PLC0415

    user: Any = bpy.context.preferences
    scene: Any = bpy.context.scene
    parts = [
        _INTRODUCTION,
        _SCENE,
        _table(_properties(scene.paintover.bl_rna)),
        _PREFERENCES,
        _table(_properties(user.addons[EXTENSION].preferences.bl_rna)),
        _TRAINING,
        _training(),
        _OPERATORS,
        _operators(bpy),
    ]
    return "".join(parts)


def _properties(rna: Any, place: str = "") -> Iterator[tuple[str, str, str, str, str]]:
    """Yield name, meaning, default, values and Python name of each setting that users see."""
    for each in rna.properties:
        name = f"{place}{each.identifier}"
        if each.identifier in ("rna_type", "name", "bl_idname") or each.is_hidden:
            continue
        if each.type in ("POINTER", "COLLECTION"):
            kind = each.fixed_type
            if kind.identifier.startswith("PAINTOVER_"):
                mark = "[…]" if each.type == "COLLECTION" else ""
                yield from _properties(kind, f"{name}{mark}.")
            elif each.name:
                yield each.name, each.description, "", kind.name, name
        elif each.name and each.description:
            yield each.name, each.description, _default(each), _values(each), name


def _default(each: Any) -> str:
    if each.type == "ENUM":
        if each.is_enum_flag:
            chosen = [i.name for i in each.enum_items if i.identifier in each.default_flag]
            return ", ".join(chosen)
        return next((i.name for i in each.enum_items if i.identifier == each.default), "")
    if getattr(each, "is_array", False) and each.array_length:
        return ", ".join(_number(value) for value in each.default_array)
    if each.type == "BOOLEAN":
        return "on" if each.default else "off"
    if each.type == "STRING":
        return f"`{each.default}`" if each.default else ""
    return "" if abs(each.default) >= _LARGE else _number(each.default)


def _values(each: Any) -> str:
    if each.type == "ENUM":
        return "; ".join(f"**{item.name}**{_meaning(item.description)}" for item in each.enum_items)
    if each.type == "BOOLEAN":
        return "on, off"
    if each.type not in ("INT", "FLOAT"):
        return "text"
    low, high = each.hard_min, each.hard_max
    least = "" if low <= -_LARGE else _number(low)
    most = "" if high >= _LARGE else _number(high)
    if least and most:
        return f"{least} to {most}"
    whole = "a whole number" if each.type == "INT" else "a number"
    return f"{least} or more" if least else f"up to {most}" if most else whole


def _meaning(words: str) -> str:
    return f": {words}" if words else ""


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")


def _training() -> str:
    rows = []
    paper = training_settings.NETWORK_DEFAULTS["paper"]
    for field in dataclasses.fields(training_settings.TrainingSettings):
        told = training_settings.DESCRIPTIONS[field.name]
        limits = ""
        if training_settings.is_switch(field.name):
            limits = "on, off"
        elif told.limits:
            unit = f" {told.unit}" if told.unit else ""
            limits = f"{_number(told.limits[0])} to {_number(told.limits[1])}{unit}"
        rows.append(
            (
                f"`--{field.name.replace('_', '-')}`",
                _sentence(told.help),
                _setting(field.name, field.default),
                _setting(field.name, paper.get(field.name, field.default)),
                limits,
            )
        )
    return _lines(("option", "means", "usually", "in `paper`", "values"), rows)


def _setting(name: str, value: Any) -> str:
    if name == "blocks" and not value:
        return "the network's own"
    if training_settings.is_switch(name):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, int | float) else value or "none"


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _operators(bpy: Any) -> str:
    rows = []
    for name in sorted(dir(bpy.ops.paintover)):
        options = getattr(getattr(bpy.types, f"PAINTOVER_OT_{name}"), "bl_options", ())
        if "INTERNAL" in options:
            continue
        kind = getattr(bpy.ops.paintover, name).get_rna_type()
        arguments = "<br>".join(
            f"`{each.identifier}`: {each.description} ({_facts(each)})"
            for each in kind.properties
            if each.identifier != "rna_type" and not each.is_hidden and each.description
        )
        if kind.description:
            rows.append((f"**{kind.name}**", f"`{name}`", kind.description, arguments))
    return _lines(("button", "NAME", "does", "options"), rows)


def _facts(each: Any) -> str:
    default, values = _default(each), _values(each)
    return f"{values}; usually {default}" if default else values


def _table(rows: Iterable[tuple[str, str, str, str, str]]) -> str:
    head = ("setting", "means", "default", "values", "NAME")
    return _lines(
        head,
        [
            (f"**{name}**", meaning, default, values, f"`{python}`")
            for name, meaning, default, values, python in rows
        ],
    )


def _lines(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n\n"


def main() -> int:
    """Write the page."""
    with tempfile.TemporaryDirectory(prefix="paintover-settings-") as folder:
        # bpy reads the user folder when it is imported.
        os.environ["BLENDER_USER_RESOURCES"] = folder
        import bpy  # noqa: PLC0415

        import build_addon  # noqa: PLC0415

        archive = build_addon.build(Path(folder) / "dist")
        operators: Any = bpy.ops.extensions
        operators.package_install_files(
            filepath=str(archive), repo="user_default", enable_on_install=True
        )
        PAGE.write_text(text().rstrip() + "\n", encoding="utf-8")
    print(f"{PAGE}: written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
