# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed (``engine.json``), and which checks have passed (``checks.json``)."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import time
from pathlib import Path

from ..engine.shared.checked import extensible, from_data
from ..engine.shared.files import digest_file, read_by_state, write_bytes
from ..engine.shared.reading import read_json
from . import builds, places

RECORD = "engine.json"
_CHECKS = "checks.json"
_MOST_CHECKS = 20
REQUIREMENTS = Path(__file__).resolve().parent.parent / "engine" / "requirements.txt"


@extensible
@dataclasses.dataclass(frozen=True)
class Check:
    """A check of the engine that ended; see ``engine/jobs/check.py``."""

    device: str
    steps_per_second: float
    torch: str = ""
    gpu_fault: str = ""
    gpu_name: str = ""
    time: float = dataclasses.field(default_factory=time.time)


@extensible
@dataclasses.dataclass(frozen=True)
class Record:
    """An installed engine.

    Attributes:
        build: name of the build.
        python: version of its Python, such as ``3.11``.
        pins: version of each package.
        requirements: digest of the requirements that it was installed for.
        check: the check that ended the installation, or the last one.
    """

    build: str
    python: str
    pins: dict[str, str]
    requirements: str
    check: Check


def _parse(path: Path) -> Record | None:
    with contextlib.suppress(OSError, ValueError):
        return from_data(Record, read_json(path))
    return None


_read = read_by_state(_parse, None)


def installed() -> Record | None:
    """Return the record of the installed engine, None if there is none that is complete."""
    found = _read(places.folder() / RECORD)
    return found if found is not None and places.environment_python().is_file() else None


def fits(record: Record) -> bool:
    """Return whether an installed engine has what this version of the add-on needs."""
    with contextlib.suppress(Exception):
        wheels = builds.find(record.build).wheels.get(record.python)
        if wheels is not None:
            return {wheel.name: wheel.version for wheel in wheels} == record.pins
    return record.requirements == digest_file(REQUIREMENTS)


def write(record: Record) -> None:
    """Write the record of an installed engine. Raises PaintoverError."""
    data = json.dumps(dataclasses.asdict(record), indent=1).encode()
    write_bytes(places.folder() / RECORD, data)


def forget() -> None:
    """Take back that the engine is complete, before it is changed. Raises OSError."""
    (places.folder() / RECORD).unlink(missing_ok=True)


@extensible
@dataclasses.dataclass(frozen=True)
class _Passed:
    """A check that a Python has passed, and its size and time of change then."""

    state: str
    check: Check


def _parse_checks(path: Path) -> dict[str, _Passed]:
    with contextlib.suppress(OSError, ValueError):
        return from_data(dict[str, _Passed], read_json(path))
    return {}


_NO_CHECKS: dict[str, _Passed] = {}
_read_checks = read_by_state(_parse_checks, _NO_CHECKS)


def check_of(python: Path) -> Check | None:
    """Return the check that a Python has passed, None if it has passed none as it is now."""
    passed = _read_checks(places.usual_folder() / _CHECKS).get(str(python))
    with contextlib.suppress(OSError):
        if passed and passed.state == _state(python):
            return passed.check
    return None


def write_check(python: Path, check: Check) -> None:
    """Remember that a Python has passed a check. Raises OSError, PaintoverError."""
    path = places.usual_folder() / _CHECKS
    path.parent.mkdir(parents=True, exist_ok=True)
    checks = dict(list(_parse_checks(path).items())[-_MOST_CHECKS:])
    checks[str(python)] = _Passed(_state(python), check)
    data = {name: dataclasses.asdict(passed) for name, passed in checks.items()}
    write_bytes(path, json.dumps(data, indent=1).encode())


def _state(python: Path) -> str:
    found = os.stat(python)  # noqa: PTH116 - of what a link leads to
    return f"{found.st_size} {found.st_mtime_ns}"
