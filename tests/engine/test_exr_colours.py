# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture in an EXR of any renderer: names of channels, layers, parts, views, colours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import OpenImageIO as oiio  # noqa: N813
import picture_files as files
import pytest

from engine.images.colour.srgb import encode_srgb
from engine.images.given_pictures import given_size, read_given
from engine.images.pictures import picture_size, read_picture
from engine.shared.errors import PaintoverError
from engine.shared.pictures.colour_tags import has_own_colours

RED, GREEN, BLUE = 0.5, 0.25, 0.125
SHOWN = encode_srgb([RED, GREEN, BLUE])


def grey(value: float) -> np.ndarray:
    return np.full((files.HEIGHT, files.WIDTH), value, np.float32)


def layer(name: str = "", channels: str = "R G B A", scale: float = 1.0) -> dict[str, np.ndarray]:
    """The channels of a layer in the wanted colours, times ``scale``."""
    values = (RED * scale, GREEN * scale, BLUE * scale, 1.0)
    dot = "." if name else ""
    return {f"{name}{dot}{c}": grey(v) for c, v in zip(channels.split(), values, strict=False)}


def check(path: Path, alpha: bool = True) -> tuple[str, ...]:
    """Check that both readers find the wanted colours; return the notes."""
    given = read_given(path)
    for picture in (given.picture, read_picture(path)):
        assert picture.pixels.shape[2] == (4 if alpha else 3)
        assert np.allclose(picture.pixels[..., :3], SHOWN, atol=1e-3)
    return given.notes


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("", "R G B A"),
        ("", "r g b a"),
        ("", "red green blue alpha"),
        ("RGBA", "R G B A"),
        ("rgba", "red green blue alpha"),
        ("beauty", "R G B A"),
        ("Beauty", "r g b a"),
        ("Combined.Combined", "R G B A"),
        ("ViewLayer.Combined", "R G B A"),
        ("Ci", "r g b a"),
        ("FinalImage", "R G B A"),
        ("rgba_beauty", "R G B A"),
        ("C", "R G B A"),
        ("anything", "R G B A"),
    ],
)
@pytest.mark.parametrize("others", [False, True])
def test_the_picture_is_found_under_the_names_of_any_renderer(tmp_path, name, channels, others):
    found = layer(name, channels)
    if others:
        more = {f"N.{c}": grey(0.9) for c in "XYZ"} | {"depth.Z": grey(9), "id.ID": grey(7)}
        if name != "anything":
            more |= layer("albedo", "R G B", 0.3) | layer("zebra", "R G B", 0.2)
        found = more | found
    notes = check(files.write_exr(tmp_path / "a.exr", {"": found}))
    assert len(notes) == others
    if others:
        layers = "N, depth" if name == "anything" else "N, albedo, depth, zebra"
        assert notes == (f"has further layers ({layers}), which are not used",)


def test_grey_and_alpha_without_a_layer_name(tmp_path):
    path = files.write_exr(tmp_path / "a.exr", {"": {"Y": grey(0.5)}})
    assert np.allclose(read_given(path).picture.pixels, encode_srgb(0.5), atol=1e-3)
    channels = layer("beauty", "R G B") | {"A": grey(0.5)}
    path = files.write_exr(tmp_path / "b.exr", {"": channels})
    assert np.allclose(read_given(path).picture.alpha, 0.5)
    assert np.allclose(read_given(path).picture.rgb, encode_srgb([1, 0.5, 0.25]), atol=1e-3)


def test_layers_without_the_whole_picture_are_refused_by_name(tmp_path):
    layers = layer("diffuse", "R G B") | layer("specular", "R G B")
    path = files.write_exr(tmp_path / "a.exr", {"": layers})
    with pytest.raises(PaintoverError, match=r"a\.exr has the layers diffuse, specular, but none"):
        read_given(path)
    parts = {"diffuse": layer("", "R G B"), "specular": layer("", "R G B")}
    path = files.write_exr(tmp_path / "b.exr", parts)
    with pytest.raises(PaintoverError, match=r"b\.exr has the layers diffuse, specular, but none"):
        read_given(path)
    path = files.write_exr(tmp_path / "c.exr", {"": {"depth.Z": grey(1)}})
    with pytest.raises(PaintoverError, match=r"c\.exr has no colors"):
        read_given(path)


def test_a_cryptomatte_is_no_picture(tmp_path):
    crypto = layer("ViewLayer.CryptoObject00", "R G B A") | layer("uCryptoAsset01", "r g b a")
    path = files.write_exr(tmp_path / "1.exr", {"": crypto})
    with pytest.raises(PaintoverError, match=r"1\.exr holds only the Cryptomatte"):
        read_given(path)
    (told,) = check(
        files.write_exr(tmp_path / "2.exr", {"": crypto | layer("paint", "R G B")}), False
    )
    assert "has further layers" in told


def test_the_picture_may_be_in_any_part(tmp_path):
    for number, parts in enumerate(
        (
            {"albedo": layer("", "R G B A", 0.3), "beauty": layer()},
            {"albedo": layer("albedo", "R G B A", 0.3), "main": layer()},
            {"crypto": {"crypto00.R": grey(0.1)}, "x": layer("ViewLayer.Combined")},
        )
    ):
        (note,) = check(files.write_exr(tmp_path / f"{number}.exr", parts))
        assert "has further layers (" in note


def test_what_blenders_compositor_made_comes_before_the_view_layers(tmp_path):
    others = layer("Foreground.Combined", scale=0.3) | layer("Background.Combined", scale=0.2)
    channels = others | layer("Composite.Combined")
    (note,) = check(files.write_exr(tmp_path / "a.exr", {"": channels}))
    assert "Background.Combined, Foreground.Combined" in note
    (note,) = read_given(files.write_exr(tmp_path / "b.exr", {"": others})).notes
    assert note.startswith("has several pictures (")


def test_of_several_views_the_first_is_used_and_this_is_told(tmp_path):
    right = layer("right", "R G B A", 0.3)
    for number, channels in enumerate((layer() | right, right | layer("left"))):
        path = tmp_path / f"{number}.exr"
        files.write_exr(path, {"": channels}, multiView=("left", "right"))
        (note,) = check(path)
        assert "of which only left is used" in note
    combined = layer("ViewLayer.Combined.right", "R G B A", 0.3) | layer("ViewLayer.Combined.left")
    path = files.write_exr(tmp_path / "b.exr", {"": combined}, multiView=("left", "right"))
    assert "of which only left is used" in check(path)[0]


def test_luminance_and_chroma_become_rgb(tmp_path):
    path = files.write_luminance_chroma(tmp_path / "a.exr", 0.5, 0.4, -0.3)
    luma = np.array([0.2126, 0.7152, 0.0722])
    red, blue = 0.7, 0.35
    green = (0.5 - luma[0] * red - luma[2] * blue) / luma[1]
    assert np.allclose(read_given(path).picture.pixels, encode_srgb([red, green, blue]), atol=2e-3)


@pytest.mark.parametrize(
    ("attributes", "name"),
    [
        (
            {"chromaticities": (0.713, 0.293, 0.165, 0.83, 0.128, 0.044, 0.32168, 0.33767)},
            "ACEScg",
        ),
        ({"colorInteropID": "lin_ap1_scene"}, "ACEScg"),
    ],
)
def test_other_primaries_are_converted(tmp_path, attributes, name):
    path = files.write_exr(tmp_path / "a.exr", {"": layer()}, **attributes)
    given = read_given(path)
    assert given.notes == (f"is in {name}; its colors are converted to sRGB",)
    to_rec709 = [[1.7051, -0.6218, -0.0833], [-0.1303, 1.1408, -0.0105], [-0.0240, -0.1290, 1.1530]]
    wanted = encode_srgb(np.array(to_rec709) @ [RED, GREEN, BLUE])
    assert np.allclose(given.picture.rgb, wanted, atol=2e-3)
    assert not given.is_as_stored
    assert has_own_colours(path)


def test_the_notes_of_rec_709_change_nothing(tmp_path):
    rec709 = (0.64, 0.33, 0.3, 0.6, 0.15, 0.06, 0.3127, 0.329)
    for attributes in (
        {"chromaticities": rec709},
        {"colorInteropID": "lin_rec709_scene"},
        {"colorInteropID": "data"},
    ):
        path = files.write_exr(tmp_path / "a.exr", {"": layer()}, **attributes)
        assert check(path) == ()
        assert not has_own_colours(path)
        assert np.array_equal(read_given(path).picture.pixels, read_picture(path).pixels)
    path = files.write_exr(tmp_path / "a.exr", {"": layer()}, colorInteropID="log_of_a_camera")
    with pytest.raises(PaintoverError, match=r'is in the color space "log_of_a_camera"'):
        read_given(path)


def test_bright_pixels_and_pixels_that_are_not_square_are_told(tmp_path):
    bright = layer()
    bright["R"][:3] = 7
    path = files.write_exr(tmp_path / "a.exr", {"": bright}, PixelAspectRatio=2.0)
    notes = read_given(path).notes
    assert "has colors brighter than white, which become white" in notes
    assert "has pixels that are not square (2); they are taken as square" in notes


def test_whole_numbers_and_deep_data_are_refused(tmp_path):
    files.write_exr(tmp_path / "a.exr", {"": layer()}, kind="uint")
    with pytest.raises(PaintoverError, match=r"a\.exr stores colors as whole numbers"):
        read_given(tmp_path / "a.exr")
    spec = oiio.ImageSpec(4, 3, 5, oiio.FLOAT)
    spec.channelnames, spec.deep = ("R", "G", "B", "A", "Z"), True
    deep = oiio.DeepData()
    deep.init(12, 5, [oiio.TypeDesc("float")] * 5, list(spec.channelnames))
    for pixel in range(12):
        deep.set_samples(pixel, 1)
    file = oiio.ImageOutput.create("a.exr")
    assert file.open(str(tmp_path / "deep.exr"), spec)
    assert file.write_deep_image(deep)
    assert file.close()
    for read in (read_given, read_picture, given_size, picture_size):
        with pytest.raises(PaintoverError, match=r"deep\.exr holds deep data .* flatten it\."):
            read(tmp_path / "deep.exr")


def test_names_of_layers_in_another_alphabet(tmp_path):
    path = files.write_exr(tmp_path / "a.exr", {"": layer("Малюнок")})
    assert check(path) == ()
    path.write_bytes(
        path.read_bytes().replace("Малюнок".encode(), b"\xcc\xe0\xeb\xfe\xed\xee\xea1234567")
    )
    with pytest.raises(PaintoverError, match=r"a\.exr has layers whose names are not in UTF-8"):
        read_given(path)


def test_tiles_and_mip_maps_read_alike(tmp_path):
    path = tmp_path / "a.exr"
    values = np.random.default_rng(2).random((48, 64, 3)).astype(np.float32)
    settings = oiio.ImageSpec(64, 48, 3, "half")
    settings.tile_width = settings.tile_height = 16
    textured = oiio.ImageBufAlgo.make_texture
    assert textured(oiio.MakeTxTexture, oiio.ImageBuf(values), str(path), settings)
    assert oiio.ImageInput.open(str(path)).seek_subimage(0, 1)
    assert np.allclose(read_given(path).picture.pixels, encode_srgb(values), atol=1e-3)


def test_a_huge_data_window_does_not_fill_the_memory(tmp_path):
    path = files.write_exr(tmp_path / "a.exr", {"": layer("", "R G B")})
    data = bytearray(path.read_bytes())
    box = data.index(b"dataWindow\0box2i\0") + len(b"dataWindow\0box2i\0") + 4
    data[box + 8 : box + 16] = (99_999).to_bytes(4, "little") * 2
    path.write_bytes(data)
    for read in (read_given, read_picture):
        with pytest.raises(PaintoverError, match=r"a\.exr"):
            read(path)
