# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, ``python -m engine VERB``, for shells, scripts and render farms.

Exit codes: 0 done, 1 failed (one sentence on the standard error), 2 wrong usage, 130 cancelled.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import io
import json
import logging
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TextIO

from .. import __version__
from ..shared import errors, protocol, training_settings
from ..shared.files import is_text
from ..shared.frame_lists import counted, format_frames, keep_negative
from ..shared.freshness import Step, style_state
from ..shared.shot import Shot
from .arguments import build_parser, split_weights
from .error_messages import explain
from .loading import quick_loading
from .several import each_shot
from .terminal import LoggedWarnings, Terminal, format_seconds

DONE, FAILED, CANCELLED = 0, 1, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one verb and return the exit code.

    Args:
        arguments: those after ``python -m engine``; by default those of this process.
    """
    words = sys.argv[1:] if arguments is None else arguments
    for word in words:
        if not is_text(word):
            name = word.encode(errors="replace").decode()
            print(f"The name {name} is not valid text (UTF-8); rename it.", file=sys.stderr)
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
    handler = LoggedWarnings(terminal)
    logging.getLogger("engine").addHandler(handler)
    try:
        return _run_each(options, terminal)
    finally:
        logging.getLogger("engine").removeHandler(handler)


def _run_each(options: argparse.Namespace, terminal: Terminal) -> int:
    """Run a verb on each shot, also after one has failed; return the highest exit code."""
    try:
        if options.verb == "weights":
            options.shots, options.points = split_weights(options.words)
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
        print(json.dumps(printed, indent=1, ensure_ascii=False))
    return code


def _run_one(options: argparse.Namespace, terminal: Terminal) -> int:
    try:
        if getattr(options, "dry_run", False) and options.verb != "batch":
            from .dry_run import describe  # noqa: PLC0415

            print(describe(options))
        else:
            _VERBS[options.verb](options, terminal)
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


def _import(options: argparse.Namespace, terminal: Terminal) -> None:
    with quick_loading():
        from ..jobs.import_pictures import import_pictures  # noqa: PLC0415

    names = [name.casefold() for name, _ in options.guide]
    if twice := [name for name, _ in options.guide if names.count(name.casefold()) > 1]:
        raise errors.PaintoverError(
            f'The guide "{twice[0]}" is given twice; give each guide a name of its own.'
        )
    request = protocol.ImportPictures(
        job=0,
        shot=str(options.shot),
        input=str(options.input),
        painted=options.painted,
        mask=options.mask,
        guides=dict(options.guide),
        fps=options.fps,
    )
    result = import_pictures(request, terminal)
    shot = Shot.open(options.shot)
    terminal.finished(
        f"{options.shot} holds {counted(len(shot.frames), 'frame')} as PNG, "
        f"{format_frames(shot.frames)}, at {shot.manifest.fps:g} frames per second."
    )
    if result["mattes"]:
        terminal.finished(
            "The masks are of every frame, so they are mattes: only inside them is painted."
        )


def _matte(options: argparse.Namespace, terminal: Terminal) -> None:
    from ..jobs.mattes import remove_mattes, set_mattes  # noqa: PLC0415

    if options.none:
        remove_mattes(options.shot)
        terminal.finished(f"{options.shot} has no mattes; all of each frame is painted.")
        return
    count = set_mattes(options.shot, options.input, terminal)
    terminal.finished(f"{options.shot} has mattes for {counted(count, 'frame')}.")


def _train(options: argparse.Namespace, terminal: Terminal) -> None:
    with quick_loading():
        from ..jobs.train import train  # noqa: PLC0415
    from ..training.resume import was_stopped  # noqa: PLC0415

    if options.if_needed:
        shot = Shot.open(options.shot)
        if style_state(shot, options.style).step is Step.UP_TO_DATE:
            terminal.finished(f"{shot.style_path(options.style)} is up to date.")
            return
        options.resume = was_stopped(shot, options.style)
    fields = ("style", "seconds", "steps", "resume", "from_style", "keys", "network", "guides")
    settings = {name: getattr(options, name) for name in training_settings.TYPES}
    request = protocol.Train(
        job=0,
        shot=str(options.shot),
        device=options.device,
        seed=options.seed,
        settings={name: value for name, value in settings.items() if value is not None},
        **{name: getattr(options, name) for name in fields},
    )
    began = time.monotonic()
    result = train(request, terminal)
    if result["kept"]:
        return
    path = Shot.open(options.shot).style_path(options.style)
    terminal.finished(f"Trained {path} in {format_seconds(time.monotonic() - began)}.")
    terminal.finished(f"{result['went']}.")


def _stylize(options: argparse.Namespace, terminal: Terminal) -> None:
    with quick_loading():
        from ..jobs.stylize import stylize  # noqa: PLC0415
    from ..shared.flicker_records import describe  # noqa: PLC0415

    fields = ("style", "frames", "format", "depth", "force", "device", "light", "unpainted")
    request = protocol.Stylize(
        job=0, shot=str(options.shot), **{name: getattr(options, name) for name in fields}
    )
    result = stylize(request, terminal)
    terminal.finished(_painted_sentence(options, result))
    if result["unsteady"]:
        terminal.finished(describe(result["unsteady"]))


def _weights(options: argparse.Namespace, terminal: Terminal) -> None:
    from ..shared.keyframes import weights  # noqa: PLC0415

    shot = Shot.open(options.shot)
    curves = weights.curves_of(options.points)
    weights.check_keys(shot, curves)
    weights.set_weights(shot, curves)
    print(weights.describe(shot))


def _preview(options: argparse.Namespace, terminal: Terminal) -> None:
    with quick_loading():
        from ..jobs.preview import preview  # noqa: PLC0415

    fields = ("style", "keys", "frames", "format", "depth", "force", "unpainted")
    request = protocol.Preview(
        job=0, shot=str(options.shot), **{name: getattr(options, name) for name in fields}
    )
    result = preview(request, terminal)
    terminal.finished(_painted_sentence(options, result))


def _live(options: argparse.Namespace, terminal: Terminal) -> None:
    with quick_loading():
        from .live_watch import watch  # noqa: PLC0415

    fields = ("style", "frame", "output", "seconds", "device", "share", "seed")
    watch(options.shot, terminal, **{name: getattr(options, name) for name in fields})


def _painted_sentence(options: argparse.Namespace, result: dict[str, Any]) -> str:
    folder = Shot.open(options.shot).out_path(options.style, 0).parent
    painted = counted(result["frames"], "frame")
    return f"{folder}: {painted} painted, {result['skipped']} up to date."


def _sweep(options: argparse.Namespace, terminal: Terminal) -> None:
    with quick_loading():
        from ..jobs.sweep import sweep  # noqa: PLC0415

    fields = (
        *("style", "minutes", "trials", "trial_seconds", "trial_steps", "train_style"),
        *("train_seconds", "paper", "keys", "device", "seed"),
    )
    request = protocol.Sweep(
        job=0, shot=str(options.shot), **{name: getattr(options, name) for name in fields}
    )
    result = sweep(request, terminal)
    if options.json:
        print(json.dumps(result["results"], indent=1))
        return
    terminal.finished(f"{result['folder']} has the results of {result['trials']} trials.")
    print(result["table"])


def _suggest(options: argparse.Namespace, terminal: Terminal) -> None:
    from ..jobs.suggest import suggest  # noqa: PLC0415
    from ..shared.coverage_records import describe  # noqa: PLC0415
    from ..shared.flicker_records import read_flickers, unsteady_frames  # noqa: PLC0415

    request = protocol.Suggest(job=0, shot=str(options.shot), keys=options.keys)
    coverage = suggest(request, terminal)
    flickers = read_flickers(Shot.open(options.shot), options.style)
    unsteady = unsteady_frames(flickers)
    if options.json:
        flicker = {str(frame): round(one.excess, 3) for frame, one in flickers.items()}
        data = {**coverage.as_data(), "sentence": coverage.sentence()}
        print(json.dumps({**data, "flicker": flicker, "unsteady": unsteady}, indent=1))
        return
    print(describe(coverage, unsteady))


def _batch(options: argparse.Namespace, terminal: Terminal) -> None:
    from .batch import DONE as JOB_DONE  # noqa: PLC0415
    from .batch import SKIPPED, as_data, describe, run_batch  # noqa: PLC0415

    jobs = run_batch(options.list, terminal, again=options.again, dry_run=options.dry_run)
    print(json.dumps(as_data(jobs), indent=1) if options.json else describe(jobs))
    failed = [job for job in jobs if job.state != JOB_DONE]
    if failed:
        skipped = sum(job.state == SKIPPED for job in failed)
        more = f", and {skipped} skipped for it" if skipped else ""
        raise errors.PaintoverError(
            f"{counted(len(failed) - skipped, 'job')} of {len(jobs)} failed{more}, the first in "
            f"line {failed[0].line}; see {failed[0].log}, mend it, and run the list again."
        )


def _score(options: argparse.Namespace, terminal: Terminal) -> None:
    with quick_loading():
        from ..evaluation.flicker_report import FlickerReport, measure_flicker  # noqa: PLC0415
        from ..evaluation.scores import Scores, score  # noqa: PLC0415

    shot = Shot.open(options.shot)
    scores: Scores | FlickerReport
    if options.truth is None:
        scores = measure_flicker(shot, options.style, options.frames, terminal)
    else:
        scores = score(
            shot,
            options.truth,
            options.style,
            options.frames,
            with_jod=options.jod,
            report=terminal,
        )
    print(json.dumps(scores.as_data(), indent=1) if options.json else scores.as_table())


def _info(options: argparse.Namespace, terminal: Terminal) -> None:
    from .info import describe, describe_in_words  # noqa: PLC0415

    data = describe(options.shot)
    print(
        json.dumps(data, indent=1, ensure_ascii=False) if options.json else describe_in_words(data)
    )


def _status(options: argparse.Namespace, terminal: Terminal) -> None:
    from .status import read_status, status_in_words  # noqa: PLC0415

    data = read_status(options.shot)
    print(json.dumps(data, indent=1, ensure_ascii=False) if options.json else status_in_words(data))


def _styles(options: argparse.Namespace, terminal: Terminal) -> None:
    from .styles import read_styles, styles_in_words, take_back  # noqa: PLC0415

    if options.take:
        sentence = take_back(options.shot, options.style, options.take)
        if not options.json:
            terminal.finished(sentence)
            return
    data = read_styles(options.shot, options.style)
    print(json.dumps(data, indent=1, ensure_ascii=False) if options.json else styles_in_words(data))


def _check(options: argparse.Namespace, terminal: Terminal) -> None:
    with quick_loading():
        from ..jobs.check import check, sentence  # noqa: PLC0415

    found = check(options.device)
    if options.json:
        print(json.dumps(dataclasses.asdict(found)))
    else:
        terminal.finished(sentence(found))


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
    with os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors="replace") as stream:
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


_VERBS: dict[str, Callable[[argparse.Namespace, Terminal], None]] = {
    "import": _import,
    "matte": _matte,
    "train": _train,
    "weights": _weights,
    "stylize": _stylize,
    "preview": _preview,
    "live": _live,
    "sweep": _sweep,
    "suggest": _suggest,
    "batch": _batch,
    "score": _score,
    "info": _info,
    "status": _status,
    "styles": _styles,
    "check": _check,
}
