# SPDX-License-Identifier: GPL-3.0-or-later
"""Which group of digits in a file's name is the frame number."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.shared.errors import PaintoverError
from engine.shared.frame_lists import gaps_between, keep_negative, parse_frames, spread
from engine.shared.pictures.frame_numbers import NamePattern, frame_named
from engine.shared.pictures.sequences import find_sequence, match_files

FOLDER = Path("/renders")
FRAMES = range(1, 6)


def paths(*names: str) -> list[Path]:
    return [FOLDER / name for name in names]


def found(*names: str) -> tuple[dict[int, str], list[str]]:
    sequence = find_sequence(sorted(paths(*names)))
    assert sequence is not None
    files = {frame: path.name for frame, path in sequence.files.items()}
    for frame, name in files.items():
        if not sequence.pattern.suffix[-1:].isdigit() and sequence.pattern.width != 3:
            assert sequence.pattern.frame_of(Path(name).stem) in (frame, None)
    return files, [path.name for path in sequence.strays]


@pytest.mark.parametrize(
    ("pattern", "frames"),
    [
        ("{:04d}.png", range(1, 5)),
        ("{}.png", range(8, 12)),
        ("shot_v2.{:04d}.png", range(1, 3)),
        ("shot_v2.{:04d}.exr", [1001]),
        ("sh010_{:04d}_v2.png", range(3)),
        ("{:04d}_96x64.png", range(1, 4)),
        ("{:04d}_96x64.png", [7]),
        ("{:04d}_v2.png", [1]),
        ("{:04d} copy 2.png", [3]),
        ("render_1080p_{:04d}.png", [12]),
        ("{:04d}_1080p.png", [12]),
        ("beauty.{:04d}.exr", [1, 2, 5]),
        ("IMG_20261128_{:04d}.png", range(1, 4)),
        ("IMG_20261128_{:04d}.png", [1]),
        ("frame ({}).png", range(1, 12)),
        ("v{:04d}.png", range(1, 4)),
        ("sh010_comp_final_{:04d}.png", range(1, 4)),
        ("sh010_take2_{:04d}.png", range(1, 4)),
        ("sh010 copy {:04d}.png", range(1, 4)),
        ("sh010_v{:04d}.png", range(1, 4)),
        ("{:04d}_2x.png", [7]),
        ("Schuß 日本 {:03d}.png", range(998, 1002)),
    ],
)
def test_the_number_that_differs_is_the_frame(pattern, frames):
    names = {frame: pattern.format(frame) for frame in frames}
    assert found(*names.values()) == (names, [])


@pytest.mark.parametrize(
    "names",
    [
        {-2: "-0002.png", -1: "-0001.png", 0: "0000.png", 1: "0001.png"},
        {-3: "shot_-0003.png", -2: "shot_-0002.png", -1: "shot_-0001.png"},
        {-3: "shot.-003.exr", -2: "shot.-002.exr", 4: "shot.0004.exr"},
        {-1: "shot--0001.png", 0: "shot-0000.png", 1: "shot-0001.png"},
        {-2: "shot-0002.png", -1: "shot-0001.png", 0: "shot0000.png", 1: "shot0001.png"},
        {-1: "shot-001.png", 1: "shot0001.png"},
        {1: "plate-0001.png", 2: "plate-0002.png", 3: "plate-0003.png"},
        {1: "2026-11-28-0001.png", 2: "2026-11-28-0002.png"},
    ],
)
def test_a_minus_is_a_sign_where_the_names_say_so(names):
    assert found(*names.values()) == (names, [])


@pytest.mark.parametrize(
    ("names", "frames"),
    [
        (["shot%200001.png", "shot%200002.png"], [1, 2]),
        (["a%20b%20-0001.png", "a%20b%200000.png"], [-1, 0]),
        (["\u22120002.png", "\u22120001.png"], [-2, -1]),
        (["cafe\u0301_0001.png", "caf\u00e9_0002.png"], [1, 2]),
    ],
)
def test_names_from_browsers_and_other_systems(names, frames):
    assert list(found(*names)[0]) == frames


def test_two_numbers_that_differ():
    assert found("1_0017.png", "2_0019.png", "3_0025.png")[0].keys() == {1, 2, 3}
    days = [f"IMG_2026112{day}_{number:04d}.png" for number, day in ((1, 8), (2, 8), (3, 9))]
    assert found(*days)[0].keys() == {1, 2, 3}
    assert found("0001_v1.png", "0002_v3.png", "0005_v1.png")[0].keys() == {1, 2, 5}
    assert found("sh010_0001.png", "sh010_0002.png", "sh020_0001.png") == (
        {1: "sh010_0001.png", 2: "sh010_0002.png"},
        ["sh020_0001.png"],
    )


def test_strays_are_left_out():
    frames = {frame: f"{frame:04d}.png" for frame in FRAMES}
    strays = [
        "0003 (1).png", "123456.png", "20261128093015.png", "P1100331.png",
        "Screenshot_20261128093015.png", "b_02.png", "notes.png", "reference_1920x1080.png",
    ]  # fmt: skip
    assert found(*frames.values(), *strays) == (frames, strays)


def test_numbers_may_outgrow_their_padding():
    assert list(found("098.png", "0999.png", "1000.png")[0]) == [98, 999, 1000]
    assert list(found("0001.png", "9990.png", "10010.png")[0]) == [1, 9990, 10010]
    assert list(found("1.png", "2.png", "123456.png")[0]) == [1, 2, 123456]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["1.png", "0001.png", "0002.png"], ["1.png", "0001.png", "frame number 1"]),
        (["0001.png", "0001.jpg", "0002.png"], ["0001.png", "0001.jpg"]),
        (["a.0001.png", "a.0002.png", "b.0001.png", "b.0002.png"], ["several", "a.0001", "b.0001"]),
        (["shot_v1.0001.png", "shot_v2.0001.png"], ["shot_v1", "shot_v2", "name the pictures"]),
        (["Comp 1 (1).png", "Comp 1 (2).png"], ["Comp 1 (1)", "only in versions or copies"]),
        (
            ["0001_0101.png", "0002_0102.png"],
            ["0001_0101", "0002_0102", "more than", "name the pictures"],
        ),
        (["20261128093015.png"], ["20261128093015", "1048574"]),
        ([f"f_{n / 4:.2f}.png" for n in range(4, 9)], ["f_1.00", "f_2.00", "more than"]),
        (["f_1.00.png", "f_2.00.png", "f_2.50.png"], ["f_1.00", "f_2.50", "more than"]),
        (
            [f"sh 01-00-{n // 24:02d}-{n % 24:02d}.png" for n in range(200, 217)],
            ["sh 01-00-08-08", "sh 01-00-09-00", "more than"],
        ),
    ],
)
def test_names_that_tell_no_frame_are_named(names, words):
    with pytest.raises(PaintoverError) as caught:
        find_sequence(sorted(paths(*names)))
    assert all(word in str(caught.value) for word in [str(FOLDER), *words])


def test_names_without_a_number_are_no_sequence():
    assert find_sequence(paths("a.png", "b.png")) is None
    assert find_sequence([]) is None


@pytest.mark.parametrize("pattern", [NamePattern(), NamePattern("sh003_", "_beauty", 4)])
@pytest.mark.parametrize(
    ("stem", "frame"),
    [
        ("0003", 3), ("3", 3), ("003", 3), ("frame3", 3), ("0003 (1)", 3), ("0003_v2", 3),
        ("0003-final2", 3), ("0003 copy 2", 3), ("3_v02", 3), ("3 (2)", 3),
        ("0003_x4", 3), ("0003 2", 3), ("paint_v2_3", 3), ("paint-3", 3),
        ("0003_painted", 3), ("0010_v2", 10), ("10_v2", 10), ("-0003", -3), ("0003_0002", None),
        ("painted", None),
    ],
)  # fmt: skip
def test_the_frame_that_a_painting_names(stem, frame, pattern):
    assert frame_named(stem, pattern) == frame


def test_numbers_that_all_frames_share_do_not_count():
    assert frame_named("sh003_2_paint", NamePattern("sh003_", "", 4)) == 2
    assert frame_named("sh003_2_paint", NamePattern()) is None
    assert frame_named("0003 2", NamePattern("", "", 1)) is None
    assert frame_named("shot-0003", NamePattern("shot", "", 4, signed=True)) == -3


@pytest.mark.parametrize(
    ("stem", "prefix", "suffix", "frame"),
    [
        ("painting v3", "", "", None), ("copy 2", "", "", None), ("1080p", "", "", None),
        ("shot_v2", "shot_v2.", "", None), ("sh003", "sh003_", "", None),
        ("SH003 painted", "sh003_", "", None), ("Comp 1", "Comp 1_", "", None),
        ("Comp 1 painted 3", "Comp 1_", "", 3), ("beauty2", "", "_beauty2", None),
        ("2", "cam2_", "", 2), ("cam3", "cam2_", "", 3), ("painted (3)", "frame (", ")", 3),
        ("frame (3)", "frame (", ")", 3), ("sh003_0003", "sh003_", "", 3),
    ],
)  # fmt: skip
def test_a_version_or_the_number_of_the_shot_is_no_frame(stem, prefix, suffix, frame):
    assert frame_named(stem, NamePattern(prefix, suffix)) == frame


def test_files_are_matched_to_frames_or_refused():
    def match(*names):
        files, strays = match_files(paths(*names), FRAMES, NamePattern("shot."), "painting")
        return {frame: path.name for frame, path in files.items()}, [path.name for path in strays]

    assert match("shot.0003.png", "4.exr", "palette.png") == (
        {3: "shot.0003.png", 4: "4.exr"},
        ["palette.png"],
    )
    complete = [f"normal2_{frame}.png" for frame in FRAMES]
    assert list(match(*complete)[0].values()) == complete
    refused = {
        ("0003_0002.png",): ["0003_0002.png", "for frame 3 to shot.0003.png"],
        ("shot_v2.png",): ["shot_v2.png does not tell its frame", "shot.0002.png"],
        ("IMG_4711.png",): ["IMG_4711.png is of frame 4711", "1-5", "shot.0001.png"],
        ("0003.png", "0003_v2.png"): ["0003.png", "0003_v2.png", "both of frame 3"],
    }
    for names, words in refused.items():
        with pytest.raises(PaintoverError) as caught:
            match(*names)
        assert all(word in str(caught.value) for word in words), caught.value


def test_gaps_are_not_counted_one_by_one():
    assert gaps_between([1, 2, 5, 7, 1048574]) == "3-4,6,8-1048573"
    assert gaps_between([-2, -1, 0]) == ""
    with pytest.raises(PaintoverError, match="beyond 1048574"):
        parse_frames("1-99999999999999")


def test_negative_values_on_a_command_line():
    words = ["--keys", "-2", "--frames", "-2--1,5", "-2=0.5@-1", "-v", "--json", "-"]
    assert keep_negative(words) == [
        "--keys", " -2", "--frames", " -2--1,5", " -2=0.5@-1", "-v", "--json", "-",
    ]  # fmt: skip
    assert parse_frames(" -2--1,5") == [-2, -1, 5]


def test_every_second_frame_as_farms_write_it():
    assert parse_frames("1-9:2") == [1, 3, 5, 7, 9]
    assert parse_frames("-3-3:3,2-4,20") == [-3, 0, 2, 3, 4, 20]
    assert keep_negative(["-3-3:3"]) == [" -3-3:3"]
    assert parse_frames("1-9x4") == [1, 5, 9]
    assert len(parse_frames("-1048574-1048574:2")) == 1048575


def test_frames_that_are_named_again_and_again_are_refused() -> None:
    """A megabyte of ranges that overlap would be an hour's work."""
    text = ",".join(f"-1048574-1048574:{step}" for step in range(2, 40_000))
    with pytest.raises(PaintoverError, match="too many frames; write each frame once"):
        parse_frames(text)
    for text in ("1-9:0", "1-9:", "5:2", "9-1:2", "1-9x"):
        with pytest.raises(PaintoverError):
            parse_frames(text)


def test_a_space_parts_no_numbers():
    assert parse_frames(" 1 - 3 , 7 ") == [1, 2, 3, 7]
    assert parse_frames("-3 - -1") == [-3, -2, -1]
    for text in ("1 2", "1-3 7", "1 -2"):
        with pytest.raises(PaintoverError, match="write it like 1-30,45"):
            parse_frames(text)


def test_frames_are_spread_from_the_first_to_the_last():
    assert spread([3, 5, 9], 8) == [3, 5, 9]
    assert spread(range(1, 101), 4) == [1, 34, 67, 100]
    assert spread([], 8) == []
