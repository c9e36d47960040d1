# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on's log messages, and which of Blender's arguments show them."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("arguments", "level"),
    [
        ("blender", None),
        ("blender --log wm.operator", None),
        ("blender --log paintover", logging.INFO),
        ("blender --log wm.*,paintover.*", logging.INFO),
        ("blender --log * --log-level debug", logging.DEBUG),
        ("blender --log *,^paintover", None),
        ("blender --log-level warning --log *paint*", logging.WARNING),
        ("blender --log paintover --log-level -1", logging.DEBUG),
        ("blender -- --log paintover", None),
    ],
)
def test_level_follows_the_arguments_of_blender(
    part: Callable[[str], Any], arguments: str, level: int | None
) -> None:
    assert part("logs").level_of(arguments.split()) == level


def test_messages_are_shown_with_time_and_level(
    part: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs, jobs, progress = part("logs"), part("jobs"), part("jobs").Progress

    def job() -> Any:
        yield progress(0.5)

    jobs.run_to_end("Silent", job())
    monkeypatch.setattr(sys, "argv", ["blender", "--log", "paintover"])
    logs.register()
    jobs.run_to_end("Told", job())
    logs.unregister()
    jobs.run_to_end("Silent", job())
    first, last = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"[\d-]{10} [\d:,]{12} INFO paintover\.jobs: Told starts", first)
    assert last.endswith(" s") and "INFO paintover.jobs: Told ends after" in last
    assert part("engine.shared.logs").is_below_error(first)
