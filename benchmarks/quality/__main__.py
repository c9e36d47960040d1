# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m benchmarks.quality``: scores each method against the true paintings.

Shots are rendered and painted once and kept in a cache (--cache). To score another program, let it
stylize the shot folder that the progress messages name, and pass its frames:
--frames DIR --only SHOT:STYLE.

Sets of real pictures in --real DIR are scored too; nothing but figures is written of them.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.machine import describe_machine
from benchmarks.own_process import ROOT
from engine.evaluation.jod import jod
from engine.evaluation.scores import score
from engine.shared.errors import PaintoverError

from .kept_rows import KeptRows
from .methods import MOVED, run, style_name, take_finished
from .pairs import ABLATION, FULL, SHORT, Extent, Pair, choose
from .real import SETS, RealRow, measure_real, sets_in
from .real_table import real_as_data, real_to_markdown
from .sheets import write_sheet
from .table import Row, to_markdown
from .truth import Truth, make_truth
from .uncarried import more_scores, uncarried

PAGE = ROOT / "docs/quality.md"
ABLATION_PAGE = ROOT / "benchmarks/quality/ablation.md"
REAL = ROOT.parent / "shared/real"
REAL_METHODS = ("fast",)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    options = _parse(arguments)
    extent = SHORT if options.short else ABLATION if options.ablation else FULL
    names = [name for name in options.only if name not in {one.name for one in SETS}]
    try:
        extent = dataclasses.replace(
            extent,
            seconds=options.seconds or extent.seconds,
            pairs=tuple(choose(names, extent.pairs)) if names or not options.only else (),
            methods=tuple(options.methods or extent.methods),
        )
        if options.frames and len(names) != 1:
            raise PaintoverError(
                "--frames needs the pair that the frames show: add --only SHOT:STYLE."
            )
        why_no_jod = _why_no_jod()
        kept = KeptRows(options.keep, extent, options.device) if options.keep else None
        rows: list[Row] = []
        for pair in extent.pairs:
            rows += _measure(pair, extent, options, kept, with_jod=not why_no_jod)
        real = _measure_real(extent, options)
    except PaintoverError as error:
        print(f"benchmarks.quality: {error}", file=sys.stderr)
        return 1
    machine = describe_machine()
    table = to_markdown(rows, extent, machine, [why_no_jod] if why_no_jod else [])
    if real:
        table += f"\n\n## Real pictures\n{real_to_markdown(real)}"
    print(table)
    if options.json:
        data = {
            "machine": machine,
            "rows": [row.as_data() for row in rows],
            "real": [real_as_data(row) for row in real],
        }
        options.json.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n")
    if options.write:
        page, title = (ABLATION_PAGE, "Ablation") if options.ablation else (PAGE, "Quality")
        page.write_text(f"# {title}\nMade by `{_command()}`.\n\n{table}\n", encoding="utf-8")
    return 0


def _measure(
    pair: Pair,
    extent: Extent,
    options: argparse.Namespace,
    kept: KeptRows | None,
    *,
    with_jod: bool,
) -> list[Row]:
    methods = [options.frames.name] if options.frames else list(extent.methods)
    if not pair.passes:
        methods = [method for method in methods if method != MOVED]
    found = {method: kept.find(pair, method) if kept else None for method in methods}
    if all(found.values()):
        return [row for row in found.values() if row is not None]
    truth = make_truth(pair, extent, options.cache.resolve(), _tell)
    _tell(f"{pair.name}: {truth.shot.folder}, {truth.unsteady:.1%} of the truth unsteady")
    rows, new = [], []
    where = uncarried(truth.shot, truth.keys)
    for method in methods:
        row = found[method]
        if row is None:
            row = _row(pair, method, truth, extent, options, with_jod=with_jod)
            if row.scores:
                row = dataclasses.replace(row, more=more_scores(truth, style_name(method), where))
                new.append((method, style_name(method)))
            if kept:
                kept.add(row)
        _tell("  " + "  ".join(row.cells()[1:]))
        rows.append(row)
    if options.sheets:
        path = options.sheets / f"{pair.name.replace(':', '-')}.png"
        write_sheet(path, truth.shot, truth.folder, truth.keys, new)
        _tell(f"  {path}")
    return rows


def _measure_real(extent: Extent, options: argparse.Namespace) -> list[RealRow]:
    """Score the sets of real pictures: those of --only, or all unless something else is asked."""
    named = {one.name for one in SETS} & set(options.only)
    unasked = options.only or options.ablation or options.frames
    at_hand = options.real or (REAL.is_dir() and not options.short)
    if not named and (unasked or not at_hand):
        return []
    folder = options.real or REAL
    rows = []
    for one in sets_in(folder):
        if not named or one.name in named:
            methods = options.methods if named and options.methods else REAL_METHODS
            rows += measure_real(folder, one, methods, extent.seconds, options.device, _tell)
    return rows


def _row(
    pair: Pair,
    method: str,
    truth: Truth,
    extent: Extent,
    options: argparse.Namespace,
    *,
    with_jod: bool,
) -> Row:
    name = style_name(method)
    try:
        if options.frames:
            made = take_finished(options.frames, truth.shot, name)
        else:
            made = run(method, truth.shot, truth.keys, extent.seconds, options.device)
        scores = score(truth.shot, truth.folder, name, made.frames, with_jod=with_jod)
    except PaintoverError as error:
        return Row(pair, truth.keys, method, None, None, str(error))
    return Row(pair, truth.keys, method, made, scores, made.note)


def _why_no_jod() -> str:
    black = np.zeros((64, 64, 3), np.uint8)
    try:
        jod([black, black], [black, black], 24)
    except PaintoverError as error:
        return str(error)
    return ""


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.quality", description=__doc__)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--short", action="store_true", help="small, in 10 minutes on two cores")
    size.add_argument(
        "--ablation", action="store_true", help="what each part of our own method is good for"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers as JSON")
    parser.add_argument(
        "--keep",
        type=Path,
        metavar="FILE",
        help="keep each row there, and do not measure again what it has; for runs of hours",
    )
    parser.add_argument("--write", action="store_true", help="write the page of this table")
    parser.add_argument(
        "--only",
        metavar="SHOT:STYLE",
        action="append",
        default=[],
        help="this pair, or this set of real pictures; repeatable",
    )
    parser.add_argument(
        "--real",
        type=Path,
        metavar="DIR",
        help=f"folder with sets of real pictures: {', '.join(one.name for one in SETS)} (default: "
        "../shared/real beside the project, if it is there; not with --short)",
    )
    parser.add_argument(
        "--methods",
        nargs="+",
        metavar="METHOD",
        help="moved, projection, or NETWORK[/GUIDE+GUIDE|/-GUIDE][,SETTING=VALUE], such as "
        "fast/-projection or fast,steady=0",
    )
    parser.add_argument("--seconds", type=float, metavar="N", help="of training (60; short: 20)")
    parser.add_argument("--device", default="auto", help="where to compute: auto, cpu, cuda, mps")
    parser.add_argument("--frames", type=Path, metavar="DIR", help="score another program's frames")
    parser.add_argument(
        "--sheets",
        type=Path,
        metavar="DIR",
        help="write contact sheets there, of the rows that are measured now",
    )
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", default=ROOT / ".cache/quality", help="%(default)s"
    )
    return parser.parse_args(arguments)


def _command() -> str:
    """Return the command that made the page, without the options for other outputs and caches."""
    words = sys.argv[1:]
    for option in ("--json", "--keep", "--sheets", "--cache", "--real"):
        if option in words:
            at = words.index(option)
            del words[at : at + 2]
    return " ".join(["python -m benchmarks.quality", *words])


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
