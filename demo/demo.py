# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the steps of the demo through the installed add-on, and prints what it does."""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bpy
import cv2
import numpy as np
import numpy.typing as npt

import build_addon
from engine.shared.frame_lists import format_frames
from engine.shared.shot import Shot
from scenes import versions

from . import moving_picture
from .contact_sheet import contact_sheet
from .movie import write_movie
from .scene import FPS, build_scene, save_scene

ROOT = Path(__file__).resolve().parent.parent
KEY_SHARE = 0.45
"""Position of the painted frame in the shot, 0..1; it shows both sides of the fox."""


class DemoError(Exception):
    """A step of the demo failed; the text says why."""


class Demo:
    """One run of the demo.

    Args:
        out: the output folder.
        frames: number of frames of the shot.
        size: width and height in pixels.
        seconds: seconds of training.
    """

    def __init__(self, out: Path, frames: int, size: tuple[int, int], seconds: float) -> None:
        self.out = out
        self.frames = frames
        self.size = size
        self.seconds = seconds
        self.key = 1 + round(KEY_SHARE * (frames - 1))
        self._step = 0
        self._began = time.monotonic()
        self._log = out / "log.txt"
        self._terminal = os.dup(1)

    def run(self) -> None:
        """Run all steps. Raises DemoError if one fails."""
        width, height = self.size
        self._say(f"Paintover demo: {self.frames} frames of {width}×{height}, into {self.out}\n")
        self._empty_folder()
        with self._doing("Build the extension zip, install it into an empty Blender"):
            archive = build_addon.build(self.out)
            bpy.ops.extensions.package_install_files(
                filepath=str(archive), repo="user_default", enable_on_install=True
            )
        scene = self._make_scene()
        operators: Any = bpy.ops.paintover
        with self._doing(f"Capture: render {self.frames} frames with their passes"):
            operators.capture()
        shot = self._shot()
        with self._doing(f"Add Keyframe, and paint frame {self.key} as a person would"):
            operators.keyframe_add(frame=self.key)
            self._paint([self.key], shot.key_path(self.key).parent)
        with self._doing(f"Train on this one painting for at most {self.seconds:.0f} s"):
            operators.train(seconds=self.seconds)
        with self._doing("Stylize every frame"):
            operators.stylize()
        with self._doing("Send to Compositor, and save the .blend"):
            operators.compose()
            bpy.ops.wm.save_mainfile()
        self._check_composited(scene, shot)
        self._check_opened()
        self._show(shot)
        self._score(shot)
        self._farewell()

    def make_scene(self) -> None:
        """Make ``fox.blend`` alone. Raises DemoError if the folder has a shot already."""
        if (self.out / "paintover").exists():
            raise DemoError(f"{self.out} has a shot already; move it away, or choose --out.")
        self.out.mkdir(parents=True, exist_ok=True)
        self._make_scene()
        self._say(f"Open {self.out / 'fox.blend'} in Blender.")

    def _make_scene(self) -> Any:
        with self._doing("Make the scene and save it as fox.blend"):
            scene = build_scene(*self.size, self.frames)
            # Without this Blender would look for a graphics card, which not every machine has.
            scene.render.compositor_device = "CPU"
            bpy.context.preferences.filepaths.save_version = 0
            save_scene(self.out / "fox.blend")
        return scene

    def _empty_folder(self) -> None:
        for name in (
            "fox.blend",
            "log.txt",
            "contact_sheet.png",
            "fox.mp4",
            "fox.webp",
            "scores.json",
        ):
            (self.out / name).unlink(missing_ok=True)
        for name in ("paintover", "truth", "composited"):
            shutil.rmtree(self.out / name, ignore_errors=True)
        self.out.mkdir(parents=True, exist_ok=True)

    def _shot(self) -> Shot:
        found = sorted((self.out / "paintover").glob("*/shot.json"))
        if not found:
            raise DemoError(f"there is no shot in {self.out / 'paintover'}; see {self._log}.")
        return Shot.open(found[0].parent)

    def _paint(self, frames: list[int], folder: Path) -> None:
        """Paint frames into a folder, in processes of their own."""
        command = [sys.executable, "-m", "demo.paint", str(self._shot().folder)]
        command += ["--like", str(self.key), "--out", str(folder), "--frames"]
        parts = [part for part in (frames[::2], frames[1::2]) if part]
        with ThreadPoolExecutor(len(parts)) as pool:
            list(pool.map(lambda part: self._command([*command, format_frames(part)]), parts))

    def _check_composited(self, scene: Any, shot: Shot) -> None:
        chosen = sorted({1, 1 + (self.frames - 1) // 2})
        with self._doing("Render frames through the compositor and compare them"):
            folder = self.out / "composited"
            settings = scene.render.image_settings
            versions.set_file_format(settings, "PNG")
            settings.color_mode, settings.color_depth = "RGBA", "8"
            worst = 0
            for frame in chosen:
                scene.frame_set(frame)
                scene.render.filepath = str(folder / f"{frame:04d}.png")
                bpy.ops.render.render(write_still=True)
                rendered = _read(folder / f"{frame:04d}.png").astype(int)
                stylized = _read(shot.out_path("style", frame)).astype(int)
                worst = max(worst, int(np.abs(rendered[..., :3] - stylized[..., :3]).max()))
        if worst:
            raise DemoError(
                f"the composited frames {format_frames(chosen)} differ from the stylized ones by "
                f"up to {worst} of 255."
            )
        self._note(f"frames {format_frames(chosen)} equal the stylized frames, pixel for pixel")

    def _check_opened(self) -> None:
        with self._doing("Open fox.blend, and see that every step is up to date"):
            bpy.ops.wm.open_mainfile(filepath=str(self.out / "fox.blend"))
            states = importlib.import_module("bl_ext.user_default.paintover.states")
            late = [
                f"{name}: {state.why}"
                for name, state in states.look(bpy.context.scene).steps.items()
                if state.step.value != "up to date"
            ]
        if late:
            raise DemoError(f"fox.blend does not open as up to date; {'; '.join(late)}.")

    def _show(self, shot: Shot) -> None:
        with self._doing("Make the contact sheet and the movie"):
            rendered = [_read(shot.image_path(frame)) for frame in shot.frames]
            results = [_read(shot.out_path("style", frame)) for frame in shot.frames]
            shown = sorted({self.key, *np.linspace(1, self.frames, 4).round().astype(int)})
            if len(shown) > 4:
                second = min(shown[1:-1], key=lambda f: (f == self.key, abs(f - self.key)))
                shown.remove(second)
            painting = _read(shot.key_path(self.key))
            sheet = contact_sheet(
                "One painted frame, the whole shot",
                [f"Frame {frame}" for frame in shown],
                [
                    ("Render", [rendered[frame - 1] for frame in shown]),
                    ("Painting", [painting if frame == self.key else None for frame in shown]),
                    ("Result", [results[frame - 1] for frame in shown]),
                ],
            )
            _write(self.out / "contact_sheet.png", sheet)
            pairs = [
                np.concatenate([before[..., :3], after[..., :3]], axis=1)
                for before, after in zip(rendered, results, strict=True)
            ]
            write_movie(self.out / "fox.mp4", (pairs + pairs[-2:0:-1]) * 2, FPS)
            moving_picture.write(
                self.out / "fox.webp", moving_picture.pages(rendered, painting, results), FPS
            )

    def _score(self, shot: Shot) -> None:
        early, late = max(2, self.key - self.frames // 3), self.frames - 1
        frames = [f for f in (early - 1, early, late - 1, late) if f != self.key]
        with self._doing(f"Paint frames {format_frames(frames)} too, only to compare"):
            self._paint(frames, self.out / "truth")
        with self._doing("Score"):
            command = [sys.executable, "-m", "engine", "score", str(shot.folder)]
            command += ["--truth", str(self.out / "truth"), "--json"]
            text = self._command(command)
            (self.out / "scores.json").write_text(text, encoding="utf-8")
            plain = self._psnr_of_render(shot, frames)
        mean = json.loads(text)["mean"]
        self._say(
            f"""
Scores: the result against what the same painter paints on frames {format_frames(frames)},
which the training never saw. The painter's strokes stick to the surfaces, but a few come and go
from frame to frame, so even a second try by the same hand would not score perfectly.
  PSNR    {_number(mean["psnr"], 2)} dB  higher is closer; the plain render: {plain:.2f}
  SSIM    {_number(mean["ssim"], 3)}     1 is equal
  FLIP    {_number(mean["flip"], 3)}     0 is equal
  texture {_number(mean["texture"], 2)}      1 is as crisp as the painting, below is blurred
  flicker {_number(mean["flicker"], 2)}      codes of 255 between frames; the painter's own: \
{_number(mean["flicker_truth"], 2)}"""
        )

    def _psnr_of_render(self, shot: Shot, frames: list[int]) -> float:
        """Return the PSNR of the render against the true paintings, mean in decibels."""
        values = []
        for frame in frames:
            truth = cv2.imread(str(self.out / "truth" / shot.image_path(frame).name))
            values.append(cv2.PSNR(truth, cv2.imread(str(shot.image_path(frame)))))
        return float(np.mean(values))

    def _farewell(self) -> None:
        seconds = time.monotonic() - self._began
        self._say(
            f"""
Done in {int(seconds // 60)} min {int(seconds % 60)} s. Look at
  {self.out / "contact_sheet.png"}
  {self.out / "fox.mp4"}    the render and the result side by side
  {self.out / "fox.webp"}   these and the painting, small enough for a page
  {self.out / "fox.blend"}  open it in Blender: the compositor is set up
  {self.out / "paintover"}  the shot folder: frames, the painting, the style, the result
  {self.out / "scores.json"}"""
        )

    def _command(self, command: list[str]) -> str:
        """Run a command in the root of the project and return its output."""
        done = subprocess.run(
            command, cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
        with self._log.open("a", encoding="utf-8") as log:
            log.write(done.stdout + done.stderr)
        if done.returncode:
            lines = (done.stderr or done.stdout).strip().splitlines() or ["no output"]
            raise DemoError(f"{' '.join(command[1:4])} failed: {lines[-1]}")
        return done.stdout

    @contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        """Print the name of a step and its seconds; redirect Blender's output to the log."""
        self._step += 1
        self._say(f"{self._step:2}. {what} ... ", end="")
        began = time.monotonic()
        sys.stdout.flush()
        with self._log.open("a", encoding="utf-8") as log:
            os.dup2(log.fileno(), 1)
            try:
                yield
            except RuntimeError as error:
                raise DemoError(str(error).removeprefix("Error: ").strip()) from error
            finally:
                sys.stdout.flush()
                _flush_blender()
                os.dup2(self._terminal, 1)
        self._say(f"{time.monotonic() - began:.1f} s")

    def _note(self, text: str) -> None:
        self._say(f"    {text}")

    def _say(self, text: str, end: str = "\n") -> None:
        os.write(self._terminal, (text + end).encode())


def _flush_blender() -> None:
    """Flush Blender's buffered output."""
    ctypes.CDLL(None).fflush(None)


def _number(value: float | None, digits: int) -> str:
    return "equal" if value is None else f"{value:.{digits}f}"


def _read(path: Path) -> npt.NDArray[Any]:
    """Read a picture as RGB or RGBA, (H, W, 3 or 4) uint8."""
    picture = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
    if picture is None:
        raise DemoError(f"cannot read {path}.")
    return cv2.cvtColor(
        picture, cv2.COLOR_BGRA2RGBA if picture.shape[2] == 4 else cv2.COLOR_BGR2RGB
    )


def _write(path: Path, picture: npt.NDArray[Any]) -> None:
    if not cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)):
        raise DemoError(f"cannot write {path}.")
