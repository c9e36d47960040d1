# SPDX-License-Identifier: GPL-3.0-or-later
"""Caches that somebody has made on purpose, with the right digest, count as not being there."""

from __future__ import annotations

import json
import resource
import shutil
import struct
import sys

import numpy as np
import pytest
from painted_scenes import Scene
from real_sizes import Project

from engine.images import array_files
from engine.images.array_files import write_arrays
from engine.jobs.suggest import suggest
from engine.motion.track_cache import TrackCache
from engine.shared.protocol import Suggest
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

HUGE = 6 << 30


@pytest.fixture(scope="module", params=["surface", "motion"])
def original(request, tmp_path_factory):
    """A shot whose cells are found again by the surface, or along the motion."""
    project = Project(tmp_path_factory.mktemp(request.param), Scene(480, 270, opaque=False), 3)
    project.capture(surface=request.param == "surface")
    suggest(Suggest(0, str(project.shot)), Silent())
    return Shot.open(project.shot)


@pytest.fixture
def shot(original, tmp_path) -> Shot:
    return Shot.open(shutil.copytree(original.folder, tmp_path / "shot"))


def changes(arrays):
    """Yield names, and the arrays with a change that no job makes."""
    yield "nothing", {}
    yield "further", {**arrays, "seen.x": arrays["cuts"], "cells": np.array([HUGE])}
    for name, one in arrays.items():
        yield f"{name} away", {other: arrays[other] for other in arrays if other != name}
        yield f"{name} short", {**arrays, name: one[:-1]}
        yield f"{name} long", {**arrays, name: np.concatenate([one, one[:1], np.ones_like(one)])}
        yield f"{name} in one more axis", {**arrays, name: one[None]}
        yield f"{name} of floats", {**arrays, name: np.full(one.shape, np.nan, np.float64)}
        is_whole = np.issubdtype(one.dtype, np.integer)
        for value in (np.iinfo(one.dtype).max, np.iinfo(one.dtype).min) if is_whole else (np.nan,):
            yield f"{name} all {value}", {**arrays, name: np.full_like(one, value)}


def test_changed_coverage_is_found_anew_or_read(shot):
    path = shot.cache_folder("coverage") / "seen.safetensors"
    record = path.with_name("coverage.json")
    text = record.read_text("utf-8")
    with array_files.safe_open(path, "np") as opened:
        digest = opened.metadata()["digest"][:-32]
    arrays = array_files.read_arrays(path, digest, 1 << 30)
    first = suggest(Suggest(0, str(shot.folder)), Silent())
    for name, changed in changes(arrays):
        write_arrays(path, changed, digest)
        record.unlink()
        found = suggest(Suggest(0, str(shot.folder)), Silent())
        # Values that fit the shot may be wrong all the same, and frames need be no candidates.
        assert found == first or " all " in name or name.startswith("seen."), name
    assert json.loads(text)["covered"] == pytest.approx(first.covered)


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux tells it")
def test_a_cache_far_larger_than_the_shot_is_not_read(shot):
    path = shot.cache_folder("coverage") / "seen.safetensors"
    with array_files.safe_open(path, "np") as opened:
        digest = opened.metadata()["digest"]
    data = {"dtype": "U8", "shape": [1 << 30], "data_offsets": [0, 1 << 30]}
    head = json.dumps({"__metadata__": {"digest": digest}, "seen.1": data}).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head)
    with path.open("rb+") as file:
        file.truncate(8 + len(head) + (1 << 30))
    path.with_name("coverage.json").unlink()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    suggest(Suggest(0, str(shot.folder)), Silent())
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@pytest.mark.parametrize("kind", ["F8_E4M3", "F8_E5M2", "BF16"])
def test_kinds_of_numbers_that_numpy_lacks(shot, kind):
    tracks = TrackCache(shot, 1, Silent())
    first = tracks.track(2)
    seen = shot.cache_folder("coverage") / "seen.safetensors"
    for path in (next(shot.cache_folder("tracks").glob("0002.*")), seen):
        with array_files.safe_open(path, "np") as opened:
            digest = opened.metadata()["digest"]
        data = {"dtype": kind, "shape": [4], "data_offsets": [0, 8 if kind == "BF16" else 4]}
        head = json.dumps({"__metadata__": {"digest": digest}, "x": data}).encode()
        path.write_bytes(struct.pack("<Q", len(head)) + head + bytes(data["data_offsets"][1]))
    again = TrackCache(shot, 1, Silent()).track(2)
    assert np.array_equal(again.at, first.at, equal_nan=True)
    seen.with_name("coverage.json").unlink()
    suggest(Suggest(0, str(shot.folder)), Silent())
