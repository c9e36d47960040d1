# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m benchmarks.live``: how fast a live session answers, and how good what it learns is.

The engine's rows are measured with a real worker. Those of Blender's window are measured in a real
one where there is one, or read from a file (--window); without either they are missing, and this
fails.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.machine import describe_machine
from benchmarks.own_process import ROOT
from benchmarks.quality.pairs import FULL, Pair
from benchmarks.quality.truth import make_truth
from benchmarks.rows import RATES, Row
from engine.shared.errors import PaintoverError
from scenes.real_blender import is_installed

from . import answers, learnt, page, window
from .rows import WINDOW_ROWS

PAGE = ROOT / "docs/live-speed.md"

FRAMES = 8
PAIRS = (Pair("head", "gouache"), Pair("head", "gouache", passes=False))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code: 1 if a row is missing or misses its aim."""
    options = _parse(arguments)
    try:
        if options.rows:
            data = json.loads(options.rows.read_text("utf-8"))
            machine, rows = data["machine"], data["rows"]
        else:
            machine, rows = describe_machine(), _engine_rows(options)
        rows += _window_rows(options.window)
    except (PaintoverError, OSError, ValueError, KeyError) as error:
        print(f"benchmarks.live: {error}", file=sys.stderr)
        return 1
    for row in rows:
        print(f"{row['name']:32} {row['value']!s:>10} {row['unit']:10} aim {row['aim']}")
    if options.json:
        text = json.dumps({"machine": machine, "rows": rows}, indent=1, ensure_ascii=False)
        options.json.write_text(text + "\n", encoding="utf-8")
    if options.write:
        page.write(PAGE, rows, machine, options.remark)
    names = {row["name"] for row in rows}
    missing = [name for name in WINDOW_ROWS if name not in names]
    if missing:
        print(
            f"Not measured in a window: {', '.join(missing)}; run it where tests/gui finds a real "
            "Blender, or name the file of its rows with --window.",
            file=sys.stderr,
        )
    missed = [row["name"] for row in rows if row.get("met") is False]
    if missed:
        print(f"Not as good as aimed at: {', '.join(missed)}.", file=sys.stderr)
    return 1 if missing or missed else 0


def _engine_rows(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Measure sessions of a real worker."""
    extent = dataclasses.replace(FULL, frames=FRAMES)
    rows: list[dict[str, Any]] = []
    for pair in PAIRS[:1] if options.short else PAIRS:
        truth = make_truth(pair, extent, options.cache, _tell)
        plain = "" if pair.passes else page.FOOTAGE
        strokes = options.strokes if pair.passes else options.strokes // 10
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            found = answers.measure(truth.shot, strokes, work / "answers")
            found += learnt.measure(truth, options.seconds, work / "learnt")
        rows += [_as_data(row, plain) for row in found]
    return rows


def _as_data(row: Row, prefix: str) -> dict[str, Any]:
    return {
        "name": prefix + row.name,
        "value": row.value,
        "unit": row.unit,
        "aim": row.aim,
        "more_is_better": row.unit in RATES,
        "met": row.met,
        "remark": row.remark,
    }


def _window_rows(path: Path | None) -> list[dict[str, Any]]:
    """Return the rows of a window: those of a file, or measured now; none without a window."""
    if path is None and not is_installed():
        return []
    try:
        if path is None:
            _tell("strokes by mouse in a real window")
            with tempfile.TemporaryDirectory() as folder:
                measured = Path(folder) / "rows.json"
                if status := window.main(["--json", str(measured)]):
                    _tell(f"The window ended with {status}; see above.")
                    return []
                return _window_rows(measured)
        rows = json.loads(path.read_text("utf-8"))["rows"]
        return [{"in_window": True, "remark": "", **row} for row in rows]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise PaintoverError(f"{path} holds no rows of a window ({error}); run it again.") from None


def _tell(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live", description=__doc__)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows as JSON")
    parser.add_argument(
        "--window",
        type=Path,
        metavar="FILE",
        help="rows that benchmarks.live.window has written (default: measure them now)",
    )
    parser.add_argument(
        "--rows", type=Path, metavar="FILE", help="the engine's rows of an earlier run with --json"
    )
    parser.add_argument(
        "--remark", default="", metavar="TEXT", help="what the page should say of this run"
    )
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    parser.add_argument("--short", action="store_true", help="the captured shot alone")
    parser.add_argument(
        "--strokes",
        type=int,
        default=600,
        metavar="N",
        help="strokes by which the growth of memory is measured, of footage a tenth of them "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=60.0,
        metavar="N",
        help="of painting and learning, and of the training to compare (default: %(default)s)",
    )
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", default=ROOT / ".cache/quality", help="%(default)s"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
