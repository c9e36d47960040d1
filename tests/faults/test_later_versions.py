# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot of a later Paintover is never overwritten, nor taken for a damaged one."""

from __future__ import annotations

import json

import pytest

from benchmarks.faults.subjects import make_shot
from engine.jobs.import_pictures import import_pictures
from engine.shared.errors import PaintoverError
from engine.shared.manifest import MANIFEST_VERSION, Manifest
from engine.shared.protocol import ImportPictures
from engine.shared.reporter import Silent
from engine.shared.shot import Shot


@pytest.mark.parametrize("version", [MANIFEST_VERSION + 1, MANIFEST_VERSION + 0.5, 10**30])
def test_a_later_shot_stays_whatever_writes(tmp_path, version):
    given, shot = make_shot(tmp_path / "given"), make_shot(tmp_path / "shot")
    path = shot.folder / "shot.json"
    later = json.dumps({"version": version, "pictures": ["in another way"]})
    path.write_text(later)
    request = ImportPictures(0, str(shot.folder), str(given.folder / "frames"))
    for write in (
        lambda: import_pictures(request, Silent()),
        lambda: Shot(shot.folder, Manifest(8, 8, 1, 1)).save(),
        lambda: Shot.open(shot.folder),
    ):
        with pytest.raises(PaintoverError, match="later Paintover"):
            write()
    shot = Shot.open(given.folder)
    (given.folder / "shot.json").write_text(later)
    with pytest.raises(PaintoverError, match="later Paintover"):
        shot.save()
    assert path.read_text() == later == (given.folder / "shot.json").read_text()
