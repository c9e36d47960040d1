# SPDX-License-Identifier: GPL-3.0-or-later
"""Loops as machine code: alike with NumPy, and compiled once on a machine."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import numpy as np

from engine.images.hashing import hash_one, hash_unit
from engine.images.jit import compiled
from engine.projection.surface_edges import pixel_spans, surface_steps

ROOT = Path(__file__).parents[2]
COUNT_HITS = """
import numpy as np
from engine.images.hashing import hash_one
hash_one(np.uint32(7))
print(sum(hash_one.stats.cache_hits.values()), sum(hash_one.stats.cache_misses.values()))
"""


def hits_and_misses(**environment: str) -> list[str]:
    """What a process of its own finds kept, and what it compiles."""
    done = subprocess.run(
        [sys.executable, "-c", COUNT_HITS],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


def test_what_was_compiled_is_found_again(tmp_path: Path) -> None:
    assert hits_and_misses(NUMBA_CACHE_DIR=str(tmp_path)) == ["0", "1"]
    assert hits_and_misses(NUMBA_CACHE_DIR=str(tmp_path)) == ["1", "0"]


def test_the_named_folder_is_used(tmp_path: Path) -> None:
    named = {"PAINTOVER_CACHE": str(tmp_path / "for all"), "NUMBA_CACHE_DIR": ""}
    assert hits_and_misses(**named) == ["0", "1"]
    assert hits_and_misses(**named) == ["1", "0"]
    assert [path.name for path in tmp_path.rglob("compiled-loops")] == ["compiled-loops"]


NO_USUAL_FOLDER = {
    "NUMBA_CACHE_LOCATOR_CLASSES": "UserProvidedCacheLocator",
    "NUMBA_CACHE_DIR": "",
    "PAINTOVER_CACHE": "",
}
"""As where neither the program nor the home folder can be written."""


def test_elsewhere_they_are_kept_in_a_temporary_folder_of_ones_own(tmp_path: Path) -> None:
    assert hits_and_misses(**NO_USUAL_FOLDER, TMPDIR=str(tmp_path)) == ["0", "1"]
    assert hits_and_misses(**NO_USUAL_FOLDER, TMPDIR=str(tmp_path)) == ["1", "0"]
    (folder,) = tmp_path.iterdir()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_nothing_is_kept_in_a_temporary_folder_that_others_can_write(tmp_path: Path) -> None:
    folder = tmp_path / f"paintover-{os.getuid()}"
    folder.mkdir()
    folder.chmod(0o777)
    assert hits_and_misses(**NO_USUAL_FOLDER, TMPDIR=str(tmp_path)) == ["0", "1"]
    assert list(folder.iterdir()) == []


def test_one_line_says_where_they_are_kept(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "engine", "preview", str(tmp_path / "none")]
    environment = {**os.environ, **NO_USUAL_FOLDER, "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        words, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    told = [line for line in done.stderr.splitlines() if "Compiled loops" in line]
    assert len(told) == 1
    assert f"{tmp_path}/paintover-" in told[0] and "PAINTOVER_CACHE" in told[0]


@compiled
def _divided(one: float, other: float) -> float:
    return one / other


def test_division_by_zero_is_as_in_numpy() -> None:
    assert _divided(1.0, 0.0) == np.inf
    assert np.isnan(_divided(0.0, 0.0))


def test_one_integer_hashes_as_many_do() -> None:
    values = np.array([0, 1, 2, 3, 255, 65536, 2**31, 2**32 - 1], np.uint32)
    assert [hash_one(value) for value in values] == hash_unit(values).tolist()
    known = [0, 6850960, 13701921, 5501417, 11748414, 14462894, 13388609, 6776962]
    assert (hash_unit(values) * 2**24).tolist() == known


def test_steps_are_taken_where_the_surface_goes_on() -> None:
    surface = np.zeros((3, 6, 3), np.float32)
    surface[..., 0] = [0, 1, 2, 50, 51, 52]
    surface[..., 1] = np.array([0, 2, 4])[:, None]
    objects = np.ones((3, 6), np.int32)
    objects[:, 5] = 2
    across = surface_steps(surface, objects, axis=1)[1, :, 0]
    assert across.tolist() == [1, 1, 1, 1, 1, 0]
    assert (surface_steps(surface, objects, axis=0)[..., 1] == 2).all()
    surface[1, 1] = np.nan
    assert surface_steps(surface, objects, axis=1)[1, :, 0].tolist() == [0, 0, 48, 1, 1, 0]
    spans = pixel_spans(surface, np.where(objects == 2, 0, objects))
    assert spans[0].tolist() == [2, 1, 2, 2, 2, 0]
    assert spans[1].tolist() == [2, 0, 48, 2, 2, 0]
