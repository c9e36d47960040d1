# SPDX-License-Identifier: GPL-3.0-or-later
"""The process that ``engine_runs`` forks: reads lists of runs, and writes how they ended."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import resource
import signal
import sys
import tempfile
import time
from typing import IO, Any

import engine.app.verbs.import_pictures
import engine.app.verbs.live
import engine.app.verbs.matte
import engine.app.verbs.preview
import engine.app.verbs.stylize
import engine.app.verbs.sweep
import engine.app.verbs.train
import engine.sweep.report
import engine.sweep.study
import engine.training.loop
from engine.app import cli

_NO_RIGHTS = 0x20080522
"""Version of the structure by which Linux sets the rights of a process."""
_LONGEST = 300.0


def main() -> None:
    """Serve until the standard input closes."""
    for line in sys.stdin:
        print(json.dumps(_together(json.loads(line))), flush=True)


def _together(runs: list[dict[str, Any]]) -> list[dict[str, Any]]:
    opened = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    began = time.monotonic()
    running = {_start(run): number for number, run in enumerate(runs)}
    ends = [began + (run["kill_after"] or _LONGEST) for run in runs]
    ended: list[dict[str, Any]] = [{} for _ in runs]
    while running:
        for (child, errors), number in list(running.items()):
            done, status = os.waitpid(child, os.WNOHANG)
            if not done and time.monotonic() < ends[number]:
                continue
            if not done:
                os.kill(child, signal.SIGKILL)
                _, status = os.waitpid(child, 0)
            seconds = time.monotonic() - began
            del running[child, errors]
            ended[number] = {
                "code": os.waitstatus_to_exitcode(status),
                "err": _text(errors),
                "seconds": seconds,
                "left": _left_of(child),
            }
        time.sleep(0.002)
    ended[0]["left"] += len(os.listdir("/proc/self/fd")) - opened  # noqa: PTH208
    return ended


def _start(run: dict[str, Any]) -> tuple[int, IO[bytes]]:
    errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it is read
    child = os.fork()
    if child:
        return child, errors
    code = 70
    with contextlib.suppress(BaseException):
        os.setsid()
        with open(os.devnull, "wb") as null:  # noqa: PTH123
            os.dup2(null.fileno(), 1)
        os.dup2(errors.fileno(), 2)
        _prepare(run)
        try:
            code = cli.main(run["words"])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 2
        sys.stderr.flush()
    os._exit(code)


def _prepare(run: dict[str, Any]) -> None:
    number, clock, now = run["number"], run["clock"], time.time
    if number:
        os.getpid = lambda: number
    if clock:
        time.time = lambda: now() + clock
    if run["saves_each_step"]:
        engine.training.loop.SAVE_INTERVAL = 0.0
    if run["most_bytes"]:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (run["most_bytes"],) * 2)
    if run["unprivileged"]:
        header = (ctypes.c_uint32 * 2)(_NO_RIGHTS, 0)
        ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)())


def _text(file: IO[bytes]) -> str:
    with file:
        file.seek(0)
        return file.read().decode("utf-8", "replace")


def _left_of(child: int) -> int:
    """Return 1 if a process of a child's group still runs."""
    try:
        os.killpg(child, 0)
    except ProcessLookupError:
        return 0
    return 1


if __name__ == "__main__":
    main()
