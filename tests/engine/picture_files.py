# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes picture files by hand, with what programs note in them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import OpenImageIO as oiio  # noqa: N813

ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
DISPLAY_P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
PROPHOTO = ((0.79767, 0.28804, 0.0), (0.13519, 0.71188, 0.0), (0.03134, 0.00009, 0.82491))
"""Red, green and blue of colour spaces in XYZ, with the white D50."""
P3_BY_NUMBER = b"\x0c\x0d\x00\x01"
"""Display P3 in the chunk cICP."""
HEIGHT, WIDTH = 24, 32


def colours(seed: int = 3, channels: int = 3, kind: type = np.uint8) -> np.ndarray:
    """A picture of random codes (HEIGHT, WIDTH, channels)."""
    random = np.random.default_rng(seed)
    return random.integers(0, np.iinfo(kind).max + 1, (HEIGHT, WIDTH, channels)).astype(kind)


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def profile_chunk(profile: bytes) -> bytes:
    """The chunk of a PNG that holds an ICC profile."""
    return chunk(b"iCCP", b"a\0\0" + zlib.compress(profile))


def orientation_chunk(value: int) -> bytes:
    """The chunk of a PNG that notes which side is up."""
    return chunk(b"eXIf", b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x112, 3, 1, value, 0, 0))


def write_png(path: Path, codes: np.ndarray, chunks: bytes = b"") -> Path:
    """Write codes (H, W, 1 to 4), uint8 or uint16, as a PNG with further chunks."""
    height, width, channels = codes.shape
    bits = 8 * codes.dtype.itemsize
    header = struct.pack(
        ">IIBBBBB", width, height, bits, {1: 0, 2: 4, 3: 2, 4: 6}[channels], 0, 0, 0
    )
    rows = codes.astype(codes.dtype.newbyteorder(">")).reshape(height, -1)
    data = b"".join([b"\0" + row.tobytes() for row in rows])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunks
        + chunk(b"IDAT", zlib.compress(data))
        + chunk(b"IEND", b"")
    )
    return path


def _fixed(values: Sequence[float]) -> bytes:
    return b"".join([struct.pack(">i", round(value * 65536)) for value in values])


def icc(model: bytes, tags: Mapping[bytes, bytes], name: bytes = b"made up") -> bytes:
    """An ICC profile (version 2) of a colour model, such as ``b"RGB "``, with tags."""
    text = b"desc\0\0\0\0" + struct.pack(">I", len(name) + 1) + name + b"\0" + b"\0" * 78
    all_tags = {b"desc": text, b"cprt": b"text\0\0\0\0none\0", **tags}
    all_tags[b"wtpt"] = b"XYZ \0\0\0\0" + _fixed((0.9642, 1, 0.8249))
    place = 128 + 4 + 12 * len(all_tags)
    table, data = struct.pack(">I", len(all_tags)), b""
    for tag, value in all_tags.items():
        padded = value + b"\0" * (-len(value) % 4)
        table += tag + struct.pack(">II", place + len(data), len(padded))
        data += padded
    kind = b"prtr" if model == b"CMYK" else b"mntr"
    space = b"Lab " if model == b"CMYK" else b"XYZ "
    head = struct.pack(
        ">I4sI4s4s4s", 128 + len(table + data), b"none", 0x02400000, kind, model, space
    )
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28
    head += _fixed((0.9642, 1, 0.8249))
    return head + b"\0" * (128 - len(head)) + table + data


def gamma_tag(exponent: float) -> bytes:
    """A curve of an ICC profile."""
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(exponent * 256))


def table_tag(values: np.ndarray) -> bytes:
    """A curve of an ICC profile, given by values 0..1 at even distances."""
    codes = np.rint(values * 65535).astype(">u2")
    return b"curv\0\0\0\0" + struct.pack(">I", len(codes)) + codes.tobytes()


def rgb_profile(primaries: Sequence[Sequence[float]], curve: bytes, name: bytes = b"P3") -> bytes:
    """A profile of a matrix and a curve."""
    tags = {c + b"TRC": curve for c in (b"r", b"g", b"b")}
    for letter, column in zip((b"r", b"g", b"b"), primaries, strict=True):
        tags[letter + b"XYZ"] = b"XYZ \0\0\0\0" + _fixed(column)
    return icc(b"RGB ", tags, name)


def grey_profile(curve: bytes) -> bytes:
    """A profile for grey pictures."""
    return icc(b"GRAY", {b"kTRC": curve}, b"Dot Gain 20%")


def table_profile(model: bytes) -> bytes:
    """A profile with a table: ``b"RGB "`` or ``b"CMYK"`` to Lab (CMYK) or XYZ, two steps an ink."""
    inks = len(model.strip())
    corners = np.stack(np.meshgrid(*[[0, 1]] * inks, indexing="ij"), -1).reshape(-1, inks)
    if inks == 4:
        light = (1 - corners[:, :3]) * (1 - corners[:, 3:])
        lab = np.stack([light.mean(1) * 255, 128 + 60 * (light[:, 0] - light[:, 1])], 1)
        grid = np.column_stack([lab, 128 + 60 * (light[:, 1] - light[:, 2])])
    else:
        grid = (corners @ np.array(DISPLAY_P3)).clip(0, 1) * 127
    steps = np.arange(256, dtype=np.uint8).tobytes()
    tag = b"mft1\0\0\0\0" + struct.pack(">BBBx", inks, 3, 2)
    tag += _fixed((1, 0, 0, 0, 1, 0, 0, 0, 1))
    tag += steps * inks + np.rint(grid).astype(np.uint8).tobytes() + steps * 3
    return icc(model, {b"A2B0": tag}, b"Coated paper")


def write_exr(
    path: Path,
    parts: Mapping[str, Mapping[str, np.ndarray]],
    kind: str = "half",
    **attributes: object,
) -> Path:
    """Write parts (name → channel → (H, W)) as an EXR; attributes by their names."""
    specs = []
    for name, channels in parts.items():
        first = next(iter(channels.values()))
        spec = oiio.ImageSpec(first.shape[1], first.shape[0], len(channels), kind)
        spec.channelnames = tuple(channels)
        if name:
            spec["oiio:subimagename"] = name
        for attribute, value in attributes.items():
            if isinstance(value, tuple):
                of = "string" if isinstance(value[0], str) else "float"
                spec.attribute(attribute, oiio.TypeDesc(f"{of}[{len(value)}]"), value)
            else:
                spec[attribute] = value
        specs.append(spec)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), tuple(specs) if len(specs) > 1 else specs[0])
    for number, channels in enumerate(parts.values()):
        if number:
            assert file.open(str(path), specs[number], "AppendSubimage")
        assert file.write_image(np.stack(list(channels.values()), -1).astype(np.float32))
    assert file.close()
    return path


def write_luminance_chroma(path: Path, luma: float, red: float, blue: float) -> Path:
    """Write an EXR of one colour as luminance and chroma at half the resolution."""

    def attribute(name: bytes, kind: bytes, value: bytes) -> bytes:
        return name + b"\0" + kind + b"\0" + struct.pack("<i", len(value)) + value

    def channel(name: bytes, step: int) -> bytes:
        return name + b"\0" + struct.pack("<iB3xii", 1, 0, step, step)

    box = struct.pack("<4i", 0, 0, WIDTH - 1, HEIGHT - 1)
    channels = channel(b"BY", 2) + channel(b"RY", 2) + channel(b"Y", 1) + b"\0"
    head = b"\x76\x2f\x31\x01\x02\0\0\0"
    head += attribute(b"channels", b"chlist", channels)
    head += attribute(b"compression", b"compression", b"\0")
    head += attribute(b"dataWindow", b"box2i", box) + attribute(b"displayWindow", b"box2i", box)
    head += attribute(b"lineOrder", b"lineOrder", b"\0")
    head += attribute(b"pixelAspectRatio", b"float", struct.pack("<f", 1))
    head += attribute(b"screenWindowCenter", b"v2f", struct.pack("<2f", 0, 0))
    head += attribute(b"screenWindowWidth", b"float", struct.pack("<f", 1)) + b"\0"
    chroma = [np.full(WIDTH // 2, value, np.float16).tobytes() for value in (blue, red)]
    lines = []
    for row in range(HEIGHT):
        data = (b"".join(chroma) if row % 2 == 0 else b"") + np.full(WIDTH, luma, "<f2").tobytes()
        lines.append(struct.pack("<ii", row, len(data)) + data)
    starts = len(head) + 8 * HEIGHT + np.cumsum([0, *map(len, lines[:-1])])
    path.write_bytes(head + starts.astype("<u8").tobytes() + b"".join(lines))
    return path
