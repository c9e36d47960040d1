# SPDX-License-Identifier: GPL-3.0-or-later
"""Movies: their frames as pictures, by PyAV (FFmpeg), which is loaded when a movie is read.

The only module that uses PyAV.
"""

from __future__ import annotations

import errno
import importlib
import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..shared.errors import Cancelled, PaintoverError
from ..shared.frame_lists import counted
from ..shared.pictures.kinds import MOVIE_SUFFIXES
from ..shared.reporter import Reporter
from .bounded_file import BoundedFile
from .given_pictures import check_size
from .movie_bounds import check_movie
from .movie_ends import MovieLength, breaks_off, is_cut_gif
from .pictures import write_picture

_HD_WIDTH, _SD_HEIGHT = 1280, 576
"""A movie that does not tell its colour matrix is taken as BT.709 from this size on, as by most
players."""
_UNEVEN = 0.1
"""Share by which frames may differ in length before a movie counts as of variable rate."""
_FASTEST = 1000.0
"""Frames per second above which a movie tells its clock and not its rate."""
_TICK = 0.0015
"""Seconds by which times are rounded in some movies."""
_CONTAINERS = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "mpeg", "mpegts"),
    *("mpegvideo", "mxf", "mxf_opatom", "asf", "asf_o", "flv", "live_flv", "ogg", "gif", "apng"),
    *("yuv4mpegpipe", "dv", "wav", "mp3", "flac", "aac", "aiff"),
)
"""Formats of movies, and of sound, which is told to hold no pictures. FFmpeg knows lists of other
files, too, that may have the name of a movie."""
_ALONE = {"format_whitelist": ",".join(_CONTAINERS), "protocol_whitelist": "none"}
"""Nothing is opened beside the movie itself, neither a file nor an address."""
_MOST_READ = 1 << 27
"""Most bytes that are read before the first frame, and between two."""
_BUFFER = 1 << 18
_TOO_MUCH = "it holds far more beside its pictures than movies do"
_MOST_GROWN, _SMALL = 4, 1 << 24
"""Times that a frame may be larger than the movie says before it is not even decoded, and pixels up
to which any is."""
_PQ, _HLG = 16, 18
"""Codes of the transfer curves of HDR movies."""


@dataclass(frozen=True)
class FrameLimit:
    """How many frames a movie may have.

    Attributes:
        most: so many.
        way_out: the end of the sentence about a movie that has more.
    """

    most: int
    way_out: str

    def check(self, path: Path, count: int) -> None:
        """Raise PaintoverError if a movie with so many frames has too many."""
        if count > self.most:
            raise PaintoverError(
                f"{path} has more than {counted(self.most, 'frame')}{self.way_out}."
            )


def is_movie(path: Path) -> bool:
    """Return whether a file is a movie, by its suffix."""
    return path.suffix.lower() in MOVIE_SUFFIXES


def movies_in(folder: Path) -> list[Path]:
    """Return the movies in a folder, sorted by name, without hidden files."""
    return sorted(p for p in folder.iterdir() if is_movie(p) and not p.name.startswith("."))


def write_movie_frames(
    path: Path,
    folder: Path,
    limit: FrameLimit,
    progress: Callable[[float, float, str], None],
    report: Reporter,
) -> tuple[list[Path], float]:
    """Write every frame of a movie as PNG, with 16 bits where the movie has more than 8.

    Colours become full-range RGB by the movie's own matrix and range, and pictures are turned as
    the movie says. Its alpha, if it has any, is taken as straight.

    Args:
        path: the movie.
        folder: where to write the frames.
        limit: how many frames it may have.
        progress: is told the share that is done (0..1), the seconds left (below 0: unknown) and a
            short text.
        report: gets warnings, and may cancel.

    Returns:
        The pictures in order, and the frames per second, 0 if the movie does not tell.

    Raises:
        PaintoverError: PyAV is not installed, or the movie cannot be read or has too many frames.
        Cancelled: the job was told to stop.
    """
    av = _library(path)
    try:
        check_movie(path)
        with BoundedFile(path, _MOST_READ) as file:
            files, rate = _write_frames(av, path, file, folder, limit, progress, report)
            if file.is_exhausted:
                raise _unreadable(path, _TOO_MUCH)
            return files, rate
    except OSError as error:
        raise _unreadable(path, str(error.strerror)) from error


def _write_frames(
    av: Any,
    path: Path,
    file: BoundedFile,
    folder: Path,
    limit: FrameLimit,
    progress: Callable[[float, float, str], None],
    report: Reporter,
) -> tuple[list[Path], float]:
    files: list[Path] = []
    times: list[float] = []
    damaged = 0
    started = time.monotonic()
    try:
        with av.open(file, options=_ALONE, buffer_size=_BUFFER) as container:
            stream = container.streams.best("video")
            if stream is None:
                raise PaintoverError(f"{path} holds no pictures; choose a movie that does.")
            if stream.codec_context is None:
                raise _unreadable(path, "its codec is not known")
            rate = float(stream.average_rate or stream.guessed_rate or 0)
            check_size(path, stream.width, stream.height)
            size = (0, 0)
            length = MovieLength(container, stream)
            expected = length.frames or int(length.seconds * rate)
            _warn_of_streams(av, path, container, stream, report)
            _warn_of_kind(path, stream, report)
            for frame in _decoded(av, container, stream):
                file.next_step()
                if report.cancelled():
                    raise Cancelled
                share = min(len(files) / expected, 1.0) if expected else 0.0
                left = (time.monotonic() - started) * (1 / share - 1) if share else -1.0
                progress(share, left, f"Frame {len(files) + 1} of {path.name}")
                if not files:
                    _warn_of_frame(path, frame, report)
                    size = (frame.width, frame.height)
                    check_size(path, *size)
                _check_same_size(path, len(files) + 1, frame, size)
                limit.check(path, len(files) + 1)
                pixels, bits = _picture(av, frame)
                files.append(folder / f"{len(files) + 1:06d}.png")
                write_picture(files[-1], pixels, bits)
                times.append(frame.time or 0.0)
                if frame.is_corrupt and not damaged:
                    damaged = len(files)
            length.read_index()
    except av.error.FFmpegError as error:
        raise _unreadable(path, _reason(error, len(files), file)) from error
    if not files:
        raise PaintoverError(f"{path} has no frames that can be read; export it again.")
    if damaged:
        report.warned(
            f"Frame {damaged} of {path} is damaged; look at it, or export the movie again."
        )
    rate = _plausible(rate, times)
    _warn_of_times(path, times, rate, report)
    _warn_of_end(path, times, rate, length, report)
    return files, rate


def _library(path: Path) -> Any:
    """Return the module of PyAV. Raises PaintoverError if it is not installed."""
    try:
        return importlib.import_module("av")
    except ImportError:
        raise PaintoverError(
            f"{path} is a movie, which this engine cannot read without the package av; install "
            f"the engine anew, or make pictures of the movie by {_command(path)}."
        ) from None


def _unreadable(path: Path, reason: str) -> PaintoverError:
    return PaintoverError(
        f"{path} cannot be read as a movie ({reason}); export numbered PNG pictures from the "
        f"program that made it, or by {_command(path)}."
    )


def _reason(error: OSError, frames: int, file: BoundedFile) -> str:
    """Return why FFmpeg stopped after so many frames."""
    if file.is_exhausted:
        return _TOO_MUCH
    if not frames:
        return str(error.strerror)
    is_size = error.errno == errno.EINVAL  # that of ``max_pixels``
    why = "the next is damaged or far larger" if is_size else error.strerror
    return f"after frame {frames}: {why}"


def _command(path: Path) -> str:
    return f"“ffmpeg -i {path.name} frames/%04d.png”"


def _plausible(rate: float, times: list[float]) -> float:
    """Return a movie's rate, or that of the times of its frames where it tells its clock."""
    if rate <= _FASTEST or times[-1] <= times[0]:
        return rate
    return (len(times) - 1) / (times[-1] - times[0])


def _check_same_size(path: Path, number: int, frame: Any, size: tuple[int, int]) -> None:
    """Raise PaintoverError if a frame has another size than the first."""
    if (frame.width, frame.height) != size:
        raise PaintoverError(
            f"Frame {number} of {path} is {frame.width}×{frame.height}, but its first frame is "
            f"{size[0]}×{size[1]}; all pictures of a shot must have the same size, so export it "
            "in one size."
        )


def _decoded(av: Any, container: Any, stream: Any) -> Iterator[Any]:
    """Yield the frames of a stream in order of presentation."""
    decoder = _decoder_with_alpha(av, stream)
    most = {"max_pixels": str(max(_MOST_GROWN * stream.width * stream.height, _SMALL))}
    (decoder or stream.codec_context).options = most
    if decoder is None:
        stream.thread_type = "AUTO"
        yield from container.decode(stream)
        return
    for packet in container.demux(stream):
        yield from decoder.decode(packet)


def _decoder_with_alpha(av: Any, stream: Any) -> Any | None:
    """Return libvpx's decoder for VP8 and VP9 with alpha, which FFmpeg's own ignore; else None."""
    tags = {name.lower(): value for name, value in stream.metadata.items()}
    name = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(stream.codec_context.name)
    if tags.get("alpha_mode") != "1" or name is None:
        return None
    try:
        return av.CodecContext.create(name, "r")
    except ValueError:  # this FFmpeg was built without libvpx
        return None


def _picture(av: Any, frame: Any) -> tuple[npt.NDArray[np.float32], int]:
    """Return a frame as display-referred pixels (H, W, 3 or 4), 0..1, and its bits a channel."""
    bits = 16 if max(part.bits for part in frame.format.components) > 8 else 8
    has_alpha = any(part.is_alpha for part in frame.format.components) or frame.format.has_palette
    kind = "rgba64le" if has_alpha and bits == 16 else "rgba" if has_alpha else "rgb48le"
    if bits == 8 and not has_alpha:
        kind = "rgb24"
    video = av.video.reformatter
    matrix = int(frame.colorspace)
    if matrix not in {int(known) for known in video.Colorspace}:
        is_hd = frame.width >= _HD_WIDTH or frame.height > _SD_HEIGHT
        matrix = video.Colorspace.ITU709 if is_hd else video.Colorspace.ITU601
    codes = frame.reformat(
        format=kind,
        src_colorspace=matrix,
        dst_color_range=video.ColorRange.JPEG,
        interpolation=video.Interpolation.BICUBIC
        | video.Interpolation.ACCURATE_RND
        | video.Interpolation.FULL_CHR_H_INT
        | video.Interpolation.FULL_CHR_H_INP,
    ).to_ndarray()
    codes = np.rot90(codes, round(frame.rotation / 90) % 4)
    if has_alpha and (codes[..., 3] == np.iinfo(codes.dtype).max).all():
        codes = codes[..., :3]
    return np.ascontiguousarray(codes / np.float32(np.iinfo(codes.dtype).max), np.float32), bits


def _warn_of_streams(av: Any, path: Path, container: Any, stream: Any, report: Reporter) -> None:
    """Warn of further tracks of pictures in a movie; its cover is none."""
    cover = av.stream.Disposition.attached_pic
    shown = [one for one in container.streams.video if not one.disposition & cover]
    if len(shown) > 1 and stream in shown:
        report.warned(
            f"{path} has {len(shown)} tracks of pictures, of which only number "
            f"{shown.index(stream) + 1} is used ({stream.width}×{stream.height}); to have another, "
            "export it as a movie of its own."
        )


def _warn_of_kind(path: Path, stream: Any, report: Reporter) -> None:
    if stream.codec_context.color_trc in (_PQ, _HLG):
        report.warned(
            f"{path} is an HDR movie, whose colors look flat here; convert it to BT.709 first."
        )
    ratio = stream.sample_aspect_ratio
    if ratio and ratio != 1:
        report.warned(
            f"{path} has pixels that are not square ({ratio}); its frames are imported as stored, "
            "so scale it to square pixels first if they look squeezed."
        )


def _warn_of_frame(path: Path, frame: Any, report: Reporter) -> None:
    if frame.interlaced_frame:
        report.warned(f"{path} is interlaced; deinterlace it first if its frames show combs.")


def _warn_of_times(path: Path, times: list[float], rate: float, report: Reporter) -> None:
    """Warn of frames that last unequally long.

    Args:
        path: the movie.
        times: when each frame begins, in seconds.
        rate: frames per second, 0 if not known.
        report: gets the warning.
    """
    lengths = [after - before for before, after in itertools.pairwise(times)]
    if lengths and max(lengths) - min(lengths) > max(_TICK, _UNEVEN * sum(lengths) / len(lengths)):
        report.warned(
            f"The frames of {path} last unequally long; each becomes one frame of the shot, at "
            f"{rate:g} frames per second."
        )


def _warn_of_end(
    path: Path, times: list[float], rate: float, length: MovieLength, report: Reporter
) -> None:
    """Warn of an end that is missing.

    Args:
        path: the movie.
        times: when each frame begins, in seconds.
        rate: frames per second, 0 if not known.
        length: how long the movie says that it is.
        report: gets the warning.
    """
    frame = (times[-1] - times[0]) / (len(times) - 1) if len(times) > 1 else 0.0
    frame = frame or (1 / rate if rate else 0.0)
    # Some movies tell when they end, others how long they last.
    end = times[-1] - min(times[0], 0.0) + frame
    missing = length.missing(len(times), end, frame)
    if not missing and is_cut_gif(path):
        missing = breaks_off(len(times))
    if missing:
        report.warned(f"{path} {missing}; export it again if the end is missing.")
