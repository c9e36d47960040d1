# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures of any program: their colours, which side is up, and their alpha."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio  # noqa: N813
import picture_files as files
import pytest
from PIL import Image, ImageCms, ImageOps

from engine.images.colour.srgb import decode_srgb, encode_srgb
from engine.images.given_pictures import given_size, read_given, read_given_mask
from engine.images.pictures import read_picture
from engine.shared.errors import PaintoverError
from engine.shared.pictures.colour_tags import has_own_colours

P3 = files.rgb_profile(files.DISPLAY_P3, files.gamma_tag(2.2))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
TO_SRGB = {"P3": [[1.2249, -0.2247, 0], [-0.0420, 1.0419, 0], [-0.0197, -0.0786, 1.0979]]}
"""From linear Display P3, as CSS Color 4 has it."""


def shown(picture: Image.Image, profile: bytes) -> np.ndarray:
    """The picture in sRGB, by LittleCMS, (H, W, 3) codes."""
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    intent, flags = ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION
    converted = ImageCms.profileToProfile(picture, source, target, intent, "RGB", flags=flags)
    return np.asarray(converted, int)


def read_codes(path: Path) -> np.ndarray:
    return np.rint(read_given(path).picture.pixels * 255).astype(int)


def refusal(path: Path) -> str:
    """The sentence with which a picture is refused."""
    with pytest.raises(PaintoverError) as caught:
        read_given(path)
    text = str(caught.value)
    assert str(path) in text
    assert text.endswith(".")
    assert "\n" not in text
    return text.removeprefix(str(path))


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize(
    "profile",
    [
        P3,
        files.rgb_profile(files.ADOBE_RGB, files.gamma_tag(2.2), b"Adobe RGB (1998)"),
        files.rgb_profile(files.PROPHOTO, files.gamma_tag(1.8), b"ProPhoto"),
        files.rgb_profile(files.DISPLAY_P3, files.table_tag(decode_srgb(np.linspace(0, 1, 1024)))),
        files.rgb_profile(
            files.DISPLAY_P3,
            b"para\0\0\0\0\0\3\0\0"
            + files._fixed((2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)),
        ),
        files.table_profile(b"RGB "),
    ],
    ids=["P3", "Adobe RGB", "ProPhoto", "a table", "a formula", "a grid"],
)
def test_an_embedded_profile_is_converted_as_littlecms_does(tmp_path, suffix, profile):
    path = tmp_path / f"a{suffix}"
    lossless = {"lossless": True} if suffix == ".webp" else {}
    Image.fromarray(files.colours()).save(path, icc_profile=profile, **lossless)
    given = read_given(path)
    codes = oiio.ImageBuf(str(path)).get_pixels(oiio.UINT8)
    wanted = shown(Image.fromarray(codes), profile)
    assert np.abs(np.rint(given.picture.pixels * 255) - wanted).max() <= 1
    assert not given.is_as_stored
    (note,) = given.notes
    assert note.startswith('has the color profile "')
    assert "converted to sRGB" in note


def test_16_bits_stay_16(tmp_path):
    wide = files.colours(kind=np.uint16) // 4
    path = files.write_png(tmp_path / "a.png", wide, files.profile_chunk(P3))
    picture = read_given(path).picture
    assert picture.bits == 16
    linear = (wide / 65535) ** (563 / 256)
    wanted = encode_srgb(linear @ np.array(TO_SRGB["P3"]).T)
    assert np.abs(picture.pixels - wanted).max() < 4e-3
    steps = np.arange(40000, 40000 + files.WIDTH, dtype=np.uint16)
    ramp = np.broadcast_to(steps[None, :, None], (files.HEIGHT, files.WIDTH, 3))
    files.write_png(path, np.ascontiguousarray(ramp), files.profile_chunk(P3))
    assert len(np.unique(np.rint(read_given(path).picture.pixels[..., 0] * 65535))) == files.WIDTH


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "chunks",
    [
        b"",
        files.chunk(b"sRGB", b"\0"),
        files.chunk(b"gAMA", struct.pack(">I", 45455)),
        files.chunk(b"gAMA", struct.pack(">I", 45455))
        + files.chunk(
            b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
        ),
        files.profile_chunk(SRGB),
        files.chunk(b"cICP", b"\1\x0d\0\1"),
        files.orientation_chunk(1),
    ],
    ids=["nothing", "sRGB", "gAMA", "cHRM", "profile", "cICP", "upright"],
)
def test_srgb_stays_as_it_is_to_the_last_bit(tmp_path, channels, kind, chunks):
    path = files.write_png(tmp_path / "a.png", files.colours(5, channels, kind), chunks)
    given = read_given(path)
    assert given.notes == ()
    assert given.is_as_stored
    assert not has_own_colours(path)
    assert np.array_equal(given.picture.pixels, read_picture(path).pixels)


def test_png_chunks_count_in_the_order_of_the_standard(tmp_path):
    path = tmp_path / "a.png"
    codes = files.colours()
    by_number = files.chunk(b"cICP", files.P3_BY_NUMBER)
    linear = files.chunk(b"gAMA", struct.pack(">I", 100000))
    srgb = files.chunk(b"sRGB", b"\0")
    adobe = files.profile_chunk(files.rgb_profile(files.ADOBE_RGB, files.gamma_tag(2.2)))
    unknown = files.chunk(b"cICP", b"\2\2\0\1")
    names = {}
    for name, chunks in {
        "number": by_number + adobe + srgb + linear,
        "profile": unknown + adobe + srgb + linear,
        "srgb": srgb + linear,
        "gamma": linear,
    }.items():
        given = read_given(files.write_png(path, codes, chunks))
        assert has_own_colours(path) == bool(given.notes)
        names[name] = (given.notes[0] if given.notes else "", given.picture.pixels)
    assert "is in Display P3" in names["number"][0]
    wanted = encode_srgb(decode_srgb(codes / 255) @ np.array(TO_SRGB["P3"]).T)
    assert np.abs(names["number"][1] - wanted).max() < 4e-3
    assert "has the color profile" in names["profile"][0]
    assert names["srgb"] == ("", pytest.approx(codes / 255, abs=1e-6))
    assert "linear light" in names["gamma"][0]
    assert np.allclose(names["gamma"][1], encode_srgb(codes / 255), atol=1e-6)


def test_gammas_and_primaries_of_a_png(tmp_path):
    path = tmp_path / "a.png"
    codes = files.colours()
    files.write_png(path, codes, files.chunk(b"gAMA", struct.pack(">I", 55556)))
    assert np.allclose(
        read_given(path).picture.pixels, encode_srgb((codes / 255) ** 1.8), atol=1e-4
    )
    p3 = struct.pack(">8I", 31270, 32900, 68000, 32000, 26500, 69000, 15000, 6000)
    files.write_png(path, codes, files.chunk(b"cHRM", p3))
    wanted = encode_srgb(decode_srgb(codes / 255) @ np.array(TO_SRGB["P3"]).T)
    assert np.abs(read_given(path).picture.pixels - wanted).max() < 4e-3
    files.write_png(path, codes, files.chunk(b"cHRM", bytes(32)))
    assert "damaged notes about its colors" in refusal(path)


def test_grey_profiles(tmp_path):
    codes = files.colours(channels=1)
    curve = files.table_tag(np.linspace(0, 1, 256) ** 1.5)
    path = files.write_png(
        tmp_path / "a.png", codes, files.profile_chunk(files.grey_profile(curve))
    )
    wanted = encode_srgb((codes / 255) ** 1.5).repeat(3, axis=2)
    assert np.abs(read_given(path).picture.pixels - wanted).max() < 1e-3
    assert np.array_equal(read_given_mask(path), read_picture(path).pixels[..., 0])
    files.write_png(path, files.colours(), files.profile_chunk(files.grey_profile(curve)))
    assert 'the color profile "Dot Gain 20%", which is for GRAY' in refusal(path)


def test_cmyk_needs_its_profile(tmp_path):
    inks = Image.fromarray(cv2.GaussianBlur(files.colours(channels=4), (0, 0), 3), "CMYK")
    profile = files.table_profile(b"CMYK")
    for suffix in (".jpg", ".tif"):
        path = tmp_path / f"a{suffix}"
        inks.save(path, icc_profile=profile)
        with Image.open(path) as stored:
            wanted = shown(stored, profile)
        assert np.abs(read_codes(path) - wanted).max() <= 1
        assert np.ptp(wanted) > 40
        inks.save(path)
        assert "is in CMYK without a color profile" in refusal(path)


def test_colours_that_cannot_be_converted_are_refused(tmp_path):
    path = tmp_path / "a.png"
    for chunks, said in (
        (files.chunk(b"cICP", b"\x09\x10\0\1"), "is an HDR picture (PQ)"),
        (files.chunk(b"cICP", b"\x09\x12\0\1"), "is an HDR picture (HLG)"),
        (files.chunk(b"cICP", b"\x16\x0d\0\1"), "is in a color space that Paintover does not know"),
        (files.chunk(b"cICP", b"\1\x0d\0\0"), "is in a color space that Paintover does not know"),
        (files.profile_chunk(b"not a profile"), "has a damaged color profile"),
        (files.profile_chunk(P3[:200]), "has a damaged color profile"),
        (files.chunk(b"iCCP", b"a\0\0" + b"no zip"), "has a damaged color profile"),
    ):
        assert said in refusal(files.write_png(path, files.colours(), chunks))
    lab = Image.fromarray(files.colours()).convert("LAB")
    lab.save(tmp_path / "a.tif")
    assert "LAB colors; save it as RGB" in refusal(tmp_path / "a.tif")


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
@pytest.mark.parametrize("value", range(1, 9))
def test_pictures_are_turned_upright(tmp_path, suffix, value):
    path = tmp_path / f"a{suffix}"
    exif = Image.Exif()
    exif[0x0112] = value
    smooth = Image.fromarray(cv2.GaussianBlur(files.colours(), (0, 0), 3))
    lossless = {"lossless": True} if suffix == ".webp" else {}
    smooth.save(path, exif=exif, **lossless)
    given = read_given(path)
    with Image.open(path) as stored:
        wanted = np.asarray(ImageOps.exif_transpose(stored), int)
    assert np.abs(np.rint(given.picture.pixels * 255) - wanted).max() <= 3
    assert given.picture.size == given_size(path) == (wanted.shape[1], wanted.shape[0])
    assert given.is_as_stored == (value == 1)
    assert [note.endswith("turned upright") for note in given.notes] == [True] * (value > 1)
    assert read_given_mask(path).shape == wanted.shape[:2]


def test_damaged_notes_of_a_camera_count_as_none(tmp_path):
    path = tmp_path / "a.webp"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(files.colours()).save(path, exif=exif)
    path.write_bytes(path.read_bytes().replace(b"MM\0*", b"MM\0s"))
    assert read_given(path).picture.size == given_size(path) == (files.WIDTH, files.HEIGHT)


def write_tiff(path: Path, values: np.ndarray, is_straight: bool) -> Path:
    height, width, channels = values.shape
    spec = oiio.ImageSpec(width, height, channels, str(values.dtype).replace("32", ""))
    spec["oiio:UnassociatedAlpha"] = int(is_straight)
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec)
    assert file.write_image(values)
    assert file.close()
    return path


@pytest.mark.parametrize("kind", ["uint8", "uint16"])
def test_alpha_of_tiff_is_straight_or_not_as_the_file_says(tmp_path, kind):
    most = np.iinfo(kind).max
    straight = files.colours(9, 4, np.dtype(kind).type)
    straight[..., 3] = np.maximum(straight[..., 3], most // 3)
    straight[:4, :, 3] = 0
    path = write_tiff(tmp_path / "a.tif", straight, is_straight=True)
    given = read_given(path)
    assert given.is_as_stored
    assert np.array_equal(np.rint(given.picture.pixels.astype(float) * most), straight)
    premultiplied = straight.copy()
    alpha = straight[..., 3:] / most
    premultiplied[..., :3] = np.rint(straight[..., :3] * alpha)
    write_tiff(path, premultiplied, is_straight=False)
    given = read_given(path)
    assert not given.is_as_stored
    seen = straight[..., 3] > 0
    assert np.abs(given.picture.pixels * most - straight)[seen].max() <= 2
    assert not given.picture.pixels[:4].any()


def test_floating_point_tiff_is_linear_and_this_is_told(tmp_path):
    values = np.random.default_rng(1).random((8, 9, 3)).astype(np.float32)
    values[0, 0] = np.inf
    values[0, 1] = 3
    path = write_tiff(tmp_path / "a.tif", values, is_straight=True)
    given = read_given(path)
    assert np.allclose(given.picture.pixels, encode_srgb(values), atol=1e-6)
    assert "has colors brighter than white, which become white" in given.notes
    assert any("taken as linear light" in note for note in given.notes)
    values[3, 3] = np.nan
    write_tiff(path, values, is_straight=True)
    assert "holds NaN" in refusal(path)


def test_a_channel_that_is_not_marked_and_further_pages_are_told(tmp_path):
    first, second = (Image.fromarray(files.colours(seed)) for seed in (1, 2))
    for suffix, lossless in ((".tif", {}), (".webp", {"lossless": True}), (".png", {})):
        path = tmp_path / f"pages{suffix}"
        first.save(path, save_all=True, append_images=[second], **lossless)
        given = read_given(path)
        assert np.array_equal(np.rint(given.picture.rgb * 255), files.colours(1))
        assert given.notes == ("holds several pictures; only the first is used",)
    spec = oiio.ImageSpec(files.WIDTH, files.HEIGHT, 4, "uint8")
    spec.channelnames, spec.alpha_channel = ("R", "G", "B", "spot"), -1
    file = oiio.ImageOutput.create("a.tif")
    assert file.open(str(tmp_path / "spot.tif"), spec)
    assert file.write_image(files.colours(channels=4))
    assert file.close()
    (note,) = read_given(tmp_path / "spot.tif").notes
    assert "a channel beside its colors that is not marked as alpha" in note


def test_palettes_few_bits_and_grey_of_any_kind(tmp_path):
    picture = Image.fromarray(files.colours())
    for name, stored, extra in (
        ("1.png", picture.convert("1"), {}),
        ("grey.png", picture.convert("L"), {}),
        ("grey alpha.png", Image.fromarray(files.colours(channels=4)).convert("LA"), {}),
        *((f"p{bits}.png", picture.quantize(2**bits), {"bits": bits}) for bits in (1, 2, 4)),
        ("p8.png", picture.quantize(256), {}),
        ("keyed.png", picture.quantize(16), {"transparency": 3}),
        ("1.tif", picture.convert("1"), {}),
        ("grey.jpg", picture.convert("L"), {}),
        ("waves.jpg", picture, {"progressive": True}),
        ("a.bmp", picture, {}),
        ("top.tga", Image.fromarray(files.colours(channels=4)), {"orientation": 1}),
        ("bottom.tga", Image.fromarray(files.colours(channels=4)), {"orientation": -1}),
        ("packed.tga", picture, {"compression": "tga_rle"}),
    ):
        path = tmp_path / name
        stored.save(path, **extra)
        given = read_given(path)
        with Image.open(path) as again:
            has_alpha = "A" in again.getbands() or "transparency" in again.info
            wanted = np.asarray(again.convert("RGBA" if has_alpha else "RGB"), int)
        most = 3 if name.endswith("jpg") else 0
        assert np.abs(np.rint(given.picture.pixels * 255) - wanted).max() <= most, name
        assert given.notes == (), name


def test_what_counts_in_a_mask_is_light_times_alpha(tmp_path):
    white = np.full((files.HEIGHT, files.WIDTH, 4), 255, np.uint8)
    white[:, :10, 3] = 0
    white[:, 10:20, 3] = 100
    wanted = np.ones(white.shape[:2], np.float32)
    wanted[:, :10], wanted[:, 10:20] = 0, 100 / 255
    path = files.write_png(tmp_path / "a.png", white)
    assert np.allclose(read_given_mask(path), wanted)
    files.write_png(path, np.ascontiguousarray(white[..., 2:]))
    assert np.allclose(read_given_mask(path), wanted)
    red = white.copy()
    red[..., 1:3] = 0
    assert np.allclose(read_given_mask(files.write_png(path, red)), wanted)
    assert read_given_mask(files.write_png(path, white[..., :3] // 2)).max() < 0.5


@pytest.mark.parametrize("name", ["V", "A", "Matte.V", "matte.A", "mask.R", "Z"])
def test_the_only_channel_of_an_exr_is_a_mask(tmp_path, name):
    values = np.linspace(0, 1.2, files.WIDTH * files.HEIGHT, dtype=np.float32)
    values = values.reshape(files.HEIGHT, files.WIDTH)
    path = files.write_exr(tmp_path / "mask.exr", {"": {name: values}})
    assert np.allclose(read_given_mask(path), values.clip(0, 1), atol=1e-3)
    with pytest.raises(PaintoverError, match="has no colors"):
        read_given(path)


def test_a_camera_may_note_adobe_rgb_without_a_profile(tmp_path):
    path = tmp_path / "a.jpg"
    exif = Image.Exif()
    exif[0x8769] = {0xA001: 0xFFFF, 0xA005: {1: "R03", 2: b"0100"}}
    Image.new("RGB", (16, 16), (60, 200, 30)).save(path, exif=exif, quality=95)
    given = read_given(path)
    assert given.notes == ("is in Adobe RGB; its colors are converted to sRGB",)
    profile = files.rgb_profile(files.ADOBE_RGB, files.gamma_tag(563 / 256))
    with Image.open(path) as stored:
        assert np.abs(read_codes(path) - shown(stored, profile)).max() <= 1
    exif[0x8769] = {0xA001: 0xFFFF}
    Image.new("RGB", (16, 16), (60, 200, 30)).save(path, exif=exif)
    assert read_given(path).notes == ()


def test_a_painting_keeps_the_codes_of_a_frame_in_the_same_colour_space(tmp_path):
    frame = files.write_png(
        tmp_path / "f.png", files.colours(), files.chunk(b"cICP", files.P3_BY_NUMBER)
    )
    painting = tmp_path / "p.png"
    adobe = files.profile_chunk(files.rgb_profile(files.ADOBE_RGB, files.gamma_tag(2.2), b"Adobe"))
    p3 = files.rgb_profile(files.DISPLAY_P3, files.table_tag(decode_srgb(np.linspace(0, 1, 1024))))
    for chunks in (b"", files.chunk(b"sRGB", b"\0"), files.profile_chunk(p3)):
        files.write_png(painting, files.colours(8), chunks)
        given = read_given(painting, beside=frame)
        assert np.array_equal(np.rint(given.picture.pixels * 255), files.colours(8))
        assert given.notes == ()
    files.write_png(painting, files.colours(8), adobe)
    with pytest.raises(PaintoverError, match=r"is in Adobe, but its frame is in Display P3; save"):
        read_given(painting, beside=frame)
    files.write_png(frame, files.colours())
    assert "converted to sRGB" in read_given(painting, beside=frame).notes[0]
