# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the test suites, each in its own processes and environment, and prints a summary.

    .venv/bin/python tools/run_tests.py test|test-matrix [--install-system-libraries] [PYTEST ...]

``test`` runs the engine, the demo, and the add-on in the bpy of ``.venv``. ``test-matrix`` runs the
add-on in every other bpy, then in a Blender with a window. The engine always runs in ``.venv``.
Suites that use one processor run two at a time; then each line says whose it is.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from environments import (
    ROOT,
    SetUpError,
    main_environment,
    matrix_environments,
    set_up,
)
from pythons import find_python

TIME_LIMIT = 1500
# Each test uses one processor and up to 2 GB.
ENGINE_WORKERS = min(4, os.cpu_count() or 1)
WINDOWS = min(2, os.cpu_count() or 1)
"""Real Blenders at once: a test in a window waits for much of its time."""
SUMMARY = re.compile(r"(=+ )?(\d+ \w+(, )?)+ in [\d.]+s|=+ no tests ran")
NO_TESTS_COLLECTED = 5


@dataclass(frozen=True)
class Suite:
    """Tests that run together.

    Attributes:
        name: in the summary.
        python: the interpreter.
        folder: of the tests.
        workers: processes that share the test files.
        largest_first: whether they begin with the files of most tests, not by name.
    """

    name: str
    python: Path
    folder: str
    workers: int = 1
    largest_first: bool = False


Turn = list[list[Suite]]
"""Rows of suites; the rows run at the same time, the suites of a row one after the other."""


def main_turns() -> list[Turn]:
    """Return the suites of ``make test``; the add-on has its own process."""
    environment = main_environment()
    blender = f"bpy {environment.bpy}"
    python = environment.python
    others = [
        Suite("benchmarks", python, "tests/benchmarks"),
        Suite(f"farm in {blender}", python, "tests/farm"),
        Suite(f"demo in {blender}", python, "tests/demo"),
    ]
    return [
        [[Suite("engine", python, "tests/engine", ENGINE_WORKERS)]],
        [[Suite("faults", python, "tests/faults", ENGINE_WORKERS)]],
        [[Suite(f"add-on in {blender}", python, "tests/addon")], others],
    ]


def matrix_turns(install_libraries: bool) -> tuple[list[Turn], list[str]]:
    """Return the suites of ``make test-matrix``, and sentences about those that cannot run."""
    suites, skipped = [], []
    for environment in matrix_environments():
        name = f"add-on in bpy {environment.bpy}"
        if find_python(environment.python_version):
            set_up(environment, install_libraries)
            suites.append(Suite(name, environment.python, "tests/addon"))
        else:
            skipped.append(
                f"{name}: skipped, because it needs Python {environment.python_version}, "
                "which this machine does not have"
            )
    window = Suite("real Blender", main_environment().python, "tests/gui", WINDOWS, True)
    return [[[suite] for suite in suites], [[window]]], skipped


Result = tuple[str, bool, str]
"""A suite's name, whether it passed, and pytest's summary line."""


def run_turn(turn: Turn, arguments: list[str]) -> list[Result]:
    """Run the rows of a turn at the same time. Returns the results, row by row."""
    alone = len(turn) == 1

    def run_row(row: list[Suite]) -> list[Result]:
        return [run(suite, arguments, "" if alone else f"{suite.name}: ") for suite in row]

    with ThreadPoolExecutor(max(1, len(turn))) as pool:
        return [result for results in pool.map(run_row, turn) for result in results]


def run(suite: Suite, arguments: list[str], prefix: str = "") -> Result:
    """Run one suite and show its output, each line after a prefix."""
    print(f"\n== {suite.name}", flush=True)
    variables = {
        "PAINTOVER_ENGINE_PYTHON": str(main_environment().python),
        "PYTHONUNBUFFERED": "1",
        # The networks in the tests are so small that threads would mostly wait for each other.
        "OMP_NUM_THREADS": "1",
    }
    command = [str(suite.python), "-m", "pytest", suite.folder, *arguments]
    if suite.workers > 1:
        # A file stays in one process, as its tests share fixtures.
        command += ["-n", str(suite.workers), "--dist", "loadfile"]
        command += [] if suite.largest_first else ["--no-loadscope-reorder"]
    summary = "pytest did not get to its end"
    with subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        limit = threading.Timer(TIME_LIMIT, process.kill)
        limit.start()
        for line in process.stdout:
            print(f"{prefix}{line}", end="", flush=True)
            if SUMMARY.match(line):
                summary = line.strip()
        limit.cancel()
    if process.returncode == 0:
        return suite.name, True, summary
    if process.returncode == NO_TESTS_COLLECTED:
        return suite.name, False, "no tests were found"
    return suite.name, False, f"{summary} (exit status {process.returncode})"


def main() -> int:
    """Run the command line; see the docstring of the module."""
    which, *arguments = sys.argv[1:] or ["test"]
    install = "--install-system-libraries" in arguments
    pytest_arguments = [a for a in arguments if a != "--install-system-libraries"]
    skipped: list[str] = []
    try:
        if which == "test":
            turns = main_turns()
        else:
            turns, skipped = matrix_turns(install)
    except SetUpError as error:
        print(f"set-up: {error}", file=sys.stderr)
        return 1
    results = [result for turn in turns for result in run_turn(turn, pytest_arguments)]
    print(f"\n== make {which}")
    for sentence in skipped:
        print(sentence)
    for name, passed, summary in results:
        print(f"{name}: {'passed' if passed else 'FAILED'}\n{summary}", flush=True)
    return 0 if all(passed for _, passed, _ in results) else 1


if __name__ == "__main__":
    sys.exit(main())
