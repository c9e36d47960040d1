# SPDX-License-Identifier: GPL-3.0-or-later
"""What would take all memory or never end is refused, or is read in little memory."""

from __future__ import annotations

import sys

import pytest

from benchmarks.faults import bounds
from engine.shared.errors import PaintoverError
from engine.shared.frame_lists import LARGEST_FRAME, parse_frames

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux tells it")


def test_bombs_pipes_and_huge_numbers_are_refused_in_little_memory(tmp_path):
    found = bounds.bounds(tmp_path)
    assert len(found) > 120
    assert [one for one in found if one.outcome not in ("", "refused")] == []
    assert [one for one in found if one.megabytes > bounds.MOST_MEGABYTES] == []


@pytest.mark.parametrize("text", ["1-99999999999", "9" * 5000, f"{LARGEST_FRAME + 1}", "-9999999"])
def test_frame_lists_beyond_the_last_frame(text):
    with pytest.raises(PaintoverError, match="the last frame") as error:
        parse_frames(text)
    assert len(str(error.value)) < 200


def test_ranges_that_overlap_are_told_once():
    assert parse_frames("3-5,1-4,4,-1") == [-1, 1, 2, 3, 4, 5]
