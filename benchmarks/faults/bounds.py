# SPDX-License-Identifier: GPL-3.0-or-later
"""What would take all memory or never end: refused quickly, in little memory.

Each try runs in a process of its own (POSIX), which tells its time and the most memory it took.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import json
import os
import shutil
import signal
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from safetensors.numpy import load, save

from engine.app.arguments import build_parser
from engine.evaluation.flicker_report import measure_flicker
from engine.images.given_pictures import read_given
from engine.images.movies import FrameLimit, write_movie_frames
from engine.jobs.import_pictures import import_pictures
from engine.jobs.import_sources import MOST_FRAMES
from engine.jobs.preview import preview
from engine.motion.track_cache import TrackCache
from engine.networks.style_file import load_resume, load_style
from engine.shared import protocol
from engine.shared.errors import PaintoverError
from engine.shared.files import digest_bytes
from engine.shared.out_records import OutRecord
from engine.shared.pictures.colour_tags import has_own_colours
from engine.shared.pictures.header_bounds import check_before_loading
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

from .counts import Counts
from .long_headers import LONG_HEADERS, png_chunk, png_head
from .long_movies import LONG_MOVIES
from .subjects import make_shot, picture

MOST_SECONDS, MOST_MEGABYTES = 1.0, 200.0
"""Most processor time and memory that a try may take."""
_HANGS = 20
"""Seconds after which a try has hung."""
_SIDE = 20_000
_SPARSE = 1 << 36
_LOOK = "look"
_Try = tuple[str, Callable[[], object], Callable[[], object]]


@dataclasses.dataclass(frozen=True)
class Bound:
    """What a try took.

    Attributes:
        name: what was tried.
        outcome: "" if it ended well or in a sentence, else what happened.
        seconds: processor time.
        megabytes: most memory beyond that at the beginning.
    """

    name: str
    outcome: str
    seconds: float = 0.0
    megabytes: float = 0.0


def measure(folder: Path, *, every: int = 1) -> Counts:
    """Try everything, or each so many; what takes more than the limits counts as unforeseen."""
    counts = Counts()
    for bound in bounds(folder, every):
        counts.tried += 1
        if bound.outcome == "refused":
            counts.refused += 1
        elif bound.outcome:
            counts.unforeseen.append(f"{bound.name}: {bound.outcome}")
        if bound.seconds > MOST_SECONDS or bound.megabytes > MOST_MEGABYTES:
            took = f"{bound.seconds:.2f} s, {bound.megabytes:.0f} MB"
            counts.unforeseen.append(f"{bound.name}: took {took}")
    return counts


def bounds(folder: Path, every: int = 1) -> list[Bound]:
    """Run the tries in an empty folder, each so many of them, and return what each took."""
    make_shot(folder / "whole")
    _png_bomb(folder / "bomb.png")
    found = []
    for name, prepare, run in itertools.islice(_Tries(folder).all(), 0, None, every):
        shutil.copytree(folder / "whole", folder / "shot")
        prepare()
        found.append(_in_own_process(name, run))
        shutil.rmtree(folder / "shot")
    return found


class _Tries:
    """Every try: its name, what is done before it, and what is tried.

    Args:
        folder: has the shots ``whole`` and, copied anew for each try, ``shot``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder, self._shot = folder, folder / "shot"

    def all(self) -> Iterator[_Try]:
        """Yield the tries."""
        for text in ("1-99999999999", "-" + "9" * 5000, "1-1048574", ",".join(["1-9999"] * 999)):
            yield f"--frames {text[:24]}", _nothing, functools.partial(_parse, text)
        for stray in ("99999999999", "20260101123456789", "9" * 200, "1048574"):
            given = self._folder / "given"
            prepare = functools.partial(_folder_with, given, stray)
            run = functools.partial(_import, given, self._folder / "imported")
            yield f"a picture {stray[:20]}.png among others", prepare, run
        yield from self._bombs()
        yield from self._no_files()
        yield from self._long_headers()

    def _bombs(self) -> Iterator[_Try]:
        shot = self._shot
        bomb = functools.partial(shutil.copyfile, self._folder / "bomb.png")
        for what, name in (
            ("a frame", "frames/0002.png"),
            ("a painting", "keys/0001.png"),
            ("a mask", "keys/0001.mask.png"),
            ("an own result", f"out/{_LOOK}/0002.png"),
        ):
            yield f"{what} of {_SIDE}²", self._put(name, bomb), self._look
            yield (
                f"{what} of {_SIDE}² for Blender",
                self._put(name, bomb),
                functools.partial(_for_blender, shot, shot / name),
            )
        huge = functools.partial(_huge_result, shot, bomb)
        yield "a result to measure", huge, functools.partial(_measure, shot)
        tracks = functools.partial(_bomb_in_tracks, shot)
        yield "a bomb in cached tracks", tracks, functools.partial(_track, shot)
        profile = self._put("keys/0001.png", _profile_bomb)
        yield "a bomb in a color profile", profile, self._look
        yield "the same for Blender", profile, functools.partial(_colours, shot)

    def _no_files(self) -> Iterator[_Try]:
        """Yield what is no file, or far too long, in place of each file."""
        shot, style = self._shot, self._shot / f"styles/{_LOOK}.safetensors"
        readers: dict[str, Callable[[], object]] = {
            "shot.json": functools.partial(Shot.open, shot),
            f"styles/{_LOOK}.safetensors": functools.partial(load_style, style),
            "styles/ink/resume.safetensors": functools.partial(load_resume, shot / "styles/ink"),
            f"out/{_LOOK}/made/0002.json": self._look,
            "frames/0002.png": self._look,
            "frames/0002.exr": self._look,
            "keys/0001.png": self._look,
            "keys/0001.mask.png": self._look,
        }
        for name, read in readers.items():
            for kind, make in _NO_FILES.items():
                yield f"{kind} as {name}", self._put(name, make), read

    def _long_headers(self) -> Iterator[_Try]:
        """Yield pictures and movies whose headers ask for gigabytes."""
        shot, painting = self._shot, "keys/0001.png"
        for name, make in LONG_HEADERS.items():
            yield f"{name} as a painting", self._put(painting, make), self._look
            yield f"{name} as passes", self._put("frames/0002.exr", make), self._look
            yield (
                f"{name} for Blender",
                self._put(painting, make),
                functools.partial(_colours, shot),
            )
        for name, (suffix, make) in LONG_MOVIES.items():
            movie = self._put(f"movie{suffix}", make)
            yield name, movie, functools.partial(_frames_of, shot / f"movie{suffix}")

    def _look(self) -> object:
        return preview(protocol.Preview(0, str(self._shot), _LOOK, frames=[2]), Silent())

    def _put(self, name: str, make: Callable[[Path], object]) -> Callable[[], object]:
        """Return what makes a file of the shot."""

        def prepare() -> None:
            path = self._shot / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            make(path)

        return prepare


def _nothing() -> None:
    """Prepare nothing."""


def _in_own_process(name: str, run: Callable[[], object]) -> Bound:
    """Run a try in a fork of this process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        signal.alarm(_HANGS)
        os.write(writing, json.dumps(_told(run)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    if not text:
        return Bound(name, "hung or crashed")
    outcome, seconds, megabytes = json.loads(text)
    return Bound(name, outcome, seconds, megabytes)


def _told(run: Callable[[], object]) -> tuple[str, float, float]:
    """Run a try, and return its outcome, processor time and most memory."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # forgets the most so far
    before, started = _most_memory(), time.process_time()
    try:
        run()
        outcome = ""
    except (PaintoverError, SystemExit):
        outcome = "refused"
    except BaseException as error:  # whatever is let through is what is counted here
        outcome = f"{type(error).__name__}: {error}"[:300]
    return outcome, time.process_time() - started, _most_memory() - before


def _most_memory() -> float:
    """Return the most memory of this process so far, in MB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return float(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024


def _parse(text: str) -> object:
    with Path(os.devnull).open("w", encoding="utf-8") as null:
        os.dup2(null.fileno(), 2)
    return build_parser().parse_args(["stylize", "shot", f"--frames={text}"])


def _folder_with(folder: Path, stray: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(folder.parent / "imported", ignore_errors=True)
    frames = folder.parent / "whole" / "frames"
    shutil.copytree(frames, folder)
    shutil.copyfile(frames / "0001.png", folder / f"{stray}.png")


def _import(given: Path, target: Path) -> object:
    return import_pictures(protocol.ImportPictures(0, str(target), str(given)), Silent())


def _huge_result(shot: Path, bomb: Callable[[Path], object]) -> None:
    opened = Shot.open(shot)
    for frame in (1, 2):
        path = opened.out_path(_LOOK, frame)
        path.parent.mkdir(parents=True, exist_ok=True)
        bomb(path)
        opened.write_out_record(_LOOK, frame, OutRecord(path.name, "", "", ""))


def _measure(shot: Path) -> object:
    return measure_flicker(Shot.open(shot), _LOOK)


def _track(shot: Path) -> object:
    return TrackCache(Shot.open(shot), 1, Silent()).track(2)


def _colours(shot: Path) -> object:
    painting = shot / "keys/0001.png"
    check_before_loading(painting)
    return has_own_colours(painting), read_given(painting)


def _for_blender(shot: Path, picture: Path) -> None:
    """Check a picture of a shot that Blender must not load."""
    check_before_loading(picture, Shot.open(shot).manifest.size)
    raise AssertionError("it would be loaded")


def _frames_of(movie: Path) -> object:
    return write_movie_frames(
        movie, movie.parent, FrameLimit(MOST_FRAMES, ""), lambda *_: None, Silent()
    )


def _bomb_in_tracks(shot: Path) -> None:
    """Let the cached tracks of frame 2 inflate to 1 GB, with right digests."""
    _track(shot)
    path = next((shot / "cache" / "tracks").glob("0002.*"))
    arrays = load(path.read_bytes())
    arrays["x"] = np.frombuffer(_deflated(1 << 30), np.uint8)
    (size,) = struct.unpack_from("<Q", path.read_bytes())
    header = json.loads(path.read_bytes()[8 : 8 + size])
    parts = [part for name in sorted(arrays) for part in (name.encode(), arrays[name].tobytes())]
    digest = header["__metadata__"]["digest"][:32] + digest_bytes(*parts)
    path.write_bytes(save(arrays, {"digest": digest}))


def _deflated(length: int) -> bytes:
    """Return so many zeros, deflated."""
    packer, block = zlib.compressobj(9), bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(length >> 20)) + packer.flush()


def _png_bomb(path: Path) -> None:
    """Write a black PNG of ``_SIDE``², with one bit a pixel: 50 kB."""
    row = bytes(1 + _SIDE // 8)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(row) for _ in range(_SIDE)) + packer.flush()
    path.write_bytes(
        png_head(_SIDE, _SIDE, 1, 0) + png_chunk(b"IDAT", data) + png_chunk(b"IEND", b"")
    )


def _profile_bomb(path: Path) -> None:
    """Write a painting whose color profile inflates to 512 MB."""
    codes = np.rint(picture(5)[..., :3] * 255).astype(np.uint8)
    rows = b"".join(b"\0" + row.tobytes() for row in codes)
    height, width = codes.shape[:2]
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n"
        + png_chunk(b"IHDR", head)
        + png_chunk(b"iCCP", b"bomb\0\0" + _deflated(1 << 29))
        + png_chunk(b"IDAT", zlib.compress(rows))
        + png_chunk(b"IEND", b"")
    )


def _sparse(path: Path, head: bytes) -> None:
    with path.open("wb") as file:
        file.write(head)
        file.truncate(_SPARSE)


_NO_FILES: dict[str, Callable[[Path], object]] = {
    "a pipe": os.mkfifo,
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "a file of 64 GiB": lambda path: _sparse(path, b""),
    "a header of 2⁶² bytes": lambda path: _sparse(path, struct.pack("<Q", 1 << 62)),
    "a PNG chunk of 4 GB": lambda path: _sparse(path, png_head() + b"\xff\xff\xff\xf0IDAT"),
    "commas": lambda path: path.write_bytes(b"[" + b"0," * 15_000_000 + b"0]"),
    "objects": lambda path: path.write_bytes(b"[" + b'{"a":1},' * 3_000_000 + b"0]"),
}
