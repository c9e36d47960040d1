# SPDX-License-Identifier: GPL-3.0-or-later
"""Results of verbs on the standard output."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ...shared.frame_lists import counted
from ...shared.shot import Shot

Data = dict[str, Any] | list[dict[str, Any]]


def print_data(options: argparse.Namespace, data: Data, words: Callable[[], str]) -> None:
    """Print data as JSON or in words, as ``--json`` says.

    Args:
        options: of a verb that has ``--json``.
        data: plain data.
        words: returns the same for people.
    """
    print(json.dumps(data, indent=1) if options.json else words())


def painted_sentence(shot: Path, style: str, result: dict[str, Any]) -> str:
    """Return how many frames a job has painted, and where.

    Args:
        shot: the shot folder.
        style: name of the folder in ``out/``.
        result: of the job: ``frames`` and ``skipped``, numbers.
    """
    folder = Shot.open(shot).out_path(style, 0).parent
    painted = counted(result["frames"], "frame")
    return f"{folder}: {painted} painted, {result['skipped']} up to date."
