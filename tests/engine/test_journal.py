# SPDX-License-Identifier: GPL-3.0-or-later
"""Several writers of ``shot.json``, and frames that are noted beside it."""

from __future__ import annotations

import json
import multiprocessing

import pytest
import shots

from engine.shared import manifest_file
from engine.shared.errors import PaintoverError
from engine.shared.journal import JOURNAL_NAME
from engine.shared.manifest import Camera, FrameRecord, Manifest
from engine.shared.manifest_merge import merged
from engine.shared.shot import Shot

_FORK = multiprocessing.get_context("fork")


@pytest.fixture
def shot(tmp_path):
    return shots.make_shot(tmp_path / "shot", frames=3)


def _camera(frame: int) -> Camera:
    return Camera([frame + number / 7 for number in range(16)], name="Camera ö")


def test_a_noted_frame_is_read_and_saved_with_the_others(shot):
    shot.manifest.frames[9] = FrameRecord("0a", "0b", "0c", _camera(9))
    before = (shot.folder / "shot.json").read_bytes()
    shot.note_frame(9)
    assert (shot.folder / "shot.json").read_bytes() == before
    found = Shot.open(shot.folder)
    assert found.frames == [1, 2, 3, 9]
    assert found.manifest.frames[9] == shot.manifest.frames[9]
    assert (found.manifest.frame_start, found.manifest.frame_end) == (1, 9)
    found.save()
    assert not (shot.folder / JOURNAL_NAME).exists()
    assert Shot.open(shot.folder).manifest == found.manifest


def test_half_a_line_of_a_killed_writer_costs_no_other_frame(shot):
    for frame in (4, 5):
        shot.manifest.frames[frame] = FrameRecord(f"{frame:032x}")
        shot.note_frame(frame)
    path = shot.folder / JOURNAL_NAME
    path.write_bytes(path.read_bytes()[:-9])
    assert Shot.open(shot.folder).frames == [1, 2, 3, 4]
    shot.note_frame(4)
    assert Shot.open(shot.folder).frames == [1, 2, 3, 4]
    shot.note_frame(5)
    assert Shot.open(shot.folder).frames == [1, 2, 3, 4, 5]


def test_the_journal_of_another_manifest_does_not_count(shot):
    shot.manifest.frames[4] = FrameRecord("0a")
    shot.note_frame(4)
    journal = (shot.folder / JOURNAL_NAME).read_bytes()
    other = Shot.open(shot.folder)
    del other.manifest.frames[4]
    other.save()
    (shot.folder / JOURNAL_NAME).write_bytes(journal)  # as if killed before it was deleted
    assert Shot.open(shot.folder).frames == [1, 2, 3]
    shot.note_frame(4)
    assert Shot.open(shot.folder).frames == [1, 2, 3, 4]


def test_a_noted_frame_costs_the_same_in_a_long_shot(tmp_path):
    sizes = []
    for count in (10, 5000):
        shot = Shot(tmp_path / str(count), Manifest(480, 270, 1, count))
        shot.manifest.frames = {
            frame: FrameRecord("0" * 32, "1" * 32, "2" * 32, _camera(frame))
            for frame in range(1, count + 1)
        }
        shot.save()
        shot.note_frame(count)
        first = (shot.folder / JOURNAL_NAME).stat().st_size
        shot.note_frame(count)
        sizes.append((shot.folder / JOURNAL_NAME).stat().st_size - first)
        assert len(Shot.open(shot.folder).frames) == count
    assert sizes[1] - sizes[0] < 10


def _capture(folder, before, frames) -> None:
    shot = Shot(folder, Manifest(96, 64, min(frames), max(frames)))
    shot.goes_on_from(before)
    for number, frame in enumerate(frames):
        shot.manifest.frames[frame] = FrameRecord(f"{frame:032x}", camera=_camera(frame))
        if number:
            shot.note_frame(frame)
        else:
            shot.save()
    shot.save()


@pytest.mark.parametrize("count", [2, 4])
def test_captures_of_several_machines_join(tmp_path, count):
    folder = tmp_path / "shot"
    chunks = [range(1 + 25 * part, 26 + 25 * part) for part in range(count)]
    captures = [_FORK.Process(target=_capture, args=(folder, None, chunk)) for chunk in chunks]
    for capture in captures:
        capture.start()
    for capture in captures:
        capture.join(60)
        assert capture.exitcode == 0
    shot = Shot.open(folder)
    assert shot.frames == list(range(1, 25 * count + 1))
    assert (shot.manifest.frame_start, shot.manifest.frame_end) == (1, 25 * count)
    assert sorted(path.name for path in folder.iterdir()) == ["shot.json"]


def _weigh(folder, keys) -> None:
    for key in keys:
        shot = Shot.open(folder)
        shot.manifest.weights[key] = {key: key / 100}
        shot.save()


def test_no_change_of_another_writer_is_lost(shot):
    writers = [
        _FORK.Process(target=_weigh, args=(shot.folder, range(1 + 20 * part, 21 + 20 * part)))
        for part in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
        assert writer.exitcode == 0
    assert Shot.open(shot.folder).manifest.weights == {n: {n: n / 100} for n in range(1, 81)}


def test_nothing_is_written_while_another_keeps_the_turn(shot, monkeypatch):
    monkeypatch.setattr(manifest_file, "TURN_SECONDS", 0.05)
    before = (shot.folder / "shot.json").read_bytes()
    shot.manifest.fps = 30.0
    with manifest_file.held_in_turn(shot.folder / ".shot.json.lock", 0):
        with pytest.raises(PaintoverError, match=r"stays as it was.*try again"):
            shot.save()
        assert (shot.folder / "shot.json").read_bytes() == before
    shot.save()
    assert Shot.open(shot.folder).manifest.fps == 30.0


def test_a_damaged_manifest_is_replaced(shot):
    there = Shot.open(shot.folder)
    (shot.folder / "shot.json").write_text("{")
    there.save()
    assert Shot.open(shot.folder).frames == [1, 2, 3]
    with pytest.raises(PaintoverError, match="damaged"):
        (shot.folder / "shot.json").write_text("[]")
        Shot.open(shot.folder)


_BASE = {
    **{"width": 96, "height": 64, "passes": {}, "frame_start": 1, "frame_end": 2, "fps": 24.0},
    **{"frames": {"1": {"image": "a"}, "2": {"image": "b"}}, "removed_keys": [1, 2]},
    "source": {"kind": "blender", "settings": {"one": {"samples": 1}}},
    "guides": [],
}


@pytest.mark.parametrize(
    "disk, mine, expected",
    [
        ({"fps": 25.0}, {}, {"fps": 25.0}),
        ({}, {"fps": 30.0}, {"fps": 30.0}),
        ({"fps": 25.0}, {"fps": 30.0}, {"fps": 30.0}),
        ({"removed_keys": [1, 2, 5]}, {"removed_keys": [2, 7]}, {"removed_keys": [2, 7, 5]}),
        (
            {"frames": {**_BASE["frames"], "5": {"image": "e"}}, "frame_end": 5},
            {"frames": {"1": {"image": "z"}}, "frame_end": 1},
            {"frames": {"1": {"image": "z"}, "5": {"image": "e"}}, "frame_end": 5},
        ),
        ({"frame_start": 2}, {"frame_end": 1}, {"frame_start": 1, "frame_end": 1}),
        ({"frame_start": 9, "frame_end": 9}, {"frame_end": 5}, {"frame_end": 5}),
        ({"guides": ["ink", "b"]}, {"guides": ["a", "Ink"]}, {"guides": ["a", "Ink", "b"]}),
        (
            {"width": 480, "frames": {"7": {"image": "g"}}},
            {"frames": {**_BASE["frames"], "3": {"image": "c"}}},
            {"width": 480, "frames": {**_BASE["frames"], "3": {"image": "c"}}},
        ),
        (
            {"source": {"kind": "blender", "settings": {"one": {"samples": 1}, "two": {}}}},
            {"source": {"kind": "blender", "scene": "S", "settings": {"three": {}}}},
            {"source": {"kind": "blender", "scene": "S", "settings": {"two": {}, "three": {}}}},
        ),
    ],
)
def test_what_one_side_has_changed_stays(disk, mine, expected):
    found = merged(_BASE, {**_BASE, **disk}, {**_BASE, **mine})
    assert json.loads(json.dumps(found)) == {**_BASE, **expected}


@pytest.mark.parametrize(
    "theirs, ours",
    [
        ({"guides": ["Ink"]}, {"guides": ["ink"]}),
        ({"guides": ["a", "Ink"]}, {"guides": ["INK", "A", "b"]}),
        ({"frame_start": 3, "frames": {}}, {"frame_end": 2, "frames": {}}),
        ({"frame_start": 3}, {"frame_end": 2}),
    ],
)
def test_what_two_have_saved_is_read_again(shot, theirs, ours):
    there, here = Shot.open(shot.folder), Shot.open(shot.folder)
    for one, changes in ((there, theirs), (here, ours)):
        for name, value in changes.items():
            setattr(one.manifest, name, value)
        one.save()
    found = Shot.open(shot.folder).manifest
    assert found == here.manifest
    assert {name: getattr(found, name) for name in ours} == ours
