# SPDX-License-Identifier: GPL-3.0-or-later
"""Shots in the sizes that people work in, made, learnt and painted by the command line.

Everything but the files' own formats is told to the engine by its command line.
"""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio  # noqa: N813
import shots
import synthetic
from painted_scenes import Floats, Scene, channels

SEED = 0
"""Of every training; with other numbers the pictures are as good."""


def write(path: Path, pixels: Floats, bits: int = 8) -> Path:
    """Write a picture (H, W), (H, W, 3) or (H, W, 4), 0..1; its name tells the format."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".exr":
        linear = pixels[..., :3]
        linear = np.where(linear <= 0.04045, linear / 12.92, ((linear + 0.055) / 1.055) ** 2.4)
        if pixels.shape[2] == 4:
            linear = np.dstack([linear * pixels[..., 3:], pixels[..., 3]])
        spec = oiio.ImageSpec(linear.shape[1], linear.shape[0], linear.shape[2], "half")
        file = oiio.ImageOutput.create(str(path))
        assert file.open(str(path), spec)
        assert file.write_image(np.ascontiguousarray(linear, np.float32))
        assert file.close()
        return path
    kind = np.uint8 if bits == 8 else np.uint16
    codes = np.rint(np.clip(pixels, 0, 1) * np.iinfo(kind).max).astype(kind)
    if codes.ndim == 3:
        codes = np.ascontiguousarray(codes[..., [2, 1, 0, 3][: codes.shape[2]]])
    path.write_bytes(cv2.imencode(path.suffix, codes)[1].tobytes())
    return path


def read(path: Path) -> Floats:
    """Read a stylized frame, (H, W, 4), display-referred, straight alpha."""
    if path.suffix == ".exr":
        file = oiio.ImageInput.open(str(path))
        linear = np.asarray(file.read_image("float"))
        file.close()
        alpha = linear[..., 3:]
        linear = np.clip(linear[..., :3] / np.where(alpha > 0, alpha, 1), 0, 1)
        curve = 1.055 * linear ** (1 / 2.4) - 0.055
        return np.dstack([np.where(linear <= 0.0031308, 12.92 * linear, curve), alpha])
    codes = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    return codes[..., [2, 1, 0, 3]].astype(np.float32) / np.iinfo(codes.dtype).max


class Project:
    """A shot that is made, learnt and painted by the command line.

    Args:
        folder: where its files go: ``input``, ``painted``, and the shot folder ``shot``.
        scene: what is seen.
        frames: how many, from 1 on.
        keys: frames that are painted.
    """

    def __init__(
        self, folder: Path, scene: Scene, frames: int = 3, keys: tuple[int, ...] = (1,)
    ) -> None:
        self.folder, self.scene, self.keys = folder, scene, keys
        self.frames = list(range(1, frames + 1))
        self.shot = folder / "shot"

    def copy(self, folder: Path) -> Project:
        """Copy it, to be changed."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Project(folder, self.scene, len(self.frames), self.keys)

    def engine(self, *words: object, threads: int = 0) -> str:
        """Run the engine to its end, and return what it prints.

        Args:
            words: of the command line.
            threads: of PyTorch, in a process of its own; 0: in a fork of one that runs already,
                which saves the start.
        """
        run = functools.partial(_in_own_process, threads) if threads else shots.run_warm
        result = run(*words)
        assert result.returncode == 0, result.stderr
        return result.stdout

    def write(self, name: str, suffix: str = ".png", bits: int = 8) -> Path:
        """Write the ``input``, ``painted`` or ``truth`` pictures, and return their folder."""
        frames = self.keys if name == "painted" else self.frames
        pixels = self.scene.render if name == "input" else self.scene.painting
        for frame in frames:
            write(self.folder / name / f"{frame:04d}{suffix}", pixels(frame), bits)
        return self.folder / name

    def make(self, *more: object, suffix: str = ".png", bits: int = 8, threads: int = 0) -> None:
        """Import pictures of a format and their paintings, in EXR if they are, with more words."""
        frames = self.write("input", suffix, bits)
        painted = self.write("painted", ".exr" if suffix == ".exr" else ".png", bits)
        words = ("--input", frames, "--painted", painted, *more)
        self.engine("import", self.shot, *words, threads=threads)

    def capture(self, *, surface: bool, bits: int = 8, compression: str = "zip") -> None:
        """Write the shot folder as Blender's capture does, and paint the keyframes."""
        sources = {"image": "Combined", "motion": "Vector", "depth": "Depth", "normal": "Normal"}
        if surface:
            sources |= {"surface": "paintover_surface", "object": "paintover_object"}
        records = {}
        for frame in self.frames:
            image = self.shot / "frames" / f"{frame:04d}.png"
            pixels = self.scene.render(frame)
            write(image, np.dstack([pixels[..., :3], self.scene.alpha(frame)]), bits)
            passes = channels(self.scene, frame, surface)
            synthetic.write_layers(image.with_suffix(".exr"), passes, True, compression)
            records[str(frame)] = {"image": "captured", "passes": "captured", "settings": ""}
        for key in self.keys:
            write(self.shot / "keys" / f"{key:04d}.png", self.scene.painting(key), bits)
        manifest = {
            "version": 1,
            "width": self.scene.width,
            "height": self.scene.height,
            "frame_start": 1,
            "frame_end": len(self.frames),
            "source": {"kind": "blender", "view_layer": synthetic.LAYER},
            "passes": sources,
            "colour": {},
            "frames": records,
        }
        (self.shot / "shot.json").write_text(json.dumps(manifest), encoding="utf-8")

    def train(self, *words: object, style: str = "style", threads: int = 0) -> None:
        """Train a style."""
        words = ("--style", style, "--seed", SEED, *words)
        self.engine("train", self.shot, *words, threads=threads)

    def stylize(self, *words: object, style: str = "style", threads: int = 0) -> None:
        """Paint all frames, or those that the words name, with a style."""
        words = ("--style", style, "--force", *words)
        self.engine("stylize", self.shot, *words, threads=threads)

    def result(self, frame: int, style: str = "style", suffix: str = ".png") -> Floats:
        """Read a painted frame, (H, W, 4)."""
        return read(self.shot / "out" / style / f"{frame:04d}{suffix}")


def _in_own_process(threads: int, *words: object) -> subprocess.CompletedProcess[str]:
    variables = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTHONPATH": str(shots.ROOT)}
    return subprocess.run(
        [sys.executable, "-m", "engine", *map(str, words)],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        env=variables,
        check=False,
    )
