# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures in ``keys/`` that are not used are named, with the name that works."""

from __future__ import annotations

import json
import re
import shutil

import cv2
import numpy as np
import pytest
import shots
import synthetic

from engine.shared.keyframes.names import describe_unused, unused_key_files


@pytest.fixture
def shot(tmp_path):
    return shots.make_shot(tmp_path / "shot")


def put(shot, *names):
    for name in names:
        (shot.folder / "keys").mkdir(exist_ok=True)
        (shot.folder / "keys" / name).write_bytes(b"any picture")


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("0002.PNG", "rename it to 0002.png"),
        ("2.png", "rename it to 0002.png"),
        ("00002.png", "rename it to 0002.png"),
        ("0002_painted.png", "rename it to 0002.png"),
        ("0002_v3.png", "rename it to 0002.png"),
        ("frame0002.EXR", "rename it to 0002.exr"),
        ("0002.jpg", "save it as 0002.png"),
        ("0002.tif", "save it as 0002.png"),
        ("0002_masked.psd", "save it as 0002.png"),
        ("0002.mask.jpg", "save it as 0002.mask.png"),
        ("0002_mask.png", "rename it to 0002.mask.png"),
        ("0002.Mask.png", "rename it to 0002.mask.png"),
        ("mask2.exr", "save it as 0002.mask.png"),
        ("hero_v2.png", "name it after its frame, such as 0001.png"),
        ("hero.png", "name it after its frame, such as 0001.png"),
        ("0009.png", "the shot has no frame 9, only 1-4"),
        ("-0002.mask.png", "the shot has no frame -2, only 1-4"),
        ("0001.PNG", "0001.png is used instead"),
        ("0001_old.png", "0001.png is used instead"),
    ],
)
def test_the_name_that_works_is_told(shot, name, advice):
    put(shot, name)
    path = shot.folder / "keys" / name
    assert unused_key_files(shot) == {path: advice}
    assert describe_unused(shot) == f"keys/{name} is not used: {advice}"
    if advice.startswith("rename"):
        path.rename(path.with_name(advice.removeprefix("rename it to ")))
        assert unused_key_files(shot) == {}


def test_folders_are_left_in_peace_and_broken_links_are_told(tmp_path):
    shot = shots.make_shot(tmp_path / "shot")
    (shot.folder / "keys" / "0002.png").mkdir()
    (shot.folder / "keys" / "0003.exr").mkdir()
    assert shot.key_frames() == [1]
    assert describe_unused(shot) == ""
    (shot.folder / "keys" / "0004.png").symlink_to(tmp_path / "elsewhere.png")
    assert shot.key_frames() == [1]
    assert "keys/0004.png is not used: it is a link that leads to no file" in describe_unused(shot)
    trained = shots.run_warm("train", shot.folder, "--steps", 2)
    assert trained.returncode == 0, trained.stderr
    assert "0004.png" in trained.stderr


def test_what_is_normal_beside_a_painting_is_not_told(shot):
    put(
        shot, "0001.kra", "0001.psd", "0001_layers.xcf", "0001.jpg", "0001.png~", ".DS_Store",
        "Thumbs.db", "notes.txt", ".0001.png.swp", "0004.mask.png",
    )  # fmt: skip
    (shot.folder / "keys" / "references.png").mkdir()
    assert unused_key_files(shot) == {}
    put(shot, "0001.exr")
    assert list(unused_key_files(shot).values()) == ["0001.exr is used instead"]


def test_a_document_without_its_painting_is_told(shot):
    shutil.copyfile(shot.image_path(2), shot.key_path(2))
    put(shot, "0002.kra", "0002 final.png")
    assert list(unused_key_files(shot).values()) == [
        "rename it to 0002.png",
        "save it as 0002.png",
    ]


def test_many_are_counted(shot):
    put(shot, *(f"{letter}.png" for letter in "abcdef"))
    words = describe_unused(shot)
    assert words.count("name it after its frame") == 4
    assert words.endswith("; and 2 more")


def test_every_command_names_them(tmp_path):
    """At a real size: a painting saved as JPEG, and a mask under another name."""
    picture = cv2.resize(np.random.default_rng(1).integers(0, 255, (27, 48, 3)) / 255, (480, 270))
    codes = np.rint(picture * 255).astype(np.uint8)
    for frame in (1, 2):
        synthetic.write_png(tmp_path / "in" / f"{frame:04d}.png", np.roll(codes, 4 * frame, 1))
    shot = tmp_path / "shot"
    done = shots.run_warm("import", shot, "--input", tmp_path / "in")
    assert done.returncode == 0, done.stderr
    for name in ("0001.png", "0001_mask.png"):
        synthetic.write_png(shot / "keys" / name, 255 - codes)
    assert cv2.imwrite(str(shot / "keys" / "0002.JPG"), codes)
    wanted = ["keys/0001_mask.png", "0001.mask.png", "0002.JPG", "0002.png"]
    for verb, *words in (["preview"], ["train", "--steps", 2], ["stylize", "--frames", 2]):
        done = shots.run_warm(verb, shot, *words)
        assert done.returncode == 0, done.stderr
        assert all(word in done.stderr for word in wanted), (verb, done.stderr)
    told = shots.run_warm("info", shot)
    assert all(word in told.stdout for word in wanted)
    data = json.loads(shots.run_warm("info", shot, "--json").stdout)
    assert len(data["unused"]) == 2
    (shot / "keys" / "0001.png").rename(shot / "keys" / "0001.PNG")
    done = shots.run_warm("train", shot, "--steps", 2)
    assert done.returncode == 1
    assert re.search(r"no keyframe yet; .*0001\.PNG is not used: rename it", done.stderr)
