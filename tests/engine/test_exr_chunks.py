# SPDX-License-Identifier: GPL-3.0-or-later
"""An EXR that is cut short is known by the places and lengths of its chunks."""

from __future__ import annotations

import io
import random
import struct
import time

import numpy as np
import OpenImageIO as oiio  # noqa: N813
import pytest

from engine.shared.errors import PaintoverError
from engine.shared.pictures.exr_chunks import check_chunks
from engine.shared.pictures.exr_header import CutShortError, TooMuchError
from engine.shared.pictures.header_bounds import check_before_loading
from engine.shared.pictures.sizes import DAMAGED, painting_size

COMPRESSIONS = ("none", "rle", "zips", "zip", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab")
SIZES = ((64, 48), (65, 33), (1, 1), (7, 300))


def spec_of(width, height, compression, tile=None):
    spec = oiio.ImageSpec(width, height, 3, "half")
    spec["compression"] = compression
    if tile:
        spec.tile_width, spec.tile_height = tile
    return spec


def write(path, *specs):
    """Write a picture, or several into one file."""
    for number, spec in enumerate(specs if len(specs) > 1 else ()):
        spec["name"] = f"part {number}"
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), specs if len(specs) > 1 else specs[0])
    for number, spec in enumerate(specs):
        assert number == 0 or file.open(str(path), spec, "AppendSubimage")
        pixels = np.random.default_rng(0).random((spec.height, spec.width, 3), np.float32)
        assert file.write_image(pixels)
    file.close()


def write_mip_map(path, width, height, is_up):
    buffer = oiio.ImageBuf(oiio.ImageSpec(width, height, 3, "half"))
    oiio.ImageBufAlgo.fill(buffer, (0.1, 0.2, 0.3))
    spec = oiio.ImageSpec()
    spec.tile_width, spec.tile_height = 16, 32
    spec["openexr:roundingmode"] = int(is_up)
    assert oiio.ImageBufAlgo.make_texture(oiio.MakeTxTexture, buffer, str(path), spec)


def write_deep(path, tile):
    spec = oiio.ImageSpec(32, 32, 2, "float")
    spec.channelnames, spec.deep, spec["compression"] = ["R", "Z"], True, "zips"
    data = oiio.DeepData()
    data.init(32 * 32, 2, ["float", "float"], ["R", "Z"])
    for pixel in range(32 * 32):
        data.set_samples(pixel, pixel % 3)
    if tile:
        spec.tile_width, spec.tile_height = tile
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec)
    done = file.write_deep_tiles(0, 32, 0, 32, 0, 1, data) if tile else file.write_deep_image(data)
    assert done
    file.close()


def is_refused(data):
    try:
        check_chunks(io.BytesIO(data))
    except (CutShortError, TooMuchError, struct.error):
        return True
    return False


def check_whole_and_cut(path):
    data = path.read_bytes()
    assert not is_refused(data)
    cuts = {1, 2, 9, len(data) // 2, len(data) - 1, *random.Random(1).sample(range(len(data)), 20)}
    assert [cut for cut in cuts - {0} if not is_refused(data[:-cut])] == []
    assert is_refused(b"")


@pytest.mark.parametrize("compression", COMPRESSIONS)
@pytest.mark.parametrize("size", SIZES)
def test_strips(tmp_path, compression, size):
    write(tmp_path / "a.exr", spec_of(*size, compression))
    check_whole_and_cut(tmp_path / "a.exr")


@pytest.mark.parametrize("tile", [(16, 16), (64, 32), (7, 5)])
@pytest.mark.parametrize("size", SIZES)
def test_tiles(tmp_path, tile, size):
    write(tmp_path / "a.exr", spec_of(*size, "zip", tile))
    check_whole_and_cut(tmp_path / "a.exr")


@pytest.mark.parametrize("size", [*SIZES, (300, 7)])
@pytest.mark.parametrize("is_up", [False, True])
def test_tiles_with_smaller_copies(tmp_path, size, is_up):
    write_mip_map(tmp_path / "a.exr", *size, is_up)
    check_whole_and_cut(tmp_path / "a.exr")


@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_several_parts(tmp_path, tile):
    write(tmp_path / "a.exr", spec_of(64, 48, "zip", tile), spec_of(64, 48, "none", tile))
    check_whole_and_cut(tmp_path / "a.exr")


@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_depths(tmp_path, tile):
    write_deep(tmp_path / "a.exr", tile)
    check_whole_and_cut(tmp_path / "a.exr")


def test_places_and_lengths_beyond_the_file(tmp_path):
    path = tmp_path / "a.exr"
    write(path, spec_of(64, 48, "zips"))
    data = path.read_bytes()
    # The table of 48 places ends where the first chunk begins.
    begin = next(at for at in range(len(data)) if data[at : at + 8] == struct.pack("<Q", at + 384))
    (second,) = struct.unpack_from("<Q", data, begin + 8)
    for at, value in (
        (begin + 8, struct.pack("<Q", 0)),
        (begin + 8, struct.pack("<Q", len(data) - 4)),
        (begin + 8, struct.pack("<Q", 1 << 63)),
        (second + 4, struct.pack("<I", len(data))),
        (second + 4, struct.pack("<i", -1)),
    ):
        assert is_refused(data[:at] + value + data[at + len(value) :])


def test_a_header_that_tells_its_size_twice(tmp_path):
    path = tmp_path / "a.exr"
    write(path, spec_of(64, 48, "zip"))
    data = path.read_bytes()
    begin = data.index(b"dataWindow\0box2i\0")
    box = data[begin : begin + 37]
    assert is_refused(data[:begin] + box + data[begin:])


def test_what_cannot_be_loaded_has_no_size_and_is_told_again_when_it_is_whole(tmp_path):
    path = tmp_path / "a.exr"
    write(path, spec_of(64, 48, "zip"))
    data = path.read_bytes()
    path.write_bytes(data[:-1])
    with pytest.raises(PaintoverError, match=r"a\.exr is cut short or damaged; save it again"):
        check_before_loading(path)
    assert painting_size(path) == DAMAGED
    path.write_bytes(data)
    check_before_loading(path)
    assert painting_size(path) == (64, 48)


@pytest.mark.parametrize("kind", ["exr", "png", "jpg", "tif", "tga", "bmp", "webp"])
def test_pictures_far_larger_than_the_frames_are_not_loaded(tmp_path, kind):
    path = tmp_path / f"0001.{kind}"
    file = oiio.ImageOutput.create(str(path))
    spec = oiio.ImageSpec(4000, 2100, 3, "half" if kind == "exr" else "uint8")
    assert file.open(str(path), spec)
    assert file.write_image(np.zeros((2100, 4000, 3), np.float32))
    file.close()
    check_before_loading(path)
    check_before_loading(path, (2000, 1050))  # twice the size
    with pytest.raises(PaintoverError, match=r"is 4000×2100, far larger than the frames.*64×48"):
        check_before_loading(path, (64, 48))


@pytest.mark.parametrize(("channels", "is_let_through"), [(60, True), (80, False)])
def test_an_exr_of_very_many_channels_is_not_loaded(tmp_path, channels, is_let_through):
    path = tmp_path / "0001.exr"
    spec = oiio.ImageSpec(1920, 1080, channels, "half")
    spec.channelnames = [f"layer.{number}" for number in range(channels)]
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec)
    rows = np.zeros((30, 1920, channels), np.float16)
    for top in range(0, 1080, 30):
        assert file.write_scanlines(top, top + 30, 0, rows)
    file.close()
    check_before_loading(path)
    if is_let_through:
        check_before_loading(path, (1920, 1080))
        return
    with pytest.raises(PaintoverError, match=r"is 1920×1080 with 80 channels.*fewer channels"):
        check_before_loading(path, (1920, 1080))


def test_the_frames_of_a_long_shot_are_checked_quickly(tmp_path):
    path = tmp_path / "0001.exr"
    write(path, spec_of(1920, 1080, "zips"))
    for times, most in ((1, 0.1), (1000, 0.1)):
        started = time.process_time()
        for _ in range(times):
            check_before_loading(path, (1920, 1080), to_end=False)
        assert time.process_time() - started < most
