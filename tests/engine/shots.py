# SPDX-License-Identifier: GPL-3.0-or-later
"""Small shots on disk, and the engine as a real process, for the tests of command line and worker.

The shot: a shaded disc with stripes moves right by two pixels a frame over nothing (alpha 0).
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio  # noqa: N813
import pytest

from engine.images.pictures import read_picture
from engine.shared.manifest import FrameRecord, Manifest
from engine.shared.out_records import OutRecord
from engine.shared.pictures.digests import digest_picture
from engine.shared.shot import Shot

ROOT = Path(__file__).parents[2]
WIDTH, HEIGHT = 96, 64
STEP = 2
"""Pixels to the right a frame."""


def write_png(path: Path, pixels: np.ndarray) -> Path:
    """Write (H, W, 1/3/4) values in 0..1 as 8-bit PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    codes = np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)
    if codes.ndim == 3 and codes.shape[2] >= 3:
        codes = codes[..., [2, 1, 0, 3][: codes.shape[2]]]
    path.write_bytes(cv2.imencode(".png", codes)[1].tobytes())
    return path


def picture(frame: int) -> np.ndarray:
    """The rendered frame, (H, W, 4)."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    x = x - 30 - STEP * frame
    y = y - HEIGHT / 2
    shade = np.clip(0.6 - x / 60 - y / 80, 0, 1)
    stripes = 0.5 + 0.5 * np.sin(x / 3)
    colour = np.stack([shade, shade * stripes, 1 - shade], axis=2)
    alpha = (np.hypot(x, y) < 24).astype(np.float32)
    return np.concatenate([colour * alpha[..., None], alpha[..., None]], axis=2)


def painting(frame: int) -> np.ndarray:
    """The frame as it should be painted, (H, W, 4): few colours, and other ones."""
    pixels = picture(frame)
    tones = np.round(pixels[..., :3] * 3) / 3
    pixels[..., :3] = tones[..., [2, 0, 1]] * pixels[..., 3:]
    return pixels


def write_passes(path: Path, frame: int, spoilt: float = 0.0, normals: bool = False) -> None:
    """Write Vector, Depth and perhaps Normal as Blender does; a corner of them is ``spoilt``."""
    alpha = picture(frame)[..., 3]
    channels = {
        "Vector.X": -STEP * alpha,
        "Vector.Y": 0 * alpha,
        "Vector.Z": -STEP * alpha,
        "Vector.W": 0 * alpha,
    }
    if normals:
        channels |= {"Normal.X": 0 * alpha, "Normal.Y": -alpha, "Normal.Z": 0 * alpha}
    for values in channels.values():
        values[HEIGHT // 2 - 8 : HEIGHT // 2, 30:60] += spoilt
    channels["Depth.Z"] = np.where(alpha > 0, 5, 1e10)
    spec = oiio.ImageSpec(WIDTH, HEIGHT, len(channels), "float")
    spec.channelnames = [f"ViewLayer.{name}" for name in channels]
    path.parent.mkdir(parents=True, exist_ok=True)
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), spec)
    assert file.write_image(np.stack([*channels.values()], axis=-1).astype(np.float32))
    assert file.close()


def make_shot(folder: Path, frames: int = 4, keys: tuple[int, ...] = (1,), passes: bool = False):
    """Make a shot folder with painted keyframes and return the ``Shot``."""
    shot = Shot(folder, Manifest(WIDTH, HEIGHT, 1, frames))
    shot.manifest.source = {"kind": "pictures"}
    shot.manifest.passes = {"image": "pictures", "alpha": "pictures"}
    if passes:
        shot.manifest.passes |= {"motion": "Vector", "depth": "Depth"}
    for frame in range(1, frames + 1):
        image = write_png(shot.image_path(frame), picture(frame))
        record = FrameRecord(digest_picture(image))
        if passes:
            write_passes(shot.passes_path(frame), frame)
            record.passes = digest_picture(shot.passes_path(frame))
        shot.manifest.frames[frame] = record
    shot.save()
    for key in keys:
        write_png(folder / "keys" / f"{key:04d}.png", painting(key))
    return shot


def make_inputs(folder: Path, frames: int = 4) -> Path:
    """Make folders ``input``, ``painted`` (frame 1) and ``mask`` for ``import``."""
    for frame in range(1, frames + 1):
        write_png(folder / "input" / f"{frame:04d}.png", picture(frame))
        write_png(folder / "mask" / f"{frame:04d}.png", picture(frame)[..., 3:])
    write_png(folder / "painted" / "0001.png", painting(1))
    return folder


def _environment() -> dict[str, str]:
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}


def run_engine(*words: object) -> subprocess.CompletedProcess[str]:
    """Run ``python -m engine WORDS`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "engine", *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        env=_environment(),
        check=False,
    )


def run_warm(*words: object) -> subprocess.CompletedProcess[str]:
    """Run it in a fork of a process that has loaded PyTorch already, for tests of many runs."""
    server = _warm_server()
    arguments = [str(word) for word in words]
    server.stdin.write(json.dumps(arguments) + "\n")
    server.stdin.flush()
    code, out, err = json.loads(server.stdout.readline())
    return subprocess.CompletedProcess(arguments, code, out, err)


@functools.cache
def _warm_server() -> subprocess.Popen[str]:
    """Start that process; it ends when its input closes, with the process that runs the tests."""
    return subprocess.Popen(
        [sys.executable, "-c", _WARM_SERVER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=_environment(),
    )


_WARM_SERVER = """
import json, os, sys, tempfile
from engine.app import cli
import engine.jobs.import_pictures, engine.jobs.train, engine.jobs.stylize
for line in sys.stdin:
    streams = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    child = os.fork()
    if child == 0:
        for number, stream in enumerate(streams, 1):
            os.dup2(stream.fileno(), number)
        try:
            code = cli.main(json.loads(line))
        except SystemExit as ended:
            code = ended.code
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    texts = []
    for stream in streams:
        stream.seek(0)
        texts.append(stream.read().decode())
        stream.close()
    print(json.dumps([code, *texts]), flush=True)
"""


def start_engine(*words: object) -> subprocess.Popen[str]:
    """Start ``python -m engine WORDS`` with pipes for its three streams."""
    return subprocess.Popen(
        [sys.executable, "-m", "engine", *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=_environment(),
    )


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[str] | None = None) -> None:
    """Wait until something has happened, while a process runs if one is given."""
    for _ in range(6000):
        if condition():
            return
        assert process is None or process.poll() is None, "the engine ended too early"
        time.sleep(0.02)
    raise AssertionError("the engine did not get there")


def assert_one_sentence(result: subprocess.CompletedProcess[str], *words: str) -> None:
    """Check that a run failed with one sentence on stderr that has all the words."""
    assert result.returncode == 1, result.stdout + result.stderr
    sentence = result.stderr.strip()
    assert "\n" not in sentence, sentence
    assert sentence.endswith((".", ")")), sentence
    for word in words:
        assert word in sentence, sentence


def snapshot(folder: Path) -> dict[str, bytes]:
    """The contents of all files of a folder, by relative path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def assert_all_frames_open(shot: Shot, style: str = "style") -> None:
    """Check that every frame of a shot is stylized with a picture that opens."""
    for frame in shot.frames:
        read_picture(shot.out_path(style, frame))


@contextlib.contextmanager
def killed_before_a_record(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """End what is done inside when the first picture is written, but not yet its record."""
    written = Shot.write_out_record

    def killed(shot: Shot, style: str, frame: int, record: OutRecord) -> None:
        if record.input:
            raise KeyboardInterrupt
        written(shot, style, frame, record)

    with monkeypatch.context() as patch:
        patch.setattr(Shot, "write_out_record", killed)
        with pytest.raises(KeyboardInterrupt):
            yield
