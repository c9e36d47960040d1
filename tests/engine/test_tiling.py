# SPDX-License-Identifier: GPL-3.0-or-later
"""Tiles: they hold what is wanted, once, at little cost."""

from __future__ import annotations

import numpy as np
import pytest

from engine.inference.tiling import (
    CELL,
    FRAME_PADDING,
    Padding,
    Tile,
    TileRange,
    halves,
    padded_range,
    tiles,
)
from engine.networks.base import GRID


def area(found: list, reach: int) -> int:
    return sum(
        (tile.bottom - tile.top + 2 * reach) * (tile.right - tile.left + 2 * reach)
        for tile in found
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("size", [(1, 1), (37, 90), (256, 144), (301, 415)])
def test_all_that_is_wanted_is_in_exactly_one_tile_and_none_is_too_large(seed, size):
    rng = np.random.default_rng(seed)
    wanted = rng.random(size) < 10.0 ** -rng.integers(0, 5)
    count = np.zeros(size, int)
    for tile in tiles(wanted, 44, 128):
        part = np.s_[tile.top : tile.bottom, tile.left : tile.right]
        count[part] += 1
        assert wanted[part].any()
        assert max(wanted[part].shape) <= 128
    assert count.max() <= 1
    assert (count[wanted] == 1).all()


def test_nothing_wanted_is_no_tile():
    assert tiles(np.zeros((100, 200), bool), 44, 1024) == []


def test_one_pixel_is_one_cell():
    wanted = np.zeros((100, 200), bool)
    wanted[-1, 40] = True
    assert [tuple(tile) for tile in tiles(wanted, 44, 1024)] == [(96, 32, 100, 32 + CELL)]


def test_a_large_frame_is_cut_evenly():
    found = tiles(np.ones((2160, 3840), bool), 44, 768)
    assert len(found) == 3 * 5
    assert {(tile.bottom - tile.top, tile.right - tile.left) for tile in found} == {(720, 768)}


def test_far_apart_is_cut_and_close_together_is_not():
    far, near = np.zeros((2, 640, 640), bool)
    far[10:60, 10:60] = far[500:600, 520:620] = True
    near[10:60, 10:60] = near[80:130, 10:60] = True
    assert len(tiles(far, 44, 1024)) == 2
    assert len(tiles(near, 44, 1024)) == 1
    assert area(tiles(far, 44, 1024), 44) < 0.15 * (640 + 88) ** 2


def test_a_cut_is_made_only_where_it_saves_pixels():
    rng = np.random.default_rng(1)
    for _ in range(10):
        wanted = np.zeros((400, 400), bool)
        for top, left in rng.integers(0, 340, (4, 2)):
            wanted[top : top + 60, left : left + 60] = True
        rows, columns = (np.flatnonzero(wanted.any(axis)) for axis in (1, 0))
        high, wide = (at[-1] // CELL * CELL + CELL - at[0] // CELL * CELL for at in (rows, columns))
        assert area(tiles(wanted, 44, 1024), 44) <= (high + 88) * (wide + 88)


@pytest.mark.parametrize("size", [1, 30, 97, 400])
def test_computed_rows_hold_the_tile_and_its_surroundings(size):
    for start in range(0, size, 16):
        end = min(start + 16, size)
        span = padded_range(start, end, 44, size)
        assert span.size % GRID == 0
        assert span.output_in_padded.stop - span.output_in_padded.start == end - start
        assert span.inner.start - span.padding[0] + span.output_in_padded.start == start
        assert (span.inner.start - span.padding[0]) % GRID == 0
        assert span.output_in_padded.start >= min(44, start + FRAME_PADDING)
        assert span.size - span.output_in_padded.stop >= min(44, size + FRAME_PADDING - end)


@pytest.mark.parametrize("height", [150, 160, 201])
def test_what_a_frame_goes_on_with_is_computed_as_if_it_were_at_hand(height):
    rng = np.random.default_rng(height)
    frame = np.full((height, 128), 7, np.uint8)
    window = np.s_[64:112, 0:80]
    frame[80:96, :64] = rng.integers(0, 255, (16, 64))
    margins = (64, height - 112), (0, 48)
    for top, left in ((16, 0), (32, 48)):
        bottom, right = top + 16, left + 16
        part = (
            padded_range(top, bottom, 44, 48, margins[0]),
            padded_range(left, right, 44, 80, margins[1]),
        )
        whole = padded_range(64 + top, 64 + bottom, 44, height), padded_range(left, right, 44, 128)

        def computed(values: np.ndarray, rows: TileRange, columns: TileRange) -> np.ndarray:
            result = np.zeros((rows.size, columns.size), np.uint8)
            Padding(rows, columns).pad(values[rows.inner, columns.inner], result)
            return result

        assert [span.output_in_padded for span in part] == [span.output_in_padded for span in whole]
        assert np.array_equal(computed(frame[window], *part), computed(frame, *whole))


def test_a_long_tile_is_halved_and_a_short_one_is_not():
    assert halves(Tile(16, 32, 80, 144)) == [Tile(16, 32, 80, 144)]
    assert halves(Tile(16, 32, 301, 64)) == [Tile(16, 32, 160, 64), Tile(160, 32, 301, 64)]
    assert halves(Tile(16, 32, 80, 160)) == [Tile(16, 32, 80, 96), Tile(16, 96, 80, 160)]
    assert Tile(16, 32, 301, 64).area == 285 * 32
