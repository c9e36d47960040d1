# SPDX-License-Identifier: GPL-3.0-or-later
"""Lets the engine check itself in a Python: does it start, and does it train?"""

from __future__ import annotations

from pathlib import Path
from typing import IO

from .. import user_folders
from ..engine.shared.checked import from_data, parse_json
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import cannot_write
from ..engine_process import environment
from ..jobs import Job, Progress
from . import commands, places, record

LIMIT = 900.0
"""Seconds; the first start after an installation compiles, and reads much from the disk."""


def check(python: environment.EnginePython, log: IO[str], start: float = 0.0) -> Job[record.Check]:
    """Check the engine in a Python.

    Args:
        python: the Python.
        log: receives what the engine prints.
        start: fraction of the whole job that is done before.

    Returns:
        What the check found; the graphics card may be at fault.

    Raises:
        PaintoverError: the engine does not work in it.
    """
    progress = Progress(start, text="Checking: trains 20 steps on a tiny shot")
    command = environment.engine_command(python, "check", "--json")
    try:
        lines = yield from commands.run(command, places.folder(), log, progress, LIMIT)
    except commands.CommandError as error:
        raise PaintoverError(_cannot_run(python.path, error.lines)) from error
    for line in reversed(lines):
        try:
            return from_data(record.Check, parse_json(line))
        except ValueError:
            continue
    raise PaintoverError(_cannot_run(python.path, lines))


def _cannot_run(python: Path, lines: list[str]) -> str:
    said = next((line.strip() for line in reversed(lines) if line.strip()), "it says nothing")
    missing = said.removeprefix("ModuleNotFoundError: ")
    own = places.folder() in python.parents
    way = "press Repair" if own else "choose another Python, or install the engine"
    return f"{python} cannot run the engine ({missing[:200].rstrip('.')}); {way}."


def check_and_remember(python: environment.EnginePython) -> Job[record.Check]:
    """Check the engine in a Python, and remember that it works. Raises PaintoverError."""
    log = user_folders.cache_folder("logs") / "check.log"
    try:
        with commands.new_log(log) as file:
            found = yield from check(python, file)
        known = record.installed()
        if known is not None and python.path == places.environment_python():
            record.write(
                record.Record(known.build, known.python, known.pins, known.requirements, found)
            )
        else:
            record.write_check(python.path, found)
    except OSError as error:
        raise cannot_write(Path(error.filename or log), error) from error
    return found
