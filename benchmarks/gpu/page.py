# SPDX-License-Identifier: GPL-3.0-or-later
"""The page of documentation for a run on a GPU."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.rows import Row
from benchmarks.table import to_markdown
from engine.shared.errors import PaintoverError

QUALITY_HEAD = (
    *("pair", "network", "training", "steps", "PSNR", "SSIM", "FLIP", "texture"),
    *("flicker (truth)", "s a frame"),
)
DIGITS = {"psnr": 2, "ssim": 3, "flip": 3, "texture": 2}
EXPLAINED = (
    "Scores are over the subject on frames that were not painted; PSNR in dB; FLIP 0 is equal; "
    "texture 1 is right, below is blurred; flicker in codes of 255 along the motion. The shots "
    "have 8 frames of 512×288, so more moves from frame to frame than in the pages of quality."
)


def write_page(file: Path, docs: Path) -> Path:
    """Write ``benchmarks-gpu-CARD.md`` from the JSON file of a run and return its path.

    Raises:
        PaintoverError: the file was not written by a run.
    """
    try:
        data = json.loads(file.read_text("utf-8"))
        card = _card(data["machine"]["device"])
        text = to_page(data, card)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise PaintoverError(f"{file} was not written by --run. ({error})") from None
    page = docs / f"benchmarks-gpu-{re.sub(r'[^a-z0-9]+', '-', card.lower()).strip('-')}.md"
    page.write_text(text, encoding="utf-8")
    return page


def to_page(data: dict[str, Any], card: str) -> str:
    """Return the page, in Markdown, for the results of a run."""
    found = list(_results(data))
    speed = [_without_kind(result) for result in found if result["kind"] == "speed"]
    remarks = [result["text"] for result in found if result["kind"] == "remark"]
    paragraphs = [
        f"# On a GPU: {card}\nMade by `python -m benchmarks.gpu`.",
        "## Speed",
        to_markdown([Row(**row) for row in speed], data["machine"], remarks),
        "## Pictures",
        _quality([result for result in found if result["kind"] == "quality"]),
        EXPLAINED,
        "## Checks",
        _checks([result for result in found if result["kind"] == "check"]),
        "## Parts",
        _parts(data["parts"]),
    ]
    return "\n\n".join(paragraphs) + "\n"


def _results(data: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in data["parts"].values():
        yield from part["results"]


def _without_kind(result: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in result.items() if name != "kind"}


def _quality(results: list[dict[str, Any]]) -> str:
    lines = [f"| {' | '.join(QUALITY_HEAD)} |", "|---|---|---|" + "---:|" * 7]
    for result in results:
        asked = f"{result['asked']}{', cut' if result['cut'] else ''}, {result['seconds']:.0f} s"
        cells = [result["pair"], f"`{result['network']}`", asked, str(result["steps"])]
        cells += [_number(result[name], digits) for name, digits in DIGITS.items()]
        flicker, truth = _number(result["flicker"], 2), _number(result["flicker_truth"], 2)
        cells += [f"{flicker} ({truth})", _number(result["seconds_a_frame"], 3)]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _checks(results: list[dict[str, Any]]) -> str:
    lines = ["| check | | seen |", "|---|---|---|"]
    for result in results:
        mark = "✓" if result["passed"] else "✗"
        lines.append(f"| {result['name']} | {mark} | {result['seen']} |")
    return "\n".join(lines)


def _parts(parts: dict[str, Any]) -> str:
    lines = ["| part | | seconds |", "|---|---|---:|"]
    for name, part in parts.items():
        error = f": {part['error'][-1]}" if part.get("error") else ""
        lines.append(f"| {name} | {part['state']}{error} | {part['seconds']:.0f} |")
    return "\n".join(lines)


def _card(device: str) -> str:
    """Return the name of the card in a description such as ``CUDA GPU (NVIDIA H100, bf16)``."""
    inside = device.partition("(")[2].rpartition(")")[0]
    return inside.partition(",")[0] or device


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:.{digits}f}"
