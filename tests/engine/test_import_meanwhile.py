# SPDX-License-Identifier: GPL-3.0-or-later
"""What others save into a shot while pictures are imported into it, or read from it, stays."""

from __future__ import annotations

import numpy as np
import pytest
from importing import SIZE, Report, folder_of, run

from engine.frames import keyframe
from engine.images.pictures import write_picture
from engine.shared.errors import PaintoverError
from engine.shared.keyframes.blank import copy_frame
from engine.shared.shot import Shot


class Saving(Report):
    """Calls a function once, when the first picture is converted."""

    def __init__(self, save):
        super().__init__()
        self.save = save

    def progress(self, step, fraction, seconds_left, text):
        if not self.steps:
            self.save()
        super().progress(step, fraction, seconds_left, text)


@pytest.fixture
def shot(tmp_path):
    """An imported shot, the keyframes 1 and 2 of which are blank."""
    run(tmp_path / "shot", folder_of(tmp_path / "in"))
    shot = Shot.open(tmp_path / "shot")
    copy_frame(shot, 1)
    copy_frame(shot, 2)
    shot.save()
    return shot


@pytest.mark.parametrize("suffix", [".png", ".exr"])
def test_a_painting_that_is_saved_during_an_import_stays(shot, tmp_path, suffix):
    painting = shot.key_path(1).with_suffix(suffix)
    new = folder_of(tmp_path / "new")
    run(
        shot.folder,
        new,
        Saving(lambda: write_picture(painting, np.full((*SIZE, 3), 0.5, np.float32))),
    )
    saved = painting.read_bytes()
    after = Shot.open(shot.folder)
    assert after.painted_keys() == [1]
    assert after.key_path(2).read_bytes() == (new / "0002.png").read_bytes()
    run(shot.folder, folder_of(tmp_path / "newer"))
    assert painting.read_bytes() == saved
    assert not (shot.folder / "keys" / "versions").exists()


def test_a_painting_over_a_blank_exr_during_an_import_is_not_noted_as_blank(shot, tmp_path):
    path = shot.key_path(1).with_suffix(".exr")
    write_picture(path, np.full((*SIZE, 3), 0.25, np.float32))
    shot.manifest.blank_keys[1] = keyframe.digest_picture(path)
    shot.save()
    assert shot.painted_keys() == []
    painting = np.full((*SIZE, 3), 0.5, np.float32)
    run(shot.folder, folder_of(tmp_path / "new"), Saving(lambda: write_picture(path, painting)))
    assert Shot.open(shot.folder).painted_keys() == [1]


def test_a_painting_never_takes_the_place_of_one_that_is_not_known(shot):
    write_picture(shot.key_path(3), np.full((*SIZE, 3), 0.5, np.float32))
    saved = shot.key_path(3).read_bytes()
    copy_frame(shot, 3)
    assert shot.key_path(3).read_bytes() == saved
    assert 3 not in shot.manifest.blank_keys


def test_a_painting_that_is_saved_while_the_blank_one_is_read_is_not_noted_as_blank(
    shot, monkeypatch
):
    shot.manifest.blank_keys = {}
    write_picture(shot.key_path(1), _almost(shot))
    shot.save()
    assert shot.painted_keys() == [1]
    look = keyframe.shows_only_the_frame

    def save(shot, read):
        found = look(shot, read)
        write_picture(shot.key_path(1), np.full((*SIZE, 3), 0.5, np.float32))
        return found

    monkeypatch.setattr(keyframe, "shows_only_the_frame", save)
    with pytest.raises(PaintoverError, match="is not painted yet"):
        keyframe.read_keyframes(shot)
    assert Shot.open(shot.folder).painted_keys() == [1]


def test_what_others_note_in_the_manifest_during_an_import_stays(shot, tmp_path):
    def note():
        other = Shot.open(shot.folder)
        other.manifest.removed_keys = [1]
        other.manifest.weights = {2: {2: 0.5}}
        other.manifest.owner = {"blend": "../a.blend", "scene": "Scene"}
        other.save()

    new = folder_of(tmp_path / "new", [1, 2])
    run(shot.folder, new, Saving(note), ink=new)
    manifest = Shot.open(shot.folder).manifest
    assert (manifest.removed_keys, manifest.weights) == ([1], {2: {2: 0.5}})
    assert manifest.owner["scene"] == "Scene"
    assert (list(manifest.frames), manifest.guides) == ([1, 2], ["ink"])
    assert (manifest.frame_start, manifest.frame_end) == (1, 2)


def _almost(shot):
    """Return the pixels of a frame with an alpha, so that the file is another."""
    pixels = keyframe.read_picture(shot.image_path(1)).rgb
    return np.dstack([pixels, np.ones(SIZE, np.float32)])
