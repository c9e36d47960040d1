# SPDX-License-Identifier: GPL-3.0-or-later
"""The assistant's strip in the timeline: what is drawn where."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Part = Callable[[str], Any]


@pytest.fixture
def shown(part: Part) -> Any:
    """Frames 1 to 10: all of frame 1 is seen, less and less of the later ones."""
    strip = part("assistant.strip")
    shares = tuple((frame, 1.1 - frame / 10) for frame in range(1, 11))
    return strip.Strip(1, 10, shares, keys=(1,), waiting=(8,), cuts=(5,), unsteady=(3,))


def test_each_frame_is_as_high_as_it_is_seen(shown: Any, part: Part) -> None:
    strip, timeline = part("assistant.strip"), part("assistant.timeline")
    found = list(timeline.parts(shown, lambda frame: 40 + 20 * frame, 1000))
    ground, *rest = found
    assert (ground.left, ground.right, ground.colour) == (50, 250, strip.UNSEEN)
    frames, marks = rest[:10], rest[10:]
    for number, one in enumerate(frames, 1):
        assert (one.left, one.right) == (40 + 20 * (number - 0.5), 40 + 20 * (number + 0.5))
        assert one.top == pytest.approx(1.1 - number / 10)
        assert one.colour == (strip.SEEN if number < 3 else strip.WEAK)
    where = {one.colour: (one.left + one.right) / 2 for one in marks}
    assert where == {strip.CUT: 140, strip.WAITING: 200, strip.KEY: 60, strip.FLICKERS: 100}


def test_nothing_lies_outside_and_long_shots_are_few_parts(shown: Any, part: Part) -> None:
    timeline, strip = part("assistant.timeline"), part("assistant.strip")
    zoomed = list(timeline.parts(shown, lambda frame: 300 * (frame - 5), 480))
    assert zoomed and all(0 <= one.left < one.right <= 480 for one in zoomed)
    long = strip.Strip(1, 20_000, tuple((frame, 0.5) for frame in range(1, 20_001, 500)))
    assert len(list(timeline.parts(long, lambda frame: frame / 40, 500))) < 600
    assert list(timeline.parts(strip.Strip(1, 1, ()), lambda frame: frame, 500)) == []
