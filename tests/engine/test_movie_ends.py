# SPDX-License-Identifier: GPL-3.0-or-later
"""Movies that are cut off are told of every kind, and whole ones are not."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from movie_files import LOSSLESS, Report, run, write_movie

from engine.shared.errors import PaintoverError
from engine.shared.shot import Shot

FRAMES = 48


@pytest.mark.parametrize("name", ["cut.mkv", "late.mkv", "whole.mkv"])
def test_an_end_that_is_missing_is_told_however_early_and_only_then(tmp_path, name):
    times = (20, 21, 22, 23) if name == "late.mkv" else ()
    path = write_movie(tmp_path / name, **LOSSLESS, frames=4, times=times)
    if name == "cut.mkv":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    report = Report()
    shot = run(tmp_path / "shot", path, report)
    assert len(shot.frames) == (1 if name == "cut.mkv" else 4)
    assert any("should last" in text for text in report.warnings) == (name == "cut.mkv")


_FRONT = {"movflags": "faststart"}
ENDS = [
    ("a.mkv", "mpeg4", "yuv420p", {}, "should last 2 seconds"),
    ("a.webm", "libvpx", "yuv420p", {}, "should last 2 seconds"),
    ("a.mov", "png", "rgb24", _FRONT, "should have 48 frames"),
    ("a.mp4", "libx264", "yuv420p", _FRONT, "should have 48 frames"),
    ("parts.mp4", "mpeg4", "yuv420p", {"movflags": "frag_keyframe+empty_moov"}, "breaks off after"),
    ("a.avi", "mjpeg", "yuvj420p", {}, "should have 48 frames"),
    ("b.avi", "mpeg4", "yuv420p", {"bf": "2"}, "should have 48 frames"),
    ("a.gif", "gif", "rgb8", {}, "breaks off after"),
    ("a.mxf", "mpeg2video", "yuv420p", {}, "should last 2 seconds"),
    ("a.flv", "flv1", "yuv420p", {}, "should last 2 seconds"),
]


def ends_told(tmp_path: Path, source: Path) -> list[str]:
    report = Report()
    run(tmp_path / f"shot of {source.name}", source, report)
    return [text for text in report.warnings if "if the end is missing" in text]


@pytest.mark.parametrize(("name", "codec", "kind", "options", "told"), ENDS)
def test_a_movie_that_is_cut_off_is_told_and_a_whole_one_is_not(
    tmp_path, name, codec, kind, options, told
):
    path = write_movie(tmp_path / name, codec, kind, frames=FRAMES, **options)
    assert ends_told(tmp_path, path) == []
    data = path.read_bytes()
    media = data.rfind(b"mdat") + 4
    cut = tmp_path / f"cut {name}"
    cut.write_bytes(data[: max(len(data) * 5 // 6, media + (len(data) - media) // 2)])
    try:
        (sentence,) = ends_told(tmp_path, cut)
    except PaintoverError as error:  # some codecs do not decode half a frame
        assert "cannot be read as a movie (after frame" in str(error)
        return
    assert told in sentence


@pytest.mark.parametrize(
    ("name", "codec", "kind"),
    [("a.mp4", "mpeg4", "yuv420p"), ("b.mp4", "libx264", "yuv420p"), ("a.mov", "png", "rgb24")],
)
def test_a_movie_that_was_trimmed_without_coding_it_anew_is_whole(tmp_path, name, codec, kind):
    path = write_movie(tmp_path / name, codec, kind, frames=FRAMES)
    data = bytearray(path.read_bytes())
    edits = data.index(b"elst") + 12
    begin = struct.unpack_from(">i", data, edits + 4)[0]
    media = data.index(b"mdhd") + 16
    ticks, seconds = struct.unpack_from(">I", data, media)[0], data.index(b"mvhd") + 16
    length = struct.unpack_from(">I", data, seconds)[0]
    struct.pack_into(">Ii", data, edits, length, begin + ticks // 2)
    path.write_bytes(data)
    assert ends_told(tmp_path, path) == []
    assert len(Shot.open(tmp_path / f"shot of {name}").frames) == 24
