# SPDX-License-Identifier: GPL-3.0-or-later
"""The kind of a file counts by its content, and what is no picture is named."""

from __future__ import annotations

import dataclasses
import os
import struct
import zipfile
import zlib
from pathlib import Path

import numpy as np
import picture_files as files
import pytest
from PIL import Image

from engine.images.given_pictures import given_size, read_given, read_given_mask
from engine.images.pictures import write_picture
from engine.jobs.import_pictures import import_pictures
from engine.shared.errors import PaintoverError
from engine.shared.pictures.kinds import readable_kind
from engine.shared.protocol import ImportPictures
from engine.shared.reporter import Silent
from engine.shared.shot import Shot


def refusal(path: Path) -> str:
    """The sentence with which every reader refuses a file."""
    texts = set()
    for read in (readable_kind, given_size, read_given, read_given_mask):
        with pytest.raises(PaintoverError) as caught:
            read(path)
        texts.add(str(caught.value))
    (text,) = texts
    assert str(path) in text
    assert text.endswith(".")
    assert "\n" not in text
    return text


@pytest.mark.parametrize("named", [".png", ".jpg", ".exr", ".tif", ".webp"])
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "WebP", "BMP", "EXR"])
def test_content_counts_and_not_the_name(tmp_path, named, kind):
    path = tmp_path / f"a{named}"
    picture = np.full((files.HEIGHT, files.WIDTH, 3), 0.25, np.float32)
    picture[:, 12:] = 0.75
    if kind == "EXR":
        write_picture(tmp_path / "true.exr", picture)
        (tmp_path / "true.exr").rename(path)
    else:
        Image.fromarray(np.rint(picture * 255).astype(np.uint8)).save(path, format=kind)
    assert readable_kind(path) == kind
    assert given_size(path) == (files.WIDTH, files.HEIGHT)
    given = read_given(path)
    assert given.kind == kind
    assert np.abs(given.picture.pixels - picture)[:, [3, -3]].max() < 0.02


def box(brand: bytes) -> bytes:
    return b"\0\0\0\x18ftyp" + brand + b"\0\0\0\0mif1" + b"\0" * 200


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty (0 bytes)"),
        (b"Not a picture at all\n", "holds text and no picture"),
        (b"<html><body>404</body></html>", "holds text and no picture"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "run git lfs pull"),
        (b"\0\x05\x16\x07" + bytes(80), "holds notes of macOS about a file"),
        (box(b"heic"), "is HEIC, which Paintover does not read; export it as PNG"),
        (box(b"avif"), "is AVIF, which"),
        (box(b"isom"), "is a movie; import the movie itself"),
        (b"RIFF\0\0\0\0AVI LIST", "is a movie"),
        (b"8BPS\0\1" + bytes(80), "is a Photoshop document, which"),
        (b"GIF89a" + bytes(80), "is GIF, which"),
        (b"SDPX" + bytes(80), "is a DPX picture, which Paintover does not read; convert it to EXR"),
        (bytes(range(256)), "is damaged or no picture"),
        (b"\x89PNG", "is damaged or no picture"),
    ],
)
def test_what_is_no_picture_is_said(tmp_path, content, said):
    path = tmp_path / "0001.png"
    path.write_bytes(content)
    assert said in refusal(path)


def test_documents_of_paint_programs(tmp_path):
    path = tmp_path / "0001.png"
    with zipfile.ZipFile(path, "w") as document:
        document.writestr("mimetype", "application/x-krita")
    assert "is a paint program's document or a zip file" in refusal(path)


def test_a_raw_photo_is_not_taken_for_its_thumbnail(tmp_path):
    thumbnail = Image.fromarray(files.colours())
    for suffix in (".dng", ".NEF"):
        thumbnail.save(tmp_path / f"IMG_1{suffix}", format="TIFF")
        assert "is camera raw, which Paintover does not read" in refusal(
            tmp_path / f"IMG_1{suffix}"
        )
    thumbnail.save(tmp_path / "IMG_1.tif")
    assert readable_kind(tmp_path / "IMG_1.tif") == "TIFF"


def test_jpeg_as_windows_saves_it_from_the_web(tmp_path):
    for frame in (1, 2):
        Image.fromarray(files.colours()).save(tmp_path / f"{frame}.jfif", format="JPEG")
    request = ImportPictures(1, str(tmp_path / "shot"), str(tmp_path), "", "", {}, 24.0)
    assert import_pictures(request, Silent())["frames"] == 2


def test_folders_links_pipes_and_missing_files(tmp_path):
    (tmp_path / "x.png").mkdir()
    assert "is a folder and no picture" in refusal(tmp_path / "x.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    (tmp_path / "nowhere.png").symlink_to(tmp_path / "gone.png")
    for name in ("loop.png", "nowhere.png"):
        assert "is a link that leads to no file" in refusal(tmp_path / name)
    os.mkfifo(tmp_path / "pipe.png")
    assert "is no file" in refusal(tmp_path / "pipe.png")
    assert "There is no picture" in refusal(tmp_path / "none.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_files_that_may_not_be_read(tmp_path):
    path = files.write_png(tmp_path / "a.png", files.colours())
    path.chmod(0)
    assert "may not be read" in refusal(path)


def test_a_huge_header_is_refused_before_the_memory_is_full(tmp_path):
    (tmp_path / "in").mkdir()
    path = tmp_path / "in" / "0001.png"
    request = ImportPictures(1, str(tmp_path / "shot"), str(path.parent), "", "", {}, 24.0)
    for size, read, imported in (
        (60_000, "claims to have 60000×60000 pixels", "is 60000×60000; a side may"),
        (2_000_000, "is damaged", "is damaged"),
    ):
        header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + files.chunk(b"IHDR", header)
        data += files.chunk(b"IDAT", zlib.compress(bytes(1000))) + files.chunk(b"IEND", b"")
        path.write_bytes(data)
        with pytest.raises(PaintoverError, match=read):
            read_given(path)
        with pytest.raises(PaintoverError, match=imported):
            import_pictures(request, Silent())


def test_a_folder_of_pictures_that_are_not_read_is_said(tmp_path):
    (tmp_path / "IMG_0001.HEIC").write_bytes(box(b"heic"))
    request = ImportPictures(1, str(tmp_path / "shot"), str(tmp_path), "", "", {}, 24.0)
    with pytest.raises(PaintoverError, match=r"IMG_0001\.HEIC is HEIC, which"):
        import_pictures(request, Silent())
    for suffix in ("ppm", "dds", "jxl"):
        folder = tmp_path / suffix
        folder.mkdir()
        (folder / f"0001.{suffix}").write_bytes(b"P6\n1 1\n255\n...")
        other = dataclasses.replace(request, input=str(folder))
        with pytest.raises(PaintoverError, match=rf"0001\.{suffix} is {suffix.upper()}, which"):
            import_pictures(other, Silent())
    files.write_png(tmp_path / "frame_0001.png", files.colours())
    assert import_pictures(request, Silent())["frames"] == 1
    assert Shot.open(tmp_path / "shot").frames == [1]
