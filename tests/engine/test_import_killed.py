# SPDX-License-Identifier: GPL-3.0-or-later
"""An import that is killed at any step does not stand in the way of any other import."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from importing import Report, contents, folder_of, run

from engine.jobs.import_note import NOTE_NAME
from engine.jobs.mattes import set_mattes
from engine.shared.errors import PaintoverError
from engine.shared.keyframes.blank import copy_frame
from engine.shared.pictures.digests import digest_picture
from engine.shared.shot import Shot


class Killed(BaseException):
    """Ends an import as a kill does: nothing handles it."""


@pytest.fixture
def inputs(tmp_path):
    """Folders of different pictures, by the frames that they have."""
    frames = {"a": range(1, 5), "b": (1, 2, 5), "c": range(3, 7), "few": (1, 2)}
    return {name: folder_of(tmp_path / "in" / name, numbers) for name, numbers in frames.items()}


@pytest.fixture
def imported(tmp_path, inputs):
    """A shot with a guide, masks of its paintings, and two blank keyframes."""
    place = tmp_path / "imported"
    run(place, inputs["a"], painted=inputs["few"], mask=inputs["few"], ink=inputs["a"])
    shot = Shot.open(place)
    for frame in (3, 4):
        copy_frame(shot, frame)
    shot.save()
    return place


def kill_at(step: int, monkeypatch: pytest.MonkeyPatch, place: Path, *words, **folders) -> bool:
    """Import, killed before a file of the shot is moved or removed the nth time.

    Returns:
        Whether it was killed; else it has ended before.
    """
    seen = 0

    def dies(change):
        def changed(path, *arguments, **named):
            nonlocal seen
            ends = [path, *arguments]
            inside = [Path(end).relative_to(place).parts for end in ends if isinstance(end, Path)]
            if inside and inside[-1][0] in ("frames", "guides", "mattes", "shot.json"):
                seen += 1
                if seen == step:
                    raise Killed
            return change(path, *arguments, **named)

        return changed

    with monkeypatch.context() as patch:
        for name in ("replace", "unlink"):
            patch.setattr(Path, name, dies(getattr(Path, name)))
        try:
            run(place, *words, **folders)
        except Killed:
            return True
    return False


def files(place: Path) -> dict[str, bytes]:
    """Return what imports have made, without paintings and versions."""
    return {name: data for name, data in contents(place).items() if not name.startswith("keys")}


def same(place: Path, wanted: Path) -> bool:
    """Return whether two shots are equal, but for blank keyframes, which a kill may remove."""
    left, right = files(place), files(wanted)
    for side in (left, right):
        manifest = {**json.loads(side["shot.json"]), "id": "", "blank_keys": {}}
        side["shot.json"] = json.dumps(manifest).encode()
    return left == right


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("then", ["a", "b", "c", "few"])
def test_an_import_after_one_that_was_killed(
    tmp_path, inputs, imported, monkeypatch, is_first, then
):
    wanted, place = tmp_path / "wanted", tmp_path / "shot"
    if not is_first:
        shutil.copytree(imported, wanted)
    run(wanted, inputs[then], lines=inputs[then])
    step = 1
    while True:
        shutil.rmtree(place, ignore_errors=True)
        if not is_first:
            shutil.copytree(imported, place)
        if not kill_at(step, monkeypatch, place, inputs["b"], lines=inputs["b"], mask=inputs["b"]):
            break
        report = Report()
        run(place, inputs[then], report, lines=inputs[then])
        assert same(place, wanted), step
        assert not any("was changed after" in sentence for sentence in report.warnings)
        blank = [path.name for path in place.glob("keys/000[34].png")]
        for name in blank:
            assert (place / "keys" / name).read_bytes() == (inputs[then] / name).read_bytes()
        step += 1
    assert step > 10


def test_an_import_after_two_that_were_killed(tmp_path, inputs, monkeypatch):
    place = tmp_path / "shot"
    assert kill_at(3, monkeypatch, place, inputs["a"])
    assert kill_at(2, monkeypatch, place, inputs["c"])
    run(place, inputs["few"])
    assert sorted(files(place)) == ["frames/0001.png", "frames/0002.png", "shot.json"]


def test_mattes_after_an_import_that_was_killed(tmp_path, inputs, monkeypatch):
    place = tmp_path / "shot"
    run(place, inputs["few"])
    assert kill_at(3, monkeypatch, place, inputs["b"])
    set_mattes(place, inputs["few"], Report())
    assert {name for name in files(place) if "3" in name or "5" in name} == set()
    run(place, inputs["a"])


def test_a_picture_that_was_changed_after_the_kill_is_not_replaced(tmp_path, inputs, monkeypatch):
    place = tmp_path / "shot"
    assert kill_at(3, monkeypatch, place, inputs["a"])
    picture = shutil.copyfile(inputs["c"] / "0003.png", place / "frames/0001.png")
    with pytest.raises(PaintoverError, match=r"0001\.png is in the way"):
        run(place, inputs["few"])
    assert picture.read_bytes() == (inputs["c"] / "0003.png").read_bytes()


@pytest.mark.parametrize(
    "name", ["keys/0001.png", "../0001.png", "guides/../keys/0001.png", "frames/../keys/0001.png"]
)
def test_a_note_of_someone_else_removes_nothing_but_copies(imported, inputs, name):
    shot = Shot.open(imported)
    digest = shot.manifest.frames[1].image
    painting = shutil.copyfile(shot.image_path(1), imported / "keys/0001.png")
    note = {"files": {name: [digest, digest_picture(painting)]}}
    (imported / NOTE_NAME).write_text(json.dumps(note))
    shutil.copyfile(painting, imported.parent / "0001.png")
    before = painting.read_bytes()
    run(imported, inputs["a"])
    assert (imported.parent / "0001.png").read_bytes() == before
    assert painting.is_file()
    assert not (imported / NOTE_NAME).exists()
