# SPDX-License-Identifier: GPL-3.0-or-later
"""The digest of a picture follows its pixels, not the notes in its file."""

from __future__ import annotations

import struct
import zlib

import cv2
import numpy as np
import OpenImageIO as oiio  # noqa: N813
import pytest

from engine.shared.files import digest_file
from engine.shared.pictures.digests import digest_picture

SIZE = 480, 270


def pixels(seed: int = 0) -> np.ndarray:
    y, x = np.mgrid[: SIZE[1], : SIZE[0]].astype(np.float32)
    return np.stack([x / SIZE[0], y / SIZE[1], np.sin(x / 9 + seed) / 2 + 0.5], axis=2)


def chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def png(path, seed=0, notes=b"", cut=0):
    """Write a PNG with chunks after its header, its pixels cut into pieces of ``cut`` bytes."""
    data = cv2.imencode(".png", np.rint(pixels(seed) * 255).astype(np.uint8))[1].tobytes()
    head, rest = data[:33], data[33:]
    if cut:
        body = b""
        place = 0
        while place < len(rest):
            (length,) = struct.unpack_from(">I", rest, place)
            if rest[place + 4 : place + 8] == b"IDAT":
                body += rest[place + 8 : place + 8 + length]
            place += length + 12
        pieces = [body[at : at + cut] for at in range(0, len(body), cut)]
        rest = b"".join(chunk(b"IDAT", piece) for piece in pieces) + chunk(b"IEND", b"")
    path.write_bytes(head + notes + rest)
    return path


def exif(orientation: int, date: bytes) -> bytes:
    """EXIF data with an orientation and a date."""
    entries = struct.pack("<HHIHH", 0x0112, 3, 1, orientation, 0)
    entries += struct.pack("<HHII", 0x0132, 2, len(date), 38)
    return b"II*\0" + struct.pack("<IH", 8, 2) + entries + struct.pack("<I", 0) + date


def test_notes_in_a_png_do_not_count_but_what_changes_its_pixels_does(tmp_path):
    plain = digest_picture(png(tmp_path / "plain.png"))
    alike = [
        png(tmp_path / "text.png", notes=chunk(b"tEXt", b"Date\02026/11/28 10:00:00")),
        png(tmp_path / "time.png", notes=chunk(b"tIME", bytes(7))),
        png(tmp_path / "dpi.png", notes=chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1))),
        png(tmp_path / "cut.png", cut=1000),
    ]
    assert {digest_picture(path) for path in alike} == {plain}
    others = [
        png(tmp_path / "pixels.png", seed=1),
        png(tmp_path / "gamma.png", notes=chunk(b"gAMA", struct.pack(">I", 100_000))),
        png(tmp_path / "profile.png", notes=chunk(b"iCCP", b"p\0\0" + zlib.compress(b"profile"))),
        png(tmp_path / "turned.png", notes=chunk(b"eXIf", exif(6, b"2026\0"))),
    ]
    assert len({plain, *map(digest_picture, others)}) == 5
    dated = png(tmp_path / "dated.png", notes=chunk(b"eXIf", exif(6, b"2027\0")))
    assert digest_picture(dated) == digest_picture(others[-1])


def write_exr(path, parts, seed=0, **notes):
    """Write float pixels to each part of an EXR."""
    specs = []
    for part in parts:
        spec = oiio.ImageSpec(*SIZE, 3, "float")
        spec["oiio:subimagename"] = part
        spec["compression"] = "zip"
        for name, value in notes.items():
            spec[name] = value
        specs.append(spec)
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), tuple(specs))
    for index, spec in enumerate(specs):
        if index:
            assert file.open(str(path), spec, "AppendSubimage")
        assert file.write_image(pixels(seed + index))
    assert file.close()
    return path


@pytest.mark.parametrize("parts", [["one"], ["one", "two"]])
def test_notes_in_an_exr_do_not_count(tmp_path, parts):
    today, later = "2026:11:28 10:00:00", "2027:01:01 00:00:00"
    first = write_exr(tmp_path / "1.exr", parts, DateTime=today, File="/home/me/a.blend")
    second = write_exr(tmp_path / "2.exr", parts, DateTime=later, RenderTime="00:01")
    other = write_exr(tmp_path / "3.exr", parts, seed=5, DateTime=today)
    assert digest_file(first) != digest_file(second)
    assert digest_picture(first) == digest_picture(second) != digest_picture(other)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.01, 0.5, 0.99])
def test_truncated_and_other_files_count_byte_by_byte(tmp_path, share):
    for whole in (png(tmp_path / "a.png"), write_exr(tmp_path / "a.exr", ["one", "two"])):
        part = tmp_path / f"part{whole.suffix}"
        part.write_bytes(whole.read_bytes()[: int(share * whole.stat().st_size)])
        assert digest_picture(part) not in ("", digest_picture(whole))
    notes = tmp_path / "notes.jpg"
    notes.write_bytes(b"\xff\xd8 not really")
    assert digest_picture(notes) == digest_file(notes)
    assert digest_picture(tmp_path / "none.png") == ""
