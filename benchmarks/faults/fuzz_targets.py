# SPDX-License-Identifier: GPL-3.0-or-later
"""What is fuzzed: each parser of files, messages and text, with what must hold for any input.

An input is either read, and what is read of it is finite and valid text, or refused in one sentence
that is right. Only modules of ``engine/shared`` are loaded here for the quick targets; those that
need PyTorch or OpenImageIO load it by themselves.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import functools
import io
import json
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from engine.app.arguments import build_parser
from engine.app.terminal import Terminal
from engine.images.movie_bounds import check_movie
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
from engine.shared.trainings.record import TrainingRecord, read_record
from engine.shared.trainings.verdict import in_words

from .counts import wrong_sentence
from .long_headers import png_chunk, png_head
from .packing import resume_json, style_json, with_resume_json, with_style_json

STYLE = "ink"
"""The style that the shot of the seeds has."""
_OPENJD = ("openjd_progress: ", "openjd_status: ", "openjd_fail: ")


class WrongError(Exception):
    """What must hold does not; the text tells what."""


@dataclasses.dataclass(frozen=True)
class Target:
    """What is fuzzed.

    Attributes:
        name: its name, and that of the folder with its seeds.
        make: returns what tries one input, from a folder with a shot of its own.
        most: most bytes of an input.
        unpack: returns the JSON in an input; None: there is none.
        pack: returns an input with other JSON.
        seeds: inputs to begin with, besides the files of the seeds' shot.
        share: its share of all inputs beside the others', by how quick it is.
        is_slow: whether it needs PyTorch or OpenImageIO.
    """

    name: str
    make: Callable[[Path], Callable[[bytes], None]]
    most: int = 4096
    unpack: Callable[[bytes], str] | None = None
    pack: Callable[[bytes, str], bytes] | None = None
    seeds: tuple[str, ...] = ()
    share: float = 1.0
    is_slow: bool = False


def _file(
    name: str, read: Callable[[Path, Path], Any]
) -> Callable[[Path], Callable[[bytes], None]]:
    """Return what makes the try of a file of a shot.

    Args:
        name: path of the file in the shot.
        read: reads it, given the shot's folder and the file.
    """

    def make(shot: Path) -> Callable[[bytes], None]:
        path = shot / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        times = iter(range(10**18, 2 * 10**18))

        def one(data: bytes) -> None:
            with path.open("wb", buffering=0) as file:
                file.write(data)
            now = next(times)  # readers know a file again by its time
            os.utime(path, ns=(now, now))
            try:
                found = read(shot, path)
            except PaintoverError as error:
                wrong = wrong_sentence(str(error), path)
                if wrong:
                    raise WrongError(f"{wrong}: {error}") from error
            else:
                _check_data(found)

        return one

    return make


def _check_data(found: Any) -> None:
    """Check that what was read can be written as JSON that every program reads."""
    json.dumps(found, allow_nan=False, ensure_ascii=False).encode()


def _text(read: Callable[[str], Any]) -> Callable[[Path], Callable[[bytes], None]]:
    """Return what makes the try of a text; it is refused in one line of valid text."""

    def one(data: bytes) -> None:
        try:
            found = read(data.decode("utf-8", "replace"))
        except PaintoverError as error:
            sentence = str(error)
            sentence.encode()
            if one_line(sentence) != sentence or len(sentence) > 1000:
                raise WrongError(f"not one line: {sentence!r}") from error
        else:
            _check_data(found)

    return lambda _: one


def _shot(folder: Path, _: Path) -> Any:
    identity(folder)
    shot = Shot.open(folder)
    return [manifest_to_text(shot.manifest), shot.key_frames(), len(shot.missing_files())]


def _journal(_: Path, path: Path) -> Any:
    return {
        str(n): dataclasses.asdict(one) for n, one in noted(path.with_name("shot.json")).items()
    }


def _style_header(_: Path, path: Path) -> Any:
    return dataclasses.asdict(read_style_header(path))


@functools.cache
def _opened(folder: Path) -> Shot:
    return Shot.open(folder)


def _record(folder: Path, _: Path) -> Any:
    record = _opened(folder).read_out_record(STYLE, 2)
    return record and dataclasses.asdict(record)


def _flicker(folder: Path, _: Path) -> Any:
    found = read_flickers(_opened(folder), STYLE)
    return [describe(unsteady_frames(found)), [vars(one) for one in found.values()]]


def _training(_: Path, path: Path) -> Any:
    record = read_record(path)
    told = [in_words(record), describe_training(Training("20260101-101010", record))]
    if one_line(" ".join(told)) != " ".join(told):
        raise WrongError(f"not one line: {told!r}")
    return [told, dataclasses.asdict(record)]


def _claim(_: Path, path: Path) -> Any:
    text = str(holder_of(path))
    if one_line(text) != text:
        raise WrongError(f"not one line: {text!r}")
    return text


def _colours(_: Path, path: Path) -> Any:
    return has_own_colours(path)


def _digest(_: Path, path: Path) -> Any:
    digest = digest_picture(path)
    if digest != digest_data(path.read_bytes()):
        raise WrongError("data and file have other digests")
    return digest


def _request(line: str) -> Any:
    protocol.job_of_line(line)
    message = protocol.decode_request(line)
    if protocol.decode_request(protocol.encode(message)) != message:
        raise WrongError("it comes back as another")
    return dataclasses.asdict(message)


def _event(line: str) -> Any:
    message = protocol.decode_event(line)
    if protocol.decode_event(protocol.encode(message)) != message:
        raise WrongError("it comes back as another")
    return dataclasses.asdict(message)


def _frames(text: str) -> Any:
    if len(text) > 60:  # long ones are many frames, as they should be
        text = text[:60]
    frames = parse_frames(text)
    if len(frames) < 1000 and parse_frames(format_frames(frames)) != frames:
        raise WrongError("it comes back as another")
    return len(frames)


@functools.cache
def _parser() -> argparse.ArgumentParser:
    return build_parser()


def _arguments(text: str) -> Any:
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


def _name(text: str) -> Any:
    numbers = [number.value for number in numbers_in(text[:250])]
    frame_named(text[:250], NamePattern("shot_", ".v2"))
    name = check_name(text, "style")
    if one_line(name) != name or {"/", "\\", ":", "\0"} & set(name) or name.strip(". ") != name:
        raise WrongError(f"a name that is no file name: {name!r}")
    return numbers


def _farm_lines(text: str) -> Any:
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


def _style(_: Path, path: Path) -> Any:
    from engine.networks.style_file import load_style  # noqa: PLC0415 - needs PyTorch

    style = load_style(path)
    header, network = style.header, style.network
    return [dataclasses.asdict(header), sum(float(v.abs().sum()) for v in network.parameters())]


def _resume(_: Path, path: Path) -> Any:
    from engine.training.resume import load_run  # noqa: PLC0415 - needs PyTorch

    saved = load_run(path.parent)
    saved.network()
    return [dataclasses.asdict(saved.header), dataclasses.asdict(saved.numbers), saved.seconds]


def _painting(_: Path, path: Path) -> Any:
    from engine.images.given_pictures import read_given  # noqa: PLC0415 - needs OpenImageIO

    found = read_given(path)
    pixels = found.picture.pixels
    return [*found.notes, list(pixels.shape), float(pixels.min()), float(pixels.max())]


def _drawn_frame(_: Path) -> Callable[[bytes], None]:
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


def _plain(data: bytes) -> str:
    return data.decode()


def _whole(_: bytes, text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _line(data: bytes) -> str:
    return data.split(b"\n")[1].decode()


def _with_line(data: bytes, text: str) -> bytes:
    return data.split(b"\n")[0] + b"\n" + _whole(data, text) + b"\n"


_JSON: dict[str, Any] = {"unpack": _plain, "pack": _whole}
_STYLE: dict[str, Any] = {"unpack": style_json, "pack": with_style_json}
_RESUME: dict[str, Any] = {"unpack": resume_json, "pack": with_resume_json}
_EVENTS = (
    protocol.encode(protocol.Ready(0, "CPU", "0.1")),
    protocol.encode(protocol.Progress(1, "train", 0.5, 3.0, "Step 1")),
    protocol.encode(protocol.Done(1, {"frames": 3})),
    protocol.encode(protocol.Failed(1, "It is damaged; train again.", "detail")),
)
_TRAININGS = (
    json.dumps(
        dataclasses.asdict(
            TrainingRecord(
                *(1.8e9, "finished", "fast", {1: "a"}, "b"),
                held_out=0.1,
                steps=40,
                seconds=9.5,
                curve=[[float(n), 2.0 * n, 1.0, 0.5 / n] for n in range(1, 6)],
                style="c",
            )
        )
    ),
)
_WORDS = (
    "stylize\nshot\n--frames\n1-3,7",
    "weights\nshot\n1=0.5\n3@7=1",
    "train\nshot\n--seconds\n5\n--keys\n-3--1",
    "import\nshot\n--input\na\n--guide\nb=c",
    "stylize\nshot\n--light\n0.5",
)
_NAMES = ("ink", "shot_0030.v2", "a-\u22123 (1)", "con.txt", "1920x1080", "x\nopenjd_env: A=b")
_ALL = (
    Target("manifest", _file("shot.json", _shot), **_JSON, share=0.1),
    Target("journal", _file("shot.journal", _journal), unpack=_line, pack=_with_line, share=0.1),
    Target(
        "style header",
        _file(f"styles/{STYLE}.safetensors", _style_header),
        8192,
        **_STYLE,
        share=0.03,
    ),
    Target("record", _file(f"out/{STYLE}/made/0002.json", _record), **_JSON, share=0.2),
    Target("flicker", _file(f"out/{STYLE}/made/0002.flicker.json", _flicker), **_JSON, share=0.2),
    Target(
        "training",
        _file(f"styles/{STYLE}/trainings/20260101-101010.json", _training),
        **_JSON,
        seeds=_TRAININGS,
        share=0.2,
    ),
    Target("claim", _file(f"styles/.{STYLE}.claim", _claim), **_JSON),
    Target("request", _text(_request), **_JSON),
    Target("event", _text(_event), **_JSON, seeds=_EVENTS),
    Target("frame list", _text(_frames), 64, seeds=("1-30,45", "-3--1, 7")),
    Target("arguments", _text(_arguments), 256, seeds=_WORDS, share=0.01),
    Target("name", _text(_name), 300, seeds=_NAMES, share=0.5),
    Target("farm lines", _text(_farm_lines), 300, seeds=_NAMES),
    Target("picture digest", _file("keys/0001.png", _digest), share=0.2),
    Target("picture colors", _file("keys/0001.png", _colours), share=0.5),
    Target("movie header", _file("movie.mp4", lambda _, path: check_movie(path)), share=0.2),
    Target(
        "style",
        _file(f"styles/{STYLE}.safetensors", _style),
        1 << 17,
        **_STYLE,
        share=0.002,
        is_slow=True,
    ),
    Target(
        "resume state",
        _file(f"styles/{STYLE}/resume.safetensors", _resume),
        1 << 19,
        **_RESUME,
        share=0.001,
        is_slow=True,
    ),
    Target("drawn frame", _drawn_frame, share=0.002, is_slow=True),
    Target("painting", _file("keys/0001.png", _painting), share=0.002, is_slow=True),
)
TARGETS = {target.name: target for target in _ALL}
"""What is fuzzed, by name."""
