# SPDX-License-Identifier: GPL-3.0-or-later
"""Import of movies: their frames, colours, alpha, rotation, rate, and what is said where not."""

from __future__ import annotations

import io
import shutil
import struct
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import shots
import synthetic
from av.video.reformatter import ColorRange, Colorspace
from movie_files import LOSSLESS, SIZE, Report, picture, run, write_movie
from PIL import Image

from engine.images import movies
from engine.images.pictures import read_picture
from engine.jobs import import_sources
from engine.jobs.import_pictures import import_pictures
from engine.shared.errors import Cancelled, PaintoverError
from engine.shared.protocol import ImportPictures
from engine.shared.reporter import Silent
from engine.shared.shot import Shot


def error(shot: Shot, frame: int) -> float:
    """Return the mean difference to the picture that was encoded, in 8-bit codes."""
    pixels = read_picture(shot.image_path(frame)).pixels
    wanted = picture(frame, (shot.manifest.width, shot.manifest.height))
    return float(np.abs(pixels[..., :3] * 255 - wanted).mean())


@pytest.mark.parametrize("matrix", [Colorspace.ITU709, Colorspace.ITU601])
@pytest.mark.parametrize("full", [ColorRange.MPEG, ColorRange.JPEG])
def test_colours_follow_the_matrix_and_range_of_the_movie(tmp_path, matrix, full):
    path = write_movie(
        tmp_path / "clip.mp4", "libx264", "yuv420p", matrix=matrix, full=full, crf="4"
    )
    report = Report()
    shot = run(tmp_path / "shot", path, report)
    assert (shot.frames, shot.manifest.fps) == ([1, 2, 3], 24)
    assert (shot.manifest.width, shot.manifest.height) == SIZE
    assert [error(shot, frame) < 1.5 for frame in shot.frames] == [True] * 3
    assert error(shot, 1) < np.abs(picture(1).astype(float) - picture(2)).mean()
    assert report.warnings == []
    assert report.shares == sorted(report.shares)
    assert report.shares[-1] == 1
    assert shot.manifest.passes == {"image": "pictures"}
    assert not (shot.folder / ".importing").exists()


@pytest.mark.parametrize(
    ("size", "matrix"), [((720, 480), Colorspace.ITU601), ((1280, 720), Colorspace.ITU709)]
)
def test_without_a_word_on_colours_the_size_tells(tmp_path, size, matrix):
    path = write_movie(
        tmp_path / "clip.mkv", **LOSSLESS, size=size, frames=1, matrix=matrix,
        full=ColorRange.MPEG, is_tagged=False,
    )  # fmt: skip
    assert error(run(tmp_path / "shot", path), 1) < 1


@pytest.mark.parametrize(
    ("kind", "bits"), [("yuv444p10le", 16), ("gbrp12le", 16), ("bgr0", 8), ("gray", 8)]
)
def test_more_than_8_bits_become_16(tmp_path, kind, bits):
    matrix = {"matrix": Colorspace.ITU709, "full": ColorRange.MPEG} if kind.startswith("y") else {}
    path = write_movie(tmp_path / "clip.mkv", "ffv1", kind, **matrix)
    shot = run(tmp_path / "shot", path)
    assert read_picture(shot.image_path(2)).bits == bits
    if kind != "gray":
        assert error(shot, 2) < 0.7


@pytest.mark.parametrize(
    ("name", "codec", "kind", "options"),
    [
        ("clip.mov", "prores_ks", "yuva444p10le", {"profile": "4444"}),
        ("clip.mov", "qtrle", "argb", {}),
        ("clip.webm", "libvpx-vp9", "yuva420p", {"crf": "10", "b": "0", "cpu-used": "8"}),
    ],
)
def test_alpha_comes_along(tmp_path, name, codec, kind, options):
    alpha = np.full(SIZE[::-1], 255, np.uint8)
    alpha[:, :100] = 64
    matrix = {"matrix": Colorspace.ITU709, "full": ColorRange.MPEG} if kind[0] == "y" else {}
    path = write_movie(tmp_path / name, codec, kind, alpha=alpha, frames=2, **matrix, **options)
    shot = run(tmp_path / "shot", path)
    read = read_picture(shot.image_path(2)).alpha
    assert read is not None
    assert np.abs(read * 255 - alpha).mean() < 0.5
    assert error(shot, 2) < 1.5
    assert shot.manifest.passes == {"image": "pictures", "alpha": "pictures"}


def test_an_animated_gif_alone_in_a_folder(tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    write_movie(folder / "loop.GIF", "gif", "rgb8", rate=Fraction(10), size=(96, 64))
    (folder / "notes.txt").write_text("two strokes here")
    shot = run(tmp_path / "shot", folder)
    assert (shot.frames, shot.manifest.fps) == ([1, 2, 3], 10)
    assert error(shot, 3) < 20


def test_odd_sizes_and_rates(tmp_path):
    rate = Fraction(24000, 1001)
    path = write_movie(tmp_path / "a.mkv", **LOSSLESS, size=(95, 63), rate=rate, frames=2)
    assert run(tmp_path / "a", path).manifest.fps == pytest.approx(23.976, abs=1e-3)
    shot = run(tmp_path / "b", path, fps=12.0)
    assert (shot.manifest.width, shot.manifest.height, shot.manifest.fps) == (95, 63, 12)
    assert error(shot, 2) < 1


@pytest.mark.parametrize(("sine", "turns"), [(1, -1), (-1, 1)])
def test_a_movie_that_is_stored_turned_is_turned_upright(tmp_path, sine, turns):
    path = write_movie(tmp_path / "phone.mp4", "libx264", "yuv420p", frames=2, crf="4")
    data = bytearray(path.read_bytes())
    matrix = data.index(b"tkhd") + 44
    one = 1 << 16
    data[matrix : matrix + 36] = struct.pack(
        ">9i", 0, sine * one, 0, -sine * one, 0, 0, 0, 0, 1 << 30
    )
    path.write_bytes(data)
    shot = run(tmp_path / "shot", path)
    assert (shot.manifest.width, shot.manifest.height) == (270, 480)
    pixels = read_picture(shot.image_path(1)).pixels
    assert np.abs(pixels * 255 - np.rot90(picture(1), turns)).mean() < 2


def test_uneven_frames_are_each_taken_once_and_told(tmp_path):
    path = write_movie(tmp_path / "screen.mkv", **LOSSLESS, frames=4, times=(0, 1, 5, 6))
    report = Report()
    shot = run(tmp_path / "shot", path, report)
    assert shot.frames == [1, 2, 3, 4]
    assert [error(shot, frame) < 1 for frame in shot.frames] == [True] * 4
    assert any("unequally long" in warning for warning in report.warnings)


def test_guides_and_masks_may_be_movies_of_the_same_length(tmp_path):
    path = write_movie(tmp_path / "a.mkv", **LOSSLESS, frames=2, size=(96, 64))
    other = write_movie(tmp_path / "b.mkv", **LOSSLESS, frames=3, size=(96, 64))
    shot = run(tmp_path / "shot", path, depth=path, mask=path)
    assert shot.manifest.guides == ["depth"]
    assert shot.guide_path("depth", 2).read_bytes() == shot.image_path(2).read_bytes()
    assert shot.matte_path(1).is_file()  # as there is one for every frame
    with pytest.raises(PaintoverError, match=r"b\.mkv has more than 2 frames, as many as the shot"):
        run(tmp_path / "c", path, depth=other)
    with pytest.raises(PaintoverError, match=r"mask .*a\.mkv has 2 frames, but the shot has 3"):
        run(tmp_path / "c", other, mask=path)
    small = synthetic.write_png(tmp_path / "small" / "1.png", picture(1, (48, 32)))
    with pytest.raises(PaintoverError) as caught:
        run(tmp_path / "c", path, painted=small.parent)
    assert f"{small} is 48×32, but {path} is 96×64" in str(caught.value)
    with pytest.raises(PaintoverError, match=r"b\.mkv is a movie.*as 0001\.png"):
        run(tmp_path / "c", path, painted=other)


def test_a_movie_that_is_too_long_is_told_while_it_is_read(tmp_path, monkeypatch):
    path = write_movie(tmp_path / "long.mp4", "libx264", "yuv420p", size=(480, 270), frames=9)
    monkeypatch.setattr(import_sources, "MOST_FRAMES", 5)
    report = Report()
    with pytest.raises(
        PaintoverError, match=r"long\.mp4 has more than 5 frames.*cut it into shots"
    ):
        run(tmp_path / "shot", path, report)
    assert not (tmp_path / "shot").exists()
    assert len(report.shares) == 6


def sentence(tmp_path: Path, source: Path) -> str:
    with pytest.raises(PaintoverError) as caught:
        run(tmp_path / "shot", source)
    assert not (tmp_path / "shot" / "frames").exists()
    assert str(source) in str(caught.value)
    return str(caught.value)


def test_what_cannot_be_read_is_told(tmp_path, monkeypatch):
    path = write_movie(tmp_path / "clip.mp4", "libx264", "yuv420p")
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert "ffmpeg -i broken.mp4" in sentence(tmp_path, broken)
    avi = write_movie(tmp_path / "a.avi", "mjpeg", "yuvj420p")
    avi.write_bytes(avi.read_bytes().replace(b"MJPG", b"XYZW"))
    assert "codec is not known" in sentence(tmp_path, avi)
    sound = tmp_path / "sound.mkv"
    with av.open(str(sound), "w") as container:
        stream: Any = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 800), np.int16), layout="mono")
        frame.rate, frame.pts = 8000, 0
        container.mux(stream.encode(frame))
    assert "holds no pictures" in sentence(tmp_path, sound)
    folder = tmp_path / "two"
    folder.mkdir()
    shutil.copy(path, folder / "a.mp4")
    shutil.copy(path, folder / "b.mp4")
    assert "several movies, such as a.mp4 and b.mp4" in sentence(tmp_path, folder)
    monkeypatch.setitem(sys.modules, "av", None)
    assert "“ffmpeg -i clip.mp4 frames/%04d.png”" in sentence(tmp_path, path)


def test_what_looks_odd_is_told(tmp_path):
    def warnings(name: str, codec: str, kind: str, **tags: object) -> str:
        path = tmp_path / name
        with av.open(str(path), "w") as container:
            stream: Any = container.add_stream(codec, rate=24)
            (stream.width, stream.height), stream.pix_fmt = (96, 64), kind
            for tag, value in tags.items():
                setattr(stream.codec_context, tag, value)
            for number in range(60):
                codes = picture(number % 4, (96, 64))
                frame = av.VideoFrame.from_ndarray(codes, "rgb24").reformat(format=kind)
                frame.pts = number
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        if not tags:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
        report = Report()
        run(tmp_path / f"shot of {name}", path, report)
        return " ".join(report.warnings)

    assert "is an HDR movie" in warnings("hdr.mp4", "libx264", "yuv420p10le", color_trc=16)
    wide = warnings("wide.mp4", "libx264", "yuv420p", sample_aspect_ratio=Fraction(4, 3))
    assert "not square (4/3)" in wide
    cut = warnings("cut.mkv", "ffv1", "yuv420p")
    assert "should last 2.5 seconds, but only" in cut


def movie_of_pngs(path: Path, sizes: list[tuple[int, int]]) -> Path:
    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream("png", rate=24)
        (stream.width, stream.height), stream.pix_fmt = sizes[0], "gray"
        for number, size in enumerate(sizes):
            file = io.BytesIO()
            Image.new("L", size, 128).save(file, "PNG")
            packet = av.Packet(file.getvalue())
            packet.pts = packet.dts = number
            packet.time_base, packet.stream = Fraction(1, 24), stream
            packet.is_keyframe = True
            container.mux(packet)
    return path


def test_a_movie_that_is_too_large_is_refused_before_it_is_unpacked(tmp_path, monkeypatch):
    first = Image.new("P", (30000, 2000))
    path = tmp_path / "wide.gif"
    first.save(path, save_all=True, append_images=[Image.new("P", (30000, 2000), 1)])
    monkeypatch.setattr(movies, "_picture", lambda *_: pytest.fail("it is unpacked"))
    assert "is 30000×2000; a side may have 16384 pixels" in sentence(tmp_path, path)


def test_a_frame_of_another_size_is_told_before_it_is_unpacked(tmp_path, monkeypatch):
    unpacked: list[tuple[int, int]] = []
    unpack = movies._picture

    def counted(library, frame):
        unpacked.append((frame.width, frame.height))
        return unpack(library, frame)

    monkeypatch.setattr(movies, "_picture", counted)
    mixed = movie_of_pngs(tmp_path / "mixed.mov", [(64, 48), (64, 48), (96, 48)])
    told = sentence(tmp_path, mixed)
    assert told.startswith(f"Frame 3 of {mixed} is 96×48, but its first frame is 64×48; ")
    grown = movie_of_pngs(tmp_path / "grown.mov", [(64, 48), (64, 48), (8000, 6000)])
    assert "the next is damaged or far larger" in sentence(tmp_path, grown)
    assert set(unpacked) == {(64, 48)}


@pytest.mark.parametrize(
    "text",
    [
        "ffconcat version 1.0\nfile other.mkv\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nother.ts\n#EXT-X-ENDLIST\n",
        "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nt=0 0\nm=video 9 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
        "plain words, which FFmpeg would draw as a picture of letters\n" * 50,
    ],
)
def test_a_list_of_other_files_is_no_movie(tmp_path, text, monkeypatch):
    monkeypatch.chdir(tmp_path)
    other = write_movie(tmp_path / "other.mkv", **LOSSLESS, size=(96, 64))
    write_movie(tmp_path / "other.ts", "mpeg2video", "yuv420p", size=(96, 64))
    assert other.is_file()
    clip = tmp_path / "clip.mp4"
    clip.write_text(text, encoding="utf-8")
    assert "cannot be read as a movie" in sentence(tmp_path, clip)


def test_pictures_count_before_a_movie_beside_them(tmp_path):
    write_movie(tmp_path / "in.mkv", **LOSSLESS, size=(96, 64))
    synthetic.write_png(tmp_path / "0007.png", picture(7, (96, 64)))
    report = Report()
    assert run(tmp_path / "shot", tmp_path, report).frames == [7]
    assert any("in.mkv is left out" in warning for warning in report.warnings)


@pytest.mark.parametrize("stop_after", [1, 4])
def test_cancel_leaves_nothing(tmp_path, stop_after):
    path = write_movie(tmp_path / "clip.mkv", **LOSSLESS, size=(96, 64))
    with pytest.raises(Cancelled):
        run(tmp_path / "shot", path, Report(stop_after))
    assert [*(tmp_path / "shot").rglob("*.png")] == []


def test_from_a_movie_to_painted_frames_by_the_command_line(tmp_path):
    size = (160, 90)
    path = write_movie(tmp_path / "Film ä.mkv", **LOSSLESS, size=size, rate=Fraction(12))
    synthetic.write_png(tmp_path / "paint" / "2.png", 255 - picture(2, size))
    shot = tmp_path / "shot"
    done = shots.run_warm("import", shot, "--input", path, "--painted", tmp_path / "paint")
    assert done.returncode == 0, done.stderr
    assert "3 frames as PNG, 1-3, at 12 frames per second" in done.stdout
    for words in (["train", shot, "--steps", 2], ["stylize", shot]):
        done = shots.run_warm(*words)
        assert done.returncode == 0, done.stderr
    shots.assert_all_frames_open(Shot.open(shot))


def test_a_second_track_of_pictures_is_told(tmp_path):
    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as container:
        streams = [container.add_stream("ffv1", 24, width=480, height=270) for _ in range(2)]
        for stream in streams:
            stream.pix_fmt = "bgr0"
        for number, stream in enumerate(streams):
            for frame in (1, 2):
                pixels = picture(frame + 3 * number)
                for packet in stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")):
                    container.mux(packet)
            for packet in stream.encode():
                container.mux(packet)
    report = Report()
    request = ImportPictures(1, str(tmp_path / "shot"), str(path))
    assert import_pictures(request, report)["frames"] == 2
    (told,) = report.warnings
    assert "two.mkv has 2 tracks of pictures, of which only number 1 is used" in told
    shown = read_picture(tmp_path / "shot" / "frames" / "0002.png").pixels
    assert np.abs(np.rint(255 * shown) - picture(2)).max() <= 1


def test_a_movie_is_known_by_its_content_and_an_apng_by_its_times(tmp_path):
    first, *others = (Image.fromarray(picture(frame)) for frame in (1, 2, 3))
    first.save(tmp_path / "a.apng", "PNG", save_all=True, append_images=others, duration=100)
    with av.open(str(tmp_path / "b.mp4"), "w") as container:
        stream = container.add_stream("mpeg4", 12, width=480, height=270)
        for frame in (1, 2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(frame), "rgb24")))
        container.mux(stream.encode())
    (tmp_path / "b.mp4").rename(tmp_path / "b.quicktime")
    for name, frames, rate in (("a.apng", 3, 10), ("b.quicktime", 2, 12)):
        shot = tmp_path / f"shot of {name}"
        result = import_pictures(ImportPictures(1, str(shot), str(tmp_path / name)), Silent())
        assert result["frames"] == frames
        assert Shot.open(shot).manifest.fps == pytest.approx(rate)
