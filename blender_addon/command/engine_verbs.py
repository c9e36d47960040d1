# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender -b --command paintover engine ACTION`` and ``wheels FOLDER``: set-up by commands."""

from __future__ import annotations

import argparse
from pathlib import Path

from .. import jobs
from ..engine.shared.errors import PaintoverError
from ..engine.shared.parsers import Parser
from ..engine_process import environment
from ..engine_setup import (
    builds,
    diagnostics,
    engine_check,
    installation,
    plan,
    record,
    removal,
    status,
    wheels_folder,
)
from ..jobs import Job
from .printing import say, say_lines

VERBS = ("engine", "wheels")


def run(argv: list[str]) -> None:
    """Run one verb.

    Args:
        argv: the verb and its arguments.

    Raises:
        SystemExit: the usage is wrong, or help was asked for.
        PaintoverError: it failed.
        Cancelled: it was told to stop.
    """
    options = _parser().parse_args(argv)
    options.run(options)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="blender -b --command paintover")
    verbs = parser.add_subparsers(required=True, metavar="STEP")
    engine = verbs.add_parser("engine", description="Install, check, repair or remove the engine.")
    engine.set_defaults(run=_engine)
    engine.add_argument("action", choices=tuple(_ACTIONS))
    engine.add_argument("--build", default="", help="such as linux-x64-cpu (else: what suits)")
    engine.add_argument("--wheels", default="", help="install from this folder of wheels")
    engine.add_argument("--python", default="", help="the Python that makes the environment")
    wheels = verbs.add_parser(
        "wheels", description="Fill a folder of wheels, to install the engine without a network."
    )
    wheels.set_defaults(run=_wheels)
    wheels.add_argument("folder", type=Path)
    wheels.add_argument("--build", default="", help="such as windows-x64-cpu (else: what suits)")
    wheels.add_argument(
        "--python", default="", help="version of the Python of the other machine's Blender"
    )
    return parser


def _chosen(name: str) -> builds.Build:
    if name:
        return builds.find(name)
    build = status.chosen_build(wait=True)
    return build or builds.find("")


def _wheels(options: argparse.Namespace) -> None:
    version = options.python or plan.base_python().version
    job = wheels_folder.fill(options.folder, _chosen(options.build), version)
    say(jobs.run_to_end("Fill Folder of Wheels", job))


def _engine(options: argparse.Namespace) -> None:
    _ACTIONS[options.action](options)


def _install(options: argparse.Namespace) -> None:
    build = _chosen(options.build)
    wish = installation.Wish(build.name, options.python, options.wheels)
    say(jobs.run_to_end("Install Engine", installation.install(wish)))


def _repair(options: argparse.Namespace) -> None:
    known = record.installed()
    if known is None:
        raise PaintoverError("No engine is installed; install it first.")
    wish = installation.Wish(known.build, options.python, options.wheels, is_repair=True)
    say(jobs.run_to_end("Repair Engine", installation.install(wish)))


def _check(_: argparse.Namespace) -> None:
    say(jobs.run_to_end("Check Engine", _checking()))


def _checking() -> Job[str]:
    found = yield from engine_check.check_and_remember(environment.find())
    fault = f"; the graphics card cannot be used: {found.gpu_fault}" if found.gpu_fault else ""
    return f"The engine works: {found.steps_per_second:g} steps a second on {found.device}{fault}"


def _remove(_: argparse.Namespace) -> None:
    removal.remove()
    say("The engine is removed")


def _diagnostics(_: argparse.Namespace) -> None:
    say_lines(diagnostics.text())


_ACTIONS = {
    "install": _install,
    "check": _check,
    "repair": _repair,
    "remove": _remove,
    "diagnostics": _diagnostics,
}
