# SPDX-License-Identifier: GPL-3.0-or-later
"""What would take all memory or never end is refused, or is read in little memory."""

from __future__ import annotations

import sys

import numpy as np
import OpenImageIO as oiio  # noqa: N813
import pytest
from PIL import Image

from benchmarks.faults import bounds
from benchmarks.faults.long_headers import LONG_HEADERS, png_head
from engine.frames.drawn_frame import DrawnFrame
from engine.shared.errors import PaintoverError
from engine.shared.frame_lists import LARGEST_FRAME, parse_frames
from engine.shared.pictures.header_bounds import check_before_loading, check_header
from engine.shared.pictures.kinds import EXR, JPEG, TGA

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux tells it")


def test_bombs_pipes_and_huge_numbers_are_refused_in_little_memory(tmp_path):
    found = bounds.bounds(tmp_path)
    assert len(found) > 120
    assert [one for one in found if one.outcome not in ("", "refused")] == []
    assert [one for one in found if one.megabytes > bounds.MOST_MEGABYTES] == []


@pytest.mark.parametrize("text", ["1-99999999999", "9" * 5000, f"{LARGEST_FRAME + 1}", "-9999999"])
def test_frame_lists_beyond_the_last_frame(text):
    with pytest.raises(PaintoverError, match="the last frame") as error:
        parse_frames(text)
    assert len(str(error.value)) < 200


def test_ranges_that_overlap_are_told_once():
    assert parse_frames("3-5,1-4,4,-1") == [-1, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("content", [b"\xff\xd8\xff\0", b"\xff\xd8\xff\xe0\0\x04ab12", b"\xff\xd8"])
def test_a_jpeg_that_is_cut_short_asks_for_nothing(tmp_path, content):
    path = tmp_path / "short.jpg"
    path.write_bytes(content)
    check_header(path, JPEG)


@pytest.mark.parametrize("name", ["50,000 JPEG scans", "4 GB of JPEG notes behind a scan"])
def test_a_jpeg_is_checked_behind_its_first_scan(tmp_path, name):
    path = tmp_path / "a.jpg"
    LONG_HEADERS[name](path)
    with pytest.raises(PaintoverError, match=r"a\.jpg is damaged: it claims to hold"):
        check_header(path, JPEG)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a JPEG of 65500²", ".jpg"), ("a TGA of 65535²", ".tga"), ("a PNG of 60000²", ".png")],
)
def test_blender_loads_no_picture_of_more_pixels_than_paintover_reads(tmp_path, name, suffix):
    path = tmp_path / f"a{suffix}"
    LONG_HEADERS[name](path)
    with pytest.raises(PaintoverError, match=r"claims to hold 6\d+×6\d+ pixels|more than|MB"):
        check_before_loading(path)


def test_a_tga_that_is_far_longer_than_its_pixels_is_refused(tmp_path):
    path = tmp_path / "a.tga"
    LONG_HEADERS["a TGA of 65535²"](path)
    data = path.open("rb").read(18)
    for size in ((65535).to_bytes(2, "little"), (480).to_bytes(2, "little")):
        with path.open("r+b") as file:
            file.write(data[:12] + size + size + data[16:])
        with pytest.raises(PaintoverError, match=r"a\.tga is damaged: it claims to hold"):
            check_header(path, TGA)


@pytest.mark.parametrize("kind", ["tga", "bmp", "webp", "jpg", "tif", "png", "exr"])
def test_honest_pictures_of_every_kind_pass(tmp_path, kind):
    path = tmp_path / f"a.{kind}"
    spec = oiio.ImageSpec(480, 270, 3, "half" if kind == "exr" else "uint8")
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec)
    assert file.write_image(np.random.default_rng(0).random((270, 480, 3), np.float32))
    file.close()
    check_before_loading(path)
    if kind == "jpg":
        with Image.open(path) as picture:
            picture.save(path, progressive=True, quality=100)
        path.write_bytes(path.read_bytes() + b"\xff\xd8 a second picture or a movie behind it")
        check_before_loading(path)


@pytest.mark.parametrize("head", [b"8BPS", b"SDPX", b"#?RADIANCE\n", b"GIF89a", b"text"])
def test_blender_loads_no_kind_that_paintover_does_not_read(tmp_path, head):
    path = tmp_path / "0001.png"
    path.write_bytes(head + bytes(100))
    with pytest.raises(PaintoverError, match=r"0001\.png"):
        check_before_loading(path)


@pytest.mark.parametrize("tile", [1, 16, 256, 4096])
def test_large_honest_headers_pass(tmp_path, tile):
    side = 3000 if tile > 1 else 40
    spec = oiio.ImageSpec(side, side, 3, "half")
    spec["compression"] = "zip"
    spec["cryptomatte/0/manifest"] = "{" + '"name":"0123abcd",' * 200_000 + "}"
    spec.tile_width = spec.tile_height = tile
    path = tmp_path / "honest.exr"
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec)
    file.close()
    assert path.stat().st_size > 3_000_000
    check_header(path, EXR)


@pytest.mark.parametrize("name", [b"IDAT", b"tEXt"])
def test_a_drawn_frame_that_says_to_be_gigabytes_long_is_refused(name):
    packed = png_head(8, 6) + b"\xff\xff\xff\xf0" + name + bytes(20)
    with pytest.raises(ValueError, match="cut short, or holds more"):
        DrawnFrame.unpacked(1, np.frombuffer(packed, np.uint8), (6, 8), "")
