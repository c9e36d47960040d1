# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a file cannot be written: each error has its own way out, wherever it comes up."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest
import shots
from importing import folder_of, run

from engine.app.error_messages import explain
from engine.shared.errors import PaintoverError
from engine.shared.files import cannot_write, write_bytes
from engine.shared.shot import Shot


@pytest.mark.parametrize(
    ("code", "way_out"),
    [
        (errno.ENOSPC, "; free some space."),
        (errno.EDQUOT, "; free some space."),
        (errno.EACCES, "; choose a folder that you may write to."),
        (errno.EROFS, "; choose a folder that you may write to."),
        (errno.ENAMETOOLONG, "; choose a folder with a shorter path."),
        (errno.EXDEV, "; keep this folder on one drive."),
        (errno.EIO, "; free some space, or choose a folder on another disk."),
        (0, "; free some space, or choose a folder on another disk."),
    ],
)
def test_the_way_out_fits_the_error(tmp_path, code, way_out):
    error = OSError(code, os.strerror(code)) if code else OSError("broken")
    sentence = str(cannot_write(tmp_path / "a.png", error))
    assert sentence.startswith(f"Cannot write {tmp_path / 'a.png'}: ")
    assert sentence.endswith(way_out)


def in_the_way(place: Path, kind: str) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind == "file":
        place.write_bytes(b"")
    else:
        place.symlink_to(place.parent / "nowhere")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("out", "file"),
        ("out/style", "file"),
        ("out/style/made", "file"),
        ("out/style/versions", "link"),
        ("cache/digests", "file"),
        ("cache/digests", "link"),
    ],
)
def test_what_is_in_the_way_is_named(trained_folder, tmp_path, name, kind):
    shot = Shot.open(shutil.copytree(trained_folder, tmp_path / "shot"))
    place = shot.folder / name
    in_the_way(place, kind)
    with pytest.raises(PaintoverError) as caught:
        write_bytes(place / "deeper" / "0001.json", b"{}")
    way_out = "replace it by a folder" if kind == "link" else "move it elsewhere"
    assert f"{place} is " in str(caught.value)
    assert str(caught.value).endswith(f"; {way_out}.")


def test_a_command_names_what_is_in_the_way(trained_folder, tmp_path):
    shot = Shot.open(shutil.copytree(trained_folder, tmp_path / "shot"))
    place = shot.folder / "out" / "style" / "made"
    in_the_way(place, "file")
    done = shots.run_warm("stylize", shot.folder, "--force", "--frames", "2")
    shots.assert_one_sentence(done, f"{place} is in the way; move it elsewhere.")


def test_an_import_names_what_is_in_the_way(tmp_path):
    source = folder_of(tmp_path / "in")
    in_the_way(tmp_path / "link", "link")
    with pytest.raises(PaintoverError) as caught:
        run(tmp_path / "link", source)
    assert f"as {tmp_path / 'link'} is in the way" in str(caught.value)


def test_other_errors_of_the_disk_name_it_too(tmp_path):
    (tmp_path / "log").mkdir()
    with pytest.raises(OSError, match="directory") as caught:
        (tmp_path / "log").open("ab")
    assert "as a folder has that name; rename the folder" in (explain(caught.value) or "")
