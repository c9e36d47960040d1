# SPDX-License-Identifier: GPL-3.0-or-later
"""How each reader of files, messages and text is called by the fuzzer, and what must hold.

Each returns data that can be written as JSON, or raises ``WrongError``. Only modules of
``engine/shared`` are loaded here for the quick ones; those that need PyTorch or OpenImageIO load it
by themselves.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import io
import re
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.app.arguments import build_parser
from engine.app.terminal import Terminal
from engine.jobs.import_note import noted as noted_moves
from engine.shared import protocol
from engine.shared.claims import holder_of
from engine.shared.errors import PaintoverError
from engine.shared.flicker_records import describe, read_flickers, unsteady_frames
from engine.shared.frame_lists import format_frames, keep_negative, parse_frames
from engine.shared.identity import identity
from engine.shared.journal import noted
from engine.shared.keyframes import weights
from engine.shared.manifest import manifest_to_text
from engine.shared.names import check_name, one_line
from engine.shared.pictures.colour_tags import has_own_colours
from engine.shared.pictures.digests import digest_data, digest_picture
from engine.shared.pictures.frame_numbers import NamePattern, frame_named, numbers_in
from engine.shared.shot import Shot
from engine.shared.style_header import read_style_header
from engine.shared.trainings.kept import Training
from engine.shared.trainings.kept import describe as describe_training
from engine.shared.trainings.record import read_record
from engine.shared.trainings.verdict import in_words

from .fuzz_target import WrongError
from .long_headers import png_chunk, png_head

STYLE = "ink"
"""The style that the shot of the seeds has."""
_MOVED = re.compile(r"(frames|guides/[^/\\]+|mattes/matte)/-?[0-9]+\.png")
_OPENJD = ("openjd_progress: ", "openjd_status: ", "openjd_fail: ")


def read_shot(folder: Path, _: Path) -> Any:
    """The manifest, its identity and what it lists, given the shot's folder."""
    identity(folder)
    shot = Shot.open(folder)
    return [manifest_to_text(shot.manifest), shot.key_frames(), len(shot.missing_files())]


def read_journal(_: Path, path: Path) -> Any:
    """The journal beside a manifest."""
    return {
        str(n): dataclasses.asdict(one) for n, one in noted(path.with_name("shot.json")).items()
    }


def read_header(_: Path, path: Path) -> Any:
    """The header of a style, without its tensors."""
    return dataclasses.asdict(read_style_header(path))


@functools.cache
def _opened(folder: Path) -> Shot:
    return Shot.open(folder)


def read_out_record(folder: Path, _: Path) -> Any:
    """The record of a stylized frame."""
    record = _opened(folder).read_out_record(STYLE, 2)
    return record and dataclasses.asdict(record)


def read_flicker(folder: Path, _: Path) -> Any:
    """The flicker of stylized frames, and the sentence about it."""
    found = read_flickers(_opened(folder), STYLE)
    return [describe(unsteady_frames(found)), [vars(one) for one in found.values()]]


def read_training(_: Path, path: Path) -> Any:
    """The record of a training, and the words about it, which are one line."""
    record = read_record(path)
    told = [in_words(record), describe_training(Training("20260101-101010", record))]
    if one_line(" ".join(told)) != " ".join(told):
        raise WrongError(f"not one line: {told!r}")
    return [told, dataclasses.asdict(record)]


def read_import_note(folder: Path, _: Path) -> Any:
    """The files that a killed import has moved in: none outside of its three folders."""
    found = {
        path.relative_to(folder).as_posix(): known for path, known in noted_moves(folder).items()
    }
    if wrong := [name for name in found if not _MOVED.fullmatch(name)]:
        raise WrongError(f"a file of another kind: {wrong!r}")
    return found


def read_claim(_: Path, path: Path) -> Any:
    """Who holds a claim, in one line."""
    text = str(holder_of(path))
    if one_line(text) != text:
        raise WrongError(f"not one line: {text!r}")
    return text


def read_colours(_: Path, path: Path) -> Any:
    """Whether a picture has colors of its own."""
    return has_own_colours(path)


def read_digest(_: Path, path: Path) -> Any:
    """The digest of a picture, the same from its file and from its bytes."""
    digest = digest_picture(path)
    if digest != digest_data(path.read_bytes()):
        raise WrongError("data and file have other digests")
    return digest


def decode_request(line: str) -> Any:
    """A request to the worker, which comes back the same."""
    protocol.job_of_line(line)
    message = protocol.decode_request(line)
    if protocol.decode_request(protocol.encode(message)) != message:
        raise WrongError("it comes back as another")
    return dataclasses.asdict(message)


def decode_event(line: str) -> Any:
    """An event of the worker, which comes back the same."""
    message = protocol.decode_event(line)
    if protocol.decode_event(protocol.encode(message)) != message:
        raise WrongError("it comes back as another")
    return dataclasses.asdict(message)


def parse_frame_list(text: str) -> Any:
    """A list of frames, which comes back the same."""
    if len(text) > 60:  # long ones are many frames, as they should be
        text = text[:60]
    frames = parse_frames(text)
    if len(frames) < 1000 and parse_frames(format_frames(frames)) != frames:
        raise WrongError("it comes back as another")
    return len(frames)


@functools.cache
def _parser() -> argparse.ArgumentParser:
    return build_parser()


def parse_arguments(text: str) -> Any:
    """Wrong usage ends with 2 and says so; values are finite and few."""
    errors = io.StringIO()
    try:
        with contextlib.redirect_stderr(errors):
            options = vars(_parser().parse_args(keep_negative(text.split("\n")[:6])))
    except SystemExit as end:
        if end.code not in (0, 2) or not (end.code == 0 or errors.getvalue()):
            raise WrongError(f"it ends with {end.code}") from end
        usage, _, error = errors.getvalue().rstrip("\n").partition("error: ")
        if one_line(error) != error or (end.code and not usage.startswith("usage: ")):
            raise WrongError(f"not one line: {error!r}") from end
        return None
    frames = options.get("frames") or []
    try:
        curves = weights.curves_of(options.get("points") or [])
    except PaintoverError as error:
        return str(error)
    return [len(frames), {str(key): weights.compact(curve) for key, curve in curves.items()}]


def check_any_name(text: str) -> Any:
    """A name, which a file may have, and the frame numbers in it."""
    numbers = [number.value for number in numbers_in(text[:250])]
    frame_named(text[:250], NamePattern("shot_", ".v2"))
    name = check_name(text, "style")
    if one_line(name) != name or {"/", "\\", ":", "\0"} & set(name) or name.strip(". ") != name:
        raise WrongError(f"a name that is no file name: {name!r}")
    return numbers


def print_farm_lines(text: str) -> Any:
    """Each line that a farm reads is one of ours, whatever is in names and sentences."""
    stream = io.StringIO()
    terminal = Terminal("openjd", out=stream, err=io.StringIO())
    terminal.progress("train", 0.5, 1.0, text)
    terminal.warned(text)
    terminal.finished(text)
    terminal.failed(text)
    lines = stream.getvalue().splitlines()
    if len(lines) != 5 or not all(line.startswith(_OPENJD) for line in lines):
        raise WrongError(f"a line of its own: {lines}")
    return lines


def load_whole_style(_: Path, path: Path) -> Any:
    """A style with its network."""
    from engine.networks.style_file import load_style  # noqa: PLC0415 - needs PyTorch

    style = load_style(path)
    header, network = style.header, style.network
    return [dataclasses.asdict(header), sum(float(v.abs().sum()) for v in network.parameters())]


def load_resume(_: Path, path: Path) -> Any:
    """The state that a training continues from, with its network."""
    from engine.training.resume import load_run  # noqa: PLC0415 - needs PyTorch

    saved = load_run(path.parent)
    saved.network()
    return [dataclasses.asdict(saved.header), dataclasses.asdict(saved.numbers), saved.seconds]


def read_painting(_: Path, path: Path) -> Any:
    """A painting, whose pixels are numbers."""
    from engine.images.given_pictures import read_given  # noqa: PLC0415 - needs OpenImageIO

    found = read_given(path)
    pixels = found.picture.pixels
    return [*found.notes, list(pixels.shape), float(pixels.min()), float(pixels.max())]


def tries_drawn_frame(_: Path) -> Callable[[bytes], None]:
    """Return what tries a drawn frame in a style, whose reader tells what is wrong by ValueError.

    Its size is always right, 8×6 pixels, as anything else is refused at once. Inputs whose first
    byte is below 128 become its pixels, packed or to be unpacked, with right checksums around them.
    """
    import numpy as np  # noqa: PLC0415 - needs NumPy and OpenCV

    from engine.frames.drawn_frame import DrawnFrame  # noqa: PLC0415

    head, whole = png_head(8, 6)[:24], png_head(8, 6, colours=6)

    def one(data: bytes) -> None:
        if data[:1] < b"\x80":
            pixels = zlib.compress(data[2:]) if data[1:2] < b"\x80" else data[2:]
            file = whole + png_chunk(b"IDAT", pixels) + png_chunk(b"IEND", b"")
        else:
            file = head + data[24:]
        packed = np.frombuffer(file, np.uint8)
        try:
            found = DrawnFrame.unpacked(1, packed, (6, 8), "")
        except ValueError:
            return
        if found.paint.shape != (6, 8, 3) or found.mask.shape != (6, 8):
            raise WrongError(f"another size: {found.paint.shape}")

    return one
