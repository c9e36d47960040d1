# SPDX-License-Identifier: GPL-3.0-or-later
"""The shot folder: manifest, paths, keyframes, digests."""

from __future__ import annotations

import json
import os

import pytest
import synthetic

from engine.frames.frame import read_frame
from engine.shared.errors import NoShotError, PaintoverError
from engine.shared.files import digest_file, digest_json, write_bytes, written_beside
from engine.shared.frame_lists import format_frames, frame_name, parse_frames
from engine.shared.manifest import MANIFEST_VERSION, Camera, Colour, FrameRecord, Manifest
from engine.shared.out_records import OutRecord
from engine.shared.pictures.digests import digest_picture
from engine.shared.places import is_file, is_folder
from engine.shared.shot import Shot


@pytest.mark.parametrize(
    ("text", "frames"),
    [
        ("1", [1]),
        ("1-3,7", [1, 2, 3, 7]),
        (" 5 , 1 - 2, 2", [1, 2, 5]),
        ("-3--1,0", [-3, -2, -1, 0]),
        ("-1-1", [-1, 0, 1]),
    ],
)
def test_frame_lists(text, frames):
    assert parse_frames(text) == frames
    assert parse_frames(format_frames(frames)) == frames


@pytest.mark.parametrize("text", ["", "a", "1-", "1,,2", "3-1", "1.5", "1;2"])
def test_what_is_no_frame_list(text):
    with pytest.raises(PaintoverError, match=r"\.$"):
        parse_frames(text)


def test_frame_names():
    names = [frame_name(frame) for frame in (1, 0, -7, 12345)]
    assert names == ["0001", "0000", "-0007", "12345"]


def test_the_manifest_comes_back_whole(strange_folder):
    manifest = Manifest(
        1920, 1080, -2, 7, 23.976, {"kind": "blender", "scene": "Träume"}, {"motion": "Vector"},
        ["lines"], Colour(view="AgX", exposure=0.5), removed_keys=[3],
    )  # fmt: skip
    camera = Camera([float(value) for value in range(16)], orthographic=True)
    manifest.frames = {-2: FrameRecord("a", "b", "c", camera), 7: FrameRecord("d")}
    Shot(strange_folder / "shot", manifest).save()
    assert Shot.open(strange_folder / "shot").manifest == manifest
    assert Shot.open(strange_folder / "shot").frames == [-2, 7]


def test_a_manifest_that_lists_a_pass_of_an_earlier_version_opens(rendered_shot):
    path = rendered_shot.folder / "shot.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    data["passes"]["position"] = "Position"
    path.write_text(json.dumps(data))
    shot = Shot.open(rendered_shot.folder)
    assert shot.manifest.passes == rendered_shot.manifest.passes
    assert read_frame(shot, 1).surface is not None


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_manifest_is_a_sentence_and_stays(rendered_shot, share):
    path = rendered_shot.folder / "shot.json"
    cut = path.read_bytes()
    cut = cut[: int(len(cut) * share)]
    path.write_bytes(cut)
    with pytest.raises(PaintoverError, match=r"shot\.json is damaged; capture the shot again"):
        Shot.open(rendered_shot.folder)
    assert path.read_bytes() == cut


@pytest.mark.parametrize(
    "change",
    [
        {"width": 0},
        {"width": "wide"},
        {"frames": [1]},
        {"frames": {"one": {"image": ""}}},
        {"frames": {"1": {"picture": ""}}},
        {"colour": None},
        {"passes": []},
        {"version": "1"},
        {"surprise": 1},
        {"matte": "../keys"},
        {"matte": None},
    ],
)
def test_a_manifest_of_nonsense_is_a_sentence(rendered_shot, change):
    path = rendered_shot.folder / "shot.json"
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **change}))
    with pytest.raises(PaintoverError, match="is damaged"):
        Shot.open(rendered_shot.folder)


def test_a_later_version_and_no_shot(rendered_shot, tmp_path):
    path = rendered_shot.folder / "shot.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    path.write_text(json.dumps({**data, "version": MANIFEST_VERSION + 1}))
    with pytest.raises(PaintoverError, match="later Paintover"):
        Shot.open(rendered_shot.folder)
    for folder in (tmp_path / "none", path):
        with pytest.raises(PaintoverError, match="holds no shot yet"):
            Shot.open(folder)


def test_an_earlier_version_is_read_and_saved_as_this_one(rendered_shot):
    path = rendered_shot.folder / "shot.json"
    data = json.loads(path.read_text(encoding="utf-8"))
    for added in ("id", "owner", "blank_keys"):
        del data[added]
    path.write_text(json.dumps({**data, "version": 1}))
    shot = Shot.open(rendered_shot.folder)
    assert shot.frames == rendered_shot.frames
    shot.save()
    saved = json.loads(path.read_text(encoding="utf-8"))
    assert saved["version"] == MANIFEST_VERSION and saved["id"]


def test_keyframes_are_found_by_their_files(rendered_shot):
    keys = rendered_shot.folder / "keys"
    keys.mkdir()
    names = ("0003.png", "0001.exr", "-0002.png", "0001.mask.png", "notes.png", "2.png", "0004.png")
    for name in names:
        (keys / name).write_bytes(b"x")
    rendered_shot.manifest.frames[-2] = FrameRecord("")
    assert rendered_shot.key_frames() == [-2, 1, 3]
    rendered_shot.manifest.removed_keys = [3]
    assert rendered_shot.key_frames() == [-2, 1]
    assert rendered_shot.key_path(1).name == "0001.exr"
    assert rendered_shot.key_path(2).name == "0002.png"


def test_a_keyframe_is_painted_once_it_differs(rendered_shot):
    assert not rendered_shot.key_is_painted(1)
    write_bytes(rendered_shot.key_path(1), rendered_shot.image_path(1).read_bytes())
    assert not rendered_shot.key_is_painted(1)
    synthetic.paint(rendered_shot, 1)
    assert rendered_shot.key_is_painted(1)


def test_versions_are_all_kept(painted_shot):
    path = painted_shot.key_path(2)
    kept = []
    for number in range(3):
        path.write_bytes(b"painting %d" % number)
        os.utime(path, (1e9, 1e9))
        kept.append(painted_shot.keep_version(path))
        assert not path.exists()
    assert len(set(kept)) == 3
    assert [place.read_bytes() for place in kept] == [b"painting %d" % n for n in range(3)]
    assert all(place.parent == path.parent / "versions" for place in kept)
    assert painted_shot.keep_version(path) is None
    assert painted_shot.key_frames() == []


def test_digests_follow_what_a_frame_is_made_of(painted_shot):
    painted_shot.manifest.guides = ["lines"]
    changing = [
        painted_shot.image_path(2),
        painted_shot.passes_path(2),
        painted_shot.guide_path("lines", 2),
        painted_shot.key_path(2),
        painted_shot.key_mask_path(2),
    ]
    seen = {painted_shot.key_digest(2)}
    frame = {painted_shot.frame_digest(2)}
    for path in changing:
        write_bytes(path, b"something else")
        seen.add(painted_shot.key_digest(2))
        frame.add(painted_shot.frame_digest(2))
    assert len(seen) == 6
    assert len(frame) == 4


def test_records_of_stylized_frames(painted_shot):
    record = OutRecord("0001.png", "input", "style", "settings")
    painted_shot.write_out_record("ink", 1, record)
    assert painted_shot.read_out_record("ink", 1) is None
    write_bytes(painted_shot.out_path("ink", 1), b"picture")
    assert painted_shot.read_out_record("ink", 1) == record
    painted_shot.out_record_path("ink", 1).write_text("{")
    assert painted_shot.read_out_record("ink", 1) is None


def test_names_of_styles_with_accents_of_macos_and_of_files(painted_shot):
    assert painted_shot.style_path("a\u0308") == painted_shot.style_path("\u00e4")
    with pytest.raises(PaintoverError, match=r"name of a file; leave out \.safetensors"):
        painted_shot.style_path("ink.safetensors")


def test_a_manifest_that_was_saved_by_an_editor_of_windows(rendered_shot):
    path = rendered_shot.folder / "shot.json"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    shot = Shot.open(rendered_shot.folder)
    shot.manifest.removed_keys = [1]
    shot.save()
    assert Shot.open(rendered_shot.folder).manifest.removed_keys == [1]


def test_a_folder_in_the_place_of_a_file_is_told(tmp_path):
    (tmp_path / "0001.png").mkdir()
    with pytest.raises(PaintoverError, match=r"0001\.png, as a folder has that name; rename"):
        write_bytes(tmp_path / "0001.png", b"a")


@pytest.mark.parametrize(
    "name",
    ["", "..", "a/b", ".hidden", "a.", "_x", "a\\b", "a:b", "CON", "nul.old", "Lpt1", "com9 .x"],
)
def test_impossible_names_of_styles(painted_shot, name):
    with pytest.raises(PaintoverError, match="name of a style"):
        painted_shot.style_path(name)


def test_missing_files_are_told_in_order(rendered_shot):
    assert rendered_shot.missing_files() == []
    gone = [rendered_shot.passes_path(1), rendered_shot.image_path(3)]
    for path in reversed(gone):
        path.unlink()
    assert rendered_shot.missing_files() == gone


def test_files_are_written_whole_or_not_at_all(tmp_path):
    path = tmp_path / "a.txt"
    write_bytes(path, b"first")
    with pytest.raises(RuntimeError), written_beside(path) as temporary:
        temporary.write_bytes(b"half")
        assert temporary.suffix == ".txt"
        raise RuntimeError
    assert path.read_bytes() == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_keeps_the_manifest(full_disk):
    manifest = Manifest(8, 8, 1, 1)
    Shot(full_disk / "shot", manifest).save()
    manifest.source = {"blend": "x" * 100_000}
    with pytest.raises(PaintoverError, match=r"Cannot write .*shot\.json: No space left"):
        Shot(full_disk / "shot", manifest).save()
    assert Shot.open(full_disk / "shot").manifest.source == {}


def test_digests_do_not_depend_on_key_order(tmp_path):
    assert digest_json({"a": 1, "b": [2]}) == digest_json({"b": [2], "a": 1})
    assert digest_json([1, 2]) != digest_json([2, 1])
    assert digest_file(tmp_path / "none") == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows says that there is no such file")
def test_a_folder_that_the_disk_cannot_tell_of_has_no_shot(tmp_path):
    folder = tmp_path / ("x" * 300)
    assert not Shot.exists(folder)
    assert digest_file(folder / "shot.json") == "" == digest_picture(folder / "0001.png")
    assert not is_file(folder) and not is_folder(folder)
    with pytest.raises(PaintoverError, match=r"shot\.json: File name too long"):
        Shot.open(folder)
    with pytest.raises(NoShotError, match="holds no shot yet"):
        Shot.open(tmp_path)
