# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures: exact codes, straight alpha, EXR as compositors expect it, and damaged files."""

from __future__ import annotations

import cv2
import numpy as np
import OpenImageIO as oiio  # noqa: N813
import pytest
import synthetic

from engine.images.colour.srgb import decode_srgb, encode_srgb
from engine.images.exr_layers import opened_layers
from engine.images.pictures import (
    has_alpha,
    picture_size,
    read_picture,
    write_picture,
)
from engine.shared.errors import PaintoverError

RANDOM = np.random.default_rng(7)


def codes(channels: int, kind: type = np.uint8) -> np.ndarray:
    values = RANDOM.integers(0, np.iinfo(kind).max + 1, (20, 30, channels)).astype(kind)
    if channels == 4:
        values[:10, :, 3] = 0
    return values


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [3, 4])
def test_png_codes_come_back_exactly_even_under_zero_alpha(strange_folder, channels, kind):
    wanted = codes(channels, kind)
    path = synthetic.write_png(strange_folder / "a b.png", wanted)
    picture = read_picture(path)
    most = np.iinfo(kind).max
    assert picture.bits == (8 if kind is np.uint8 else 16)
    assert picture.pixels.dtype == np.float32
    assert np.array_equal(np.rint(picture.pixels.astype(np.float64) * most), wanted)
    again = strange_folder / "again.png"
    write_picture(again, picture.pixels, picture.bits)
    read_back = oiio_codes(again)
    assert read_back.dtype == kind
    assert np.array_equal(read_back, wanted)


def oiio_codes(path) -> np.ndarray:
    hints = oiio.ImageSpec()
    hints["oiio:UnassociatedAlpha"] = 1
    file = oiio.ImageInput.open(str(path), hints)
    spec = file.spec()
    return file.read_image(0, 0, 0, spec.nchannels, spec.format)


def test_writing_rounds_to_the_nearest_code_and_clips(tmp_path):
    values = np.array([-1, 0, 0.4 / 255, 0.6 / 255, 100.49 / 255, 100.51 / 255, 1, 7], np.float32)
    write_picture(tmp_path / "a.png", np.tile(values[None, :, None], (1, 1, 3)))
    assert oiio_codes(tmp_path / "a.png")[0, :, 0].tolist() == [0, 0, 0, 1, 100, 101, 255, 255]


def test_grey_and_palette_become_rgb(tmp_path):
    grey = codes(1)[..., 0]
    picture = read_picture(synthetic.write_png(tmp_path / "g.png", grey))
    assert picture.pixels.shape == (20, 30, 3)
    assert np.array_equal(np.rint(picture.pixels * 255), np.repeat(grey[..., None], 3, 2))
    spec = oiio.ImageSpec(30, 20, 2, "uint8")
    spec.channelnames, spec.alpha_channel = ("Y", "A"), 1
    spec["oiio:UnassociatedAlpha"] = 1
    file = oiio.ImageOutput.create(str(tmp_path / "ga.png"))
    wanted = codes(2)
    assert file.open(str(tmp_path / "ga.png"), spec)
    assert file.write_image(wanted)
    assert file.close()
    pixels = np.rint(read_picture(tmp_path / "ga.png").pixels * 255)
    assert np.array_equal(pixels, wanted[..., [0, 0, 0, 1]])
    assert has_alpha(tmp_path / "ga.png")
    assert not has_alpha(tmp_path / "g.png")


def test_jpeg_and_tiff(strange_folder):
    smooth = cv2.GaussianBlur(codes(3), (0, 0), 5)
    assert cv2.imwrite(str(strange_folder / "a.jpg"), smooth[..., ::-1])
    assert cv2.imwrite(str(strange_folder / "a.tif"), smooth[..., ::-1].astype(np.uint16) * 257)
    jpeg, tiff = (read_picture(strange_folder / name) for name in ("a.jpg", "a.tif"))
    assert jpeg.bits == 8
    assert np.abs(jpeg.pixels * 255 - smooth).mean() < 3
    assert tiff.bits == 16
    assert np.array_equal(np.rint(tiff.pixels * 255), smooth)


def test_exr_is_linear_and_premultiplied_and_comes_back(strange_folder):
    pixels = RANDOM.random((20, 30, 4)).astype(np.float32)
    pixels[:5, :, 3] = 0
    path = strange_folder / "ü.exr"
    write_picture(path, pixels)
    stored = synthetic.read_layers(path)
    assert set(stored) == {"R", "G", "B", "A"}
    linear = decode_srgb(pixels[..., 0]) * pixels[..., 3]
    assert np.allclose(stored["R"], linear, atol=1e-3)
    spec = oiio.ImageInput.open(str(path)).spec()
    assert spec.format == oiio.TypeHalf
    assert spec.get_string_attribute("compression") == "zip"
    picture = read_picture(path)
    seen = pixels[..., 3] > 0.05
    assert picture.bits == 16
    assert np.abs(picture.pixels - pixels)[seen].max() < 4e-3
    assert not picture.pixels[:5].any()


def test_the_srgb_curve_has_its_known_values_and_inverts():
    assert np.allclose(
        encode_srgb([0, 0.0031308, 0.18, 0.5, 1, np.inf]),
        [0, 0.04045, 0.46135, 0.73536, 1, 1],
        atol=1e-5,
    )
    values = np.linspace(0, 1, 1001, dtype=np.float32)
    assert np.abs(encode_srgb(decode_srgb(values)) - values).max() < 1e-6


def test_infinity_is_white_and_nan_is_refused(tmp_path):
    for value in (np.inf, np.nan):
        grey = np.full((8, 8), 0.25, np.float32)
        grey[3, 4] = value
        synthetic.write_layers(tmp_path / "a.exr", dict.fromkeys("RGB", grey))
        if np.isnan(value):
            with pytest.raises(PaintoverError, match=r"a\.exr holds NaN"):
                read_picture(tmp_path / "a.exr")
        else:
            assert read_picture(tmp_path / "a.exr").pixels[3, 4].tolist() == [1, 1, 1]


def test_data_window_is_laid_into_the_display_window(tmp_path):
    path = tmp_path / "a.exr"
    spec = oiio.ImageSpec(6, 5, 3, "float")
    spec.x, spec.y, spec.full_x, spec.full_y = 3, -2, 1, 0
    spec.full_width, spec.full_height = 12, 8
    values = RANDOM.random((5, 6, 3)).astype(np.float32)
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec)
    assert file.write_image(values)
    assert file.close()
    wanted = np.zeros((8, 12), np.float32)
    wanted[:3, 2:8] = values[2:, :, 0]
    assert np.array_equal(synthetic.read_layers(path)["R"], wanted)
    assert picture_size(path) == (12, 8)
    assert np.allclose(read_picture(path).pixels[..., 0], encode_srgb(wanted))


def test_one_part_and_many_parts_read_alike(strange_folder):
    wanted = synthetic.layers(1)
    for many in (False, True):
        path = strange_folder / f"{many}.exr"
        synthetic.write_layers(path, wanted, many)
        with opened_layers(path) as file:
            assert set(file.names) == set(wanted)
            assert file.size == (synthetic.WIDTH, synthetic.HEIGHT)
        read = synthetic.read_layers(path)
        assert set(read) == set(wanted)
        for name, values in read.items():
            assert values.dtype == np.float32
            assert np.array_equal(values, wanted[name]), name
        chosen = [f"{synthetic.LAYER}.Vector.W", f"{synthetic.LAYER}.Normal.X", "no such channel"]
        assert set(synthetic.read_layers(path, chosen)) == set(chosen[:2])


def test_the_picture_in_a_multilayer_exr_is_the_combined_pass(tmp_path):
    for many in (False, True):
        path = tmp_path / f"{many}.exr"
        synthetic.write_layers(path, synthetic.layers(1), many)
        combined = synthetic.read_layers(path)[f"{synthetic.LAYER}.Combined.R"]
        alpha = synthetic.read_layers(path)[f"{synthetic.LAYER}.Combined.A"]
        solid = alpha == 1
        pixels = read_picture(path).pixels
        assert np.allclose(pixels[..., 0][solid], encode_srgb(combined)[solid])
        assert np.array_equal(pixels[..., 3], alpha)


def test_an_exr_without_colours_is_a_sentence(tmp_path):
    synthetic.write_layers(tmp_path / "z.exr", {"L.Depth.Z": np.ones((8, 8), np.float32)})
    with pytest.raises(PaintoverError, match=r"z\.exr has no colors"):
        read_picture(tmp_path / "z.exr")


def write_any(path) -> None:
    noise = RANDOM.random((40, 50, 3)).astype(np.float32)
    if path.suffix in (".png", ".exr"):
        write_picture(path, noise)
    else:
        assert cv2.imwrite(str(path), (noise * 255).astype(np.uint8))


@pytest.mark.parametrize("share", [0.0, 0.01, 0.3, 0.6, 0.95])
@pytest.mark.parametrize("suffix", [".png", ".exr", ".jpg", ".tif"])
def test_truncated_files_are_found_and_named(strange_folder, suffix, share):
    path = strange_folder / f"cut{suffix}"
    write_any(path)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(PaintoverError, match=rf"cut\{suffix} is damaged or cut short"):
        read_picture(path)


@pytest.mark.parametrize("suffix", [".png", ".exr"])
def test_spoilt_files_are_found(tmp_path, suffix):
    path = tmp_path / f"spoilt{suffix}"
    write_any(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 64] = bytes(64)
    path.write_bytes(data)
    with pytest.raises(PaintoverError, match="spoilt"):
        read_picture(path)


@pytest.mark.parametrize("many", [False, True])
@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.9])
def test_truncated_passes_are_found_and_named(tmp_path, many, share):
    path = tmp_path / "cut.exr"
    synthetic.write_layers(path, synthetic.layers(1), many)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(PaintoverError, match=r"cut\.exr"):
        synthetic.read_layers(path)


def test_missing_files_and_folders_are_sentences(tmp_path):
    for read in (read_picture, picture_size, has_alpha, synthetic.read_layers):
        for path in (tmp_path / "none.png", tmp_path):
            with pytest.raises(PaintoverError, match="There is no picture"):
                read(path)


@pytest.mark.parametrize("suffix", [".png", ".exr"])
def test_a_place_that_cannot_be_written_is_a_sentence(tmp_path, suffix):
    (tmp_path / "file").write_text("kept")
    path = tmp_path / "file" / f"a{suffix}"
    with pytest.raises(PaintoverError, match="Cannot write"):
        write_picture(path, np.zeros((4, 4, 3), np.float32))
    assert (tmp_path / "file").read_text() == "kept"


@pytest.mark.parametrize("suffix", [".png", ".exr"])
def test_a_full_disk_keeps_what_was_there(full_disk, suffix):
    path = full_disk / f"a{suffix}"
    write_picture(path, np.zeros((4, 4, 3), np.float32))
    before = path.read_bytes()
    with pytest.raises(PaintoverError, match="No space left on device"):
        write_picture(path, RANDOM.random((200, 300, 4)).astype(np.float32))
    assert path.read_bytes() == before
    assert [entry.name for entry in full_disk.iterdir()] == [path.name]
