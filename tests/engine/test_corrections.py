# SPDX-License-Identifier: GPL-3.0-or-later
"""Imported frames, guides and mattes that someone has corrected are kept as versions."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import synthetic
from importing import Report, contents, folder_of, random_codes, run
from test_import_killed import kill_at

from engine.jobs.import_pictures import alone_in
from engine.jobs.mattes import remove_mattes, set_mattes
from engine.shared.errors import PaintoverError
from engine.shared.manifest import FrameRecord
from engine.shared.shot import Shot

COPIES = ("frames", "guides/lines", "mattes/matte")


@pytest.fixture
def sources(tmp_path) -> dict[str, Path]:
    """Folders of the frames, a guide and mattes."""
    return {name: folder_of(tmp_path / "in" / name, range(1, 5)) for name in COPIES}


@pytest.fixture
def place(tmp_path, sources) -> Path:
    import_all(tmp_path / "shot", sources)
    return tmp_path / "shot"


def import_all(place: Path, sources: dict[str, Path]) -> Report:
    report = Report()
    run(place, sources[COPIES[0]], report, mask=sources[COPIES[2]], lines=sources[COPIES[1]])
    return report


def correct(place: Path, frame: int, *names: str) -> dict[str, bytes]:
    """Change copies of a frame; returns their contents."""
    paths = {name: place / name / f"{frame:04d}.png" for name in names}
    for path in paths.values():
        synthetic.write_png(path, random_codes())
    return {name: path.read_bytes() for name, path in paths.items()}


def versions(place: Path) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for name, data in contents(place).items():
        folder, is_version, _ = name.partition("/versions/")
        if is_version:
            found.setdefault(folder, []).append(data)
    return found


def test_what_an_import_replaces(place, sources):
    corrected = correct(place, 2, *COPIES)
    report = import_all(place, sources)
    assert versions(place) == {name: [data] for name, data in corrected.items()}
    for name in COPIES:
        (told,) = (told for told in report.warnings if f"{place / name} that were" in told)
        assert f": 2; what was there is in {place / name / 'versions'}." in told
        assert (place / name / "0002.png").read_bytes() == (sources[name] / "0002.png").read_bytes()
    assert import_all(place, sources).warnings == []
    assert versions(place) == {name: [data] for name, data in corrected.items()}


def test_what_an_import_drops(place, sources):
    corrected = correct(place, 4, *COPIES)
    for folder in sources.values():
        (folder / "0004.png").unlink()
    import_all(place, sources)
    assert versions(place) == {name: [data] for name, data in corrected.items()}
    assert not list(place.glob("*/*/0004.png")) and not (place / "frames/0004.png").exists()
    folder_of(sources["frames"], [4])
    run(place, sources["frames"])  # nothing is in the way


def test_a_guide_and_mattes_that_an_import_lacks(place, sources):
    corrected = correct(place, 1, *COPIES[1:])
    run(place, sources["frames"])
    assert versions(place) == {name: [data] for name, data in corrected.items()}


def test_what_the_same_pictures_or_new_ones_replace_needs_no_version(place, sources):
    correct(place, 1, *COPIES)
    for name in COPIES:
        shutil.copyfile(place / name / "0001.png", sources[name] / "0001.png")
        folder_of(sources[name], [2, 3])
    assert import_all(place, sources).warnings == []
    assert versions(place) == {}


def test_mattes_that_others_replace_or_that_are_taken_away(place, sources):
    first = correct(place, 1, "mattes/matte")["mattes/matte"]
    report = Report()
    set_mattes(place, sources["mattes/matte"], report)
    assert versions(place) == {"mattes/matte": [first]} and ": 1; what was" in report.warnings[0]
    second = correct(place, 2, "mattes/matte")["mattes/matte"]
    remove_mattes(place, report)
    assert sorted(versions(place)["mattes/matte"]) == sorted([first, second])
    assert ": 2; what was" in report.warnings[1]


def test_mattes_that_a_killed_job_had_begun_to_take_away(place, sources, monkeypatch):
    def killed(_: Path) -> None:
        raise KeyboardInterrupt

    corrected = correct(place, 1, "mattes/matte")["mattes/matte"]
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("engine.jobs.mattes.delete", killed)
        remove_mattes(place, Report())
    assert Shot.open(place).manifest.matte == ""
    other = folder_of(sources["mattes/matte"], range(1, 5))
    set_mattes(place, other, Report())  # nothing is in the way
    assert versions(place) == {"mattes/matte": [corrected]}
    assert contents(place / "mattes/matte").items() >= contents(other).items()


def test_mattes_are_not_taken_away_while_others_bring_them(place):
    with alone_in(place), pytest.raises(PaintoverError, match="Another import"):
        remove_mattes(place, Report())
    assert Shot.open(place).manifest.matte == "matte"


def test_mattes_of_a_captured_shot(rendered_shot, tmp_path):
    source = tmp_path / "in"
    for frame in rendered_shot.frames:
        codes = np.full((synthetic.HEIGHT, synthetic.WIDTH), 50 * frame, np.uint8)
        synthetic.write_png(source / f"{frame:04d}.png", codes)
    set_mattes(rendered_shot.folder, source, Report())
    path = Shot.open(rendered_shot.folder).matte_path(2)
    synthetic.write_png(path, codes)
    corrected = path.read_bytes()
    set_mattes(rendered_shot.folder, source, Report())
    assert versions(rendered_shot.folder) == {"mattes/matte": [corrected]}


def test_copies_of_an_earlier_version_that_noted_no_digests_are_ours(place, sources):
    shot = Shot.open(place)
    for frame, record in shot.manifest.frames.items():
        shot.manifest.frames[frame] = FrameRecord(record.image)
    shot.save()
    for name in COPIES[1:]:
        folder_of(sources[name], range(1, 5))
    import_all(place, sources)
    assert versions(place) == {}


def test_an_import_after_one_that_was_killed_makes_no_versions_of_its_work(
    place, sources, tmp_path, monkeypatch
):
    others = {name: folder_of(tmp_path / "other" / name, range(1, 4)) for name in COPIES}
    words = {"mask": others["mattes/matte"], "lines": others["guides/lines"]}
    before, step = tmp_path / "before", 1
    shutil.copytree(place, before)
    while True:
        shutil.rmtree(place)
        shutil.copytree(before, place)
        if not kill_at(step, monkeypatch, place, others["frames"], **words):
            break
        assert import_all(place, sources if step % 2 else others).warnings == []
        assert versions(place) == {}, step
        step += 1
    assert step > 10
