# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, ``python -m engine VERB``, for shells, scripts and render farms.

Exit codes: 0 done, 1 failed (one sentence on the standard error), 2 wrong usage, 130 cancelled.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

from .. import __version__
from ..shared import errors
from ..shared.files import check_text
from ..shared.frame_lists import keep_negative
from ..shared.names import one_line
from . import verbs
from .arguments import build_parser
from .error_messages import explain
from .several import each_shot
from .streams import end_with_input, keep_streams
from .terminal import LoggedWarnings, Terminal

DONE, FAILED, CANCELLED = 0, 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code.

    Args:
        arguments: those after ``python -m engine``; by default those of this process.
    """
    keep_streams()
    words = sys.argv[1:] if arguments is None else arguments
    for word in words:
        try:
            check_text(word)
        except errors.PaintoverError as error:
            print(one_line(str(error)), file=sys.stderr)
            return FAILED
    options = build_parser().parse_args(keep_negative(words))
    if options.verb == "worker":
        from . import worker  # noqa: PLC0415  (each verb loads only its own modules)

        return worker.main()
    progress = "none" if getattr(options, "json", False) else options.progress
    with _standard_error(options.verbose) as stream:
        return _run(options, Terminal(progress, err=stream))


def _run(options: argparse.Namespace, terminal: Terminal) -> int:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: terminal.stop())
    if options.with_input:
        end_with_input(terminal.stop)
    handler = LoggedWarnings(terminal)
    logging.getLogger("engine").addHandler(handler)
    try:
        return _run_each(options, terminal)
    finally:
        logging.getLogger("engine").removeHandler(handler)


def _run_each(options: argparse.Namespace, terminal: Terminal) -> int:
    """Run a verb on each shot, also after one has failed; return the highest exit code."""
    try:
        each = each_shot(options)
    except errors.PaintoverError as error:
        terminal.failed(str(error))
        return FAILED
    as_json = len(each) > 1 and getattr(options, "json", False)
    code, printed = DONE, []
    for number, one in enumerate(each, 1):
        if len(each) > 1:
            terminal.began(f"Shot {number} of {len(each)}: {one.shot}")
        with contextlib.ExitStack() as stack:
            stream = io.StringIO()
            if as_json:
                stack.enter_context(contextlib.redirect_stdout(stream))
            own = _run_one(one, terminal)
        result = json.loads(stream.getvalue() or "null")
        printed.append({"shot": str(getattr(one, "shot", "")), "exit": own, "result": result})
        code = max(code, own)
        if own == CANCELLED:
            break
    if as_json:
        print(json.dumps(printed, indent=1))
    return code


def _run_one(options: argparse.Namespace, terminal: Terminal) -> int:
    try:
        if getattr(options, "dry_run", False) and options.verb != "batch":
            from .dry_run import describe  # noqa: PLC0415

            print(one_line(describe(options)))
        else:
            verbs.load(options.verb)(options, terminal)
    except errors.Cancelled as stopped:
        terminal.failed(_cancelled(options, stopped))
        return CANCELLED
    except Exception as error:  # an internal error: a sentence, and a log to report
        if options.verbose:
            traceback.print_exc()
        terminal.failed(explain(error) or _internal_error(error, options.verbose))
        return FAILED
    return DONE


def _cancelled(options: argparse.Namespace, stopped: errors.Cancelled) -> str:
    """Return a sentence about what a cancelled verb leaves behind."""
    if options.verb == "live":
        return "Live has ended; running it again goes on from what was learnt."
    if options.verb in ("import", "matte", "score", "suggest"):
        return "Cancelled; nothing has changed."
    if options.verb == "train" and not (stopped.resumes or options.resume):
        return "Cancelled before the first step; nothing has changed, run it again."
    again = "with --resume " if stopped.resumes else ""
    return f"Cancelled; finished files stay, and running it again {again}continues."


@contextlib.contextmanager
def _standard_error(verbose: bool) -> Iterator[TextIO]:
    """Yield a stream for our messages; unless verbose, those of C libraries are discarded.

    libpng and OpenEXR write messages on damaged files to file descriptor 2.
    """
    try:
        hides = not verbose and sys.stderr.fileno() == 2
    except OSError:
        hides = False
    if not hides:
        yield sys.stderr
        return
    sys.stderr.flush()
    with os.fdopen(
        os.dup(2), "w", encoding=sys.stderr.encoding, errors="backslashreplace"
    ) as stream:
        with Path(os.devnull).open("w", encoding="utf-8") as null:
            os.dup2(null.fileno(), 2)
        try:
            yield stream
        finally:
            sys.stderr.flush()
            os.dup2(stream.fileno(), 2)


def _internal_error(error: Exception, verbose: bool) -> str:
    """Return the message for an internal error; write the traceback to a log unless printed."""
    what = f"Internal error ({type(error).__name__}: {error})"
    if verbose:
        return f"{what}; please report the lines above."
    lines = [" ".join(sys.argv), f"Paintover {__version__}, Python {sys.version}", ""]
    text = "\n".join(lines) + traceback.format_exc()
    try:
        descriptor, path = tempfile.mkstemp(".log", f"paintover-{time.strftime('%Y%m%d-%H%M%S')}-")
        with os.fdopen(descriptor, "wb") as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError:
        return f"{what}; run it again with --verbose, and report what it prints."
    return f"{what}; please report it with the log {path}."
