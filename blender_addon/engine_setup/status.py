# SPDX-License-Identifier: GPL-3.0-or-later
"""The state of the engine for the panels, read from a few small files at each redraw."""

from __future__ import annotations

import dataclasses
import enum
from pathlib import Path

from ..engine.shared.errors import PaintoverError
from ..engine_process import environment
from ..jobs import Job
from . import builds, graphics_cards, places, plan, record


class Kind(enum.Enum):
    """States of the engine."""

    MISSING = "missing"
    UNFINISHED = "unfinished"
    OUTDATED = "outdated"
    UNCHECKED = "unchecked"
    NO_GPU = "no graphics card"
    READY = "ready"


@dataclasses.dataclass(frozen=True)
class Status:
    """The state of the engine, in a sentence for people.

    Attributes:
        kind: what is to do.
        text: a sentence.
        build: the installed build, None if another Python is used, or none.
        is_own: whether it is the one that the add-on installed.
    """

    kind: Kind
    text: str
    build: builds.Build | None = None
    is_own: bool = False


@dataclasses.dataclass
class _Memory:
    failure: str = ""


_memory = _Memory()


def failure() -> str:
    """Return why the last installation or check failed; "" if it did not, or is going on."""
    return _memory.failure


def remember_failure(sentence: str) -> None:
    """Keep why an installation or check failed, until the next one."""
    _memory.failure = sentence


def remembering(job: Job[str]) -> Job[str]:
    """Run a job of the set-up, and keep the sentence of its error."""
    _memory.failure = ""
    try:
        return (yield from job)
    except PaintoverError as error:
        _memory.failure = str(error)
        raise


def look() -> Status:
    """Return the state of the engine."""
    try:
        python = environment.find()
    except PaintoverError as error:
        return _not_found(str(error))
    is_own = python.path == places.environment_python()
    known = record.installed() if is_own else None
    check = known.check if known else record.check_of(python.path)
    build = builds.all_builds().get(known.build) if known else None
    if check is None:
        text = f"{shortened(python.path)} ({python.origin}) is not checked yet"
        return Status(Kind.UNCHECKED, text)
    if check.gpu_fault:
        text = (
            f"The graphics card cannot be used ({check.gpu_fault}). The engine works on the "
            "processor meanwhile"
        )
        return Status(Kind.NO_GPU, text, build, is_own)
    text = f"Works, {check.steps_per_second:g} steps a second on {check.device}"
    return Status(Kind.READY, text, build, is_own)


def _not_found(sentence: str) -> Status:
    if environment.preference("engine_python"):
        return Status(Kind.MISSING, sentence.rstrip("."))
    if record.installed() is not None:
        return Status(Kind.OUTDATED, "The engine needs an update for this version of Paintover")
    if not places.folder().parent.exists() and places.folder() != places.usual_folder():
        text = f"The folder of the engine, {places.folder()}, is not there; is its disk connected?"
        return Status(Kind.MISSING, text)
    if bytes_there():
        return Status(Kind.UNFINISHED, "The engine is not completely installed")
    return Status(Kind.MISSING, "The engine is missing. It is what learns and paints")


def bytes_there() -> int:
    """Return how many bytes an earlier installation has downloaded."""
    try:
        downloads = (places.folder() / "downloads").iterdir()
        return sum(path.stat().st_size for path in downloads)
    except OSError:
        return 0


def chosen_build(*, wait: bool = False) -> builds.Build | None:
    """Return the build of the preferences, or the one that suits the graphics cards.

    Args:
        wait: wait for the system to tell the graphics cards.

    Returns:
        None while the system is asked, and where there is no build for this machine.
    """
    backend = environment.preference("build")
    if backend not in ("", "AUTO"):
        return builds.of_backend(backend)
    advice = advised(wait=wait)
    return advice.build if advice else None


def advised(*, wait: bool = False) -> graphics_cards.Advice | None:
    """Return the build that suits the graphics cards; None while the system is asked for them."""
    found = graphics_cards.cards(wait=wait)
    return None if found is None else graphics_cards.advise(found)


def sizes(build: builds.Build) -> plan.Sizes:
    """Return what a build would take on this machine."""
    return plan.sizes(build, plan.base_python().version)


def shortened(path: Path) -> str:
    """Return a path with ``~`` for the user's home."""
    try:
        return str(Path("~") / path.relative_to(Path.home()))
    except (ValueError, RuntimeError):
        return str(path)
