# SPDX-License-Identifier: GPL-3.0-or-later
"""Shots in the sizes that people work in, of which the right painting of every frame is known.

A textured disc moves and turns before a textured box at rest; behind them is nothing, or a texture
that moves slowly. The painting has other colours, in three even tones, and hatching that sticks to
the things. Everything but the files' own formats is told to the engine by its command line.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio  # noqa: N813
import shots
import synthetic

TILE = 512
"""The texture repeats after so many pixels."""
HATCH = 12.0
"""Pixels from stroke to stroke of the painting."""
SEED = 0
"""Of every training; with other numbers the pictures are as good."""
UNIT = 50.0
"""Pixels of a unit of surface coordinates."""
GLASS, OUTLINE = 0.5, 8.0
"""Alpha of a painting that lets through, and pixels that its outline is broad."""
INK = np.array([0.05, 0.03, 0.1], np.float32)
PAPER = np.array([0.95, 0.9, 0.8], np.float32)
Floats = np.ndarray


@dataclasses.dataclass(frozen=True)
class Thing:
    """What can be seen: where its own coordinates begin in each frame, and how it is turned."""

    name: str
    start: tuple[float, float]
    step: tuple[float, float] = (0.0, 0.0)
    turn: float = 0.0
    """Degrees a frame."""
    depth: float = 1e10
    number: float = 0.0
    """Blender's random number of the object."""
    colours: tuple[tuple[float, ...], tuple[float, ...]] = ((0, 0, 0), (1, 1, 1))
    """Rendered, dark and light."""

    def own(self, frame: float, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return the thing's own coordinates of places in a frame, in pixels."""
        angle = math.radians(self.turn * frame)
        x, y = x - self._at(frame, 0), y - self._at(frame, 1)
        return math.cos(angle) * x + math.sin(angle) * y, math.cos(angle) * y - math.sin(angle) * x

    def place(self, frame: float, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        """Return where own coordinates are in a frame."""
        angle = math.radians(self.turn * frame)
        x, y = math.cos(angle) * u - math.sin(angle) * v, math.sin(angle) * u + math.cos(angle) * v
        return x + self._at(frame, 0), y + self._at(frame, 1)

    def _at(self, frame: float, axis: int) -> float:
        return self.start[axis] + self.step[axis] * frame


@dataclasses.dataclass(frozen=True)
class Scene:
    """A moving picture.

    Attributes:
        width, height: in pixels.
        opaque: whether there is a background.
        style: 0 or 1, which of the two paintings.
        noise: of the camera, the standard deviation of the render's colours.
        glass: whether the painting lets through, and has a broad outline around what is seen.
        paper: whether the painting is opaque, with bare paper around what is seen.
        empty: frames that show nothing.
    """

    width: int
    height: int
    opaque: bool = True
    style: int = 0
    noise: float = 0.0
    glass: bool = False
    paper: bool = False
    empty: tuple[int, ...] = ()

    @property
    def things(self) -> list[Thing]:
        """From back to front."""
        wide, high = self.width, self.height
        background = Thing(
            "background",
            (wide / 2, high / 2),
            (1.0, 0.5),
            depth=9,
            number=0.8765,
            colours=((0.1, 0.2, 0.25), (0.5, 0.7, 0.6)),
        )
        box = Thing(
            "box",
            (0.42 * wide, 0.55 * high),
            depth=6,
            number=0.6789,
            colours=((0.15, 0.1, 0.35), (0.75, 0.65, 0.95)),
        )
        disc = Thing(
            "disc",
            (0.45 * wide, 0.42 * high),
            (5.0, 2.0),
            turn=2.0,
            depth=4,
            number=0.31415927,
            colours=((0.35, 0.1, 0.05), (1.0, 0.75, 0.4)),
        )
        return [background, box, disc] if self.opaque else [box, disc]

    @property
    def places(self) -> tuple[Floats, Floats]:
        """x and y of each pixel, (H, W)."""
        x, y = np.arange(self.width, dtype=np.float32), np.arange(self.height, dtype=np.float32)
        return tuple(np.meshgrid(x, y))

    def shares(self, frame: int) -> list[Floats]:
        """How much of each pixel shows each of the things, (H, W)."""
        rest = np.full((self.height, self.width), frame not in self.empty, np.float32)
        found = []
        for thing in reversed(self.things):
            share = rest * self._cover(thing, frame)
            found.append(share)
            rest = rest - share
        return found[::-1]

    def _cover(self, thing: Thing, frame: int) -> Floats:
        short = min(self.width, self.height)
        u, v = thing.own(frame, *self.places)
        if thing.name == "background":
            return np.ones_like(u)
        if thing.name == "disc":
            distance = np.hypot(u, v) - 0.3 * short
        else:
            distance = np.maximum(np.abs(u) - 0.45 * short, np.abs(v) - 0.28 * short)
        return np.clip(0.5 - distance, 0, 1)

    def alpha(self, frame: int) -> Floats:
        """How much of each pixel shows anything, (H, W)."""
        return np.sum(self.shares(frame), axis=0, dtype=np.float32).clip(0, 1)

    def render(self, frame: int) -> Floats:
        """The frame as it is rendered or filmed, (H, W, 3) or with straight alpha (H, W, 4)."""
        return _render(self, frame)

    def painting(self, frame: int) -> Floats:
        """The frame as it should be painted, likewise."""
        return _painting(self, frame)


@functools.lru_cache(8)
def _render(scene: Scene, frame: int) -> Floats:
    pixels = _mixed(scene, frame, _rendered)
    if scene.noise:
        chance = np.random.default_rng(frame)
        pixels[..., :3] += chance.normal(0, scene.noise, (*pixels.shape[:2], 3))
    return np.clip(pixels, 0, 1)


@functools.lru_cache(8)
def _painting(scene: Scene, frame: int) -> Floats:
    pixels = _mixed(scene, frame, (_gouache, _chalk)[scene.style])
    if scene.paper:
        return pixels[..., :3] * pixels[..., 3:] + PAPER * (1 - pixels[..., 3:])
    if scene.glass:
        outside = cv2.distanceTransform((pixels[..., 3] < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
        pixels[..., :3] = pixels[..., :3] * pixels[..., 3:] + INK * (1 - pixels[..., 3:])
        pixels[..., 3] = GLASS * np.clip(OUTLINE - outside, 0, 1)
    return pixels


def _mixed(scene: Scene, frame: int, colours: Callable[[Thing, Floats, Floats], Floats]) -> Floats:
    mixed = np.zeros((scene.height, scene.width, 3), np.float32)
    for thing, share in zip(scene.things, scene.shares(frame), strict=True):
        mixed += share[..., None] * colours(thing, *thing.own(frame, *scene.places))
    if scene.opaque:
        return mixed
    alpha = scene.alpha(frame)[..., None]
    return np.dstack([mixed / np.maximum(alpha, 1e-6), alpha])


@functools.cache
def _texture() -> Floats:
    """Smooth noise (TILE, TILE), 0..1, that repeats."""
    chance = np.random.default_rng(5)
    total = np.zeros((TILE, TILE), np.float32)
    for radius, weight in ((14, 1.0), (5, 0.7), (2, 0.35)):
        noise = np.tile(chance.random((TILE, TILE), np.float32) - 0.5, (3, 3))
        smooth = cv2.GaussianBlur(noise, (0, 0), radius)[TILE : 2 * TILE, TILE : 2 * TILE]
        total += weight * smooth / smooth.std()
    return np.clip(0.5 + total / (4 * total.std()), 0, 1)


def _tone(thing: Thing, u: Floats, v: Floats) -> Floats:
    shift = 170 * len(thing.name)
    u, v = np.mod(u + shift, TILE).astype(np.float32), np.mod(v + shift, TILE).astype(np.float32)
    return cv2.remap(_texture(), u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)


def _rendered(thing: Thing, u: Floats, v: Floats) -> Floats:
    dark, light = np.array(thing.colours, np.float32)
    return dark + (light - dark) * _tone(thing, u, v)[..., None]


def _gouache(thing: Thing, u: Floats, v: Floats) -> Floats:
    """Three even tones, the channels exchanged; strokes from the top left down."""
    tone = _tone(thing, u, v)
    even = (_step(tone, 0.35) + _step(tone, 0.6)) / 2
    dark, light = np.array(thing.colours, np.float32)[:, [2, 0, 1]]
    colour = dark + (light - dark) * even[..., None]
    return colour * (1 - 0.6 * _strokes(0.8 * u + 0.6 * v))[..., None]


def _chalk(thing: Thing, u: Floats, v: Floats) -> Floats:
    """The negative in two tones; bright strokes from the bottom left up."""
    even = _step(_tone(thing, u, v), 0.5)
    dark, light = 1 - np.array(thing.colours, np.float32)
    colour = dark + (light - dark) * even[..., None]
    return colour + (1 - colour) * (0.6 * _strokes(0.6 * u - 0.8 * v))[..., None]


def _step(tone: Floats, at: float) -> Floats:
    return np.clip((tone - at) / 0.06 + 0.5, 0, 1)


def _strokes(way: Floats) -> Floats:
    """Parallel strokes, a third of the space between them, with soft edges."""
    return np.clip(HATCH / 6 - np.abs(np.mod(way, HATCH) - HATCH / 2) + 0.5, 0, 1)


def channels(scene: Scene, frame: int, surface: bool) -> dict[str, Floats]:
    """Channel → (H, W) of a frame's passes, as Blender writes them."""
    found: dict[str, Floats] = {}
    shares, alpha = scene.shares(frame), scene.alpha(frame)
    x, y = scene.places
    front = np.argmax(np.stack([np.full_like(alpha, 1e-6), *shares]), axis=0)
    motion, place = np.zeros((*alpha.shape, 4), np.float32), np.zeros((*alpha.shape, 3), np.float32)
    number, depth = np.zeros_like(alpha), np.full_like(alpha, 1e10)
    for index, (thing, share) in enumerate(zip(scene.things, shares, strict=True), 1):
        u, v = thing.own(frame, x, y)
        (before_x, before_y), (after_x, after_y) = (
            thing.place(there, u, v) for there in (frame - 1, frame + 1)
        )
        offsets = np.stack([before_x - x, y - before_y, x - after_x, after_y - y], axis=-1)
        motion[front == index] = offsets[front == index]
        depth[front == index] = thing.depth
        place += share[..., None] * np.stack([u / UNIT, v / UNIT, 0 * u + 1], axis=-1)
        number += share * np.float32(thing.number)

    def add(name: str, components: str, *planes: Floats) -> None:
        for component, plane in zip(components, planes, strict=True):
            found[f"{synthetic.LAYER}.{name}.{component}"] = plane.astype(np.float32)

    add("Vector", "XYZW", *np.moveaxis(motion, -1, 0))
    add("Depth", "Z", depth)
    add("Normal", "XYZ", 0 * alpha, -alpha, 0 * alpha)
    if surface:
        add("paintover_surface", "RGBA", *np.moveaxis(place, -1, 0), alpha)
        add("paintover_object", "X", number)
    return found


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


def difference(one: Floats, other: Floats, where: Floats, blur: float = 0.0) -> float:
    """Mean |difference| of the colours of two pictures, in codes of 255, over a part (H, W)."""
    apart = (one[..., :3] - other[..., :3]).astype(np.float32)
    if blur:
        apart = cv2.GaussianBlur(apart * where[..., None], (0, 0), blur)
    return 255 * float(np.abs(apart[where]).mean())


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


def assert_painted(
    project: Project,
    style: str = "style",
    suffix: str = ".png",
    share: float = 0.25,
    blur: float = 0.0,
    parts: Mapping[int, Floats] | None = None,
) -> dict[int, float]:
    """Check that painted frames are much more like the right painting than the render is.

    Args:
        project: its painted frames are looked at, as far as there are any.
        style: whose.
        suffix: of the files.
        share: of what the render is off, a frame may be off by less than this.
        blur: Gaussian radius; how strokes run does not count then, only what colours there are.
        parts: frame → (H, W), the part of it to look at; else what is seen.

    Returns:
        Frame → how far it is off, in codes of 255.
    """
    scene, off = project.scene, {}
    for frame in project.frames:
        if (project.shot / "out" / style / f"{frame:04d}{suffix}").is_file():
            truth, result = scene.painting(frame), project.result(frame, style, suffix)
            seen = (parts or {}).get(frame, scene.alpha(frame) > 0.5)
            if seen.any():
                off[frame] = difference(result, truth, seen, blur)
                untouched = difference(scene.render(frame), truth, seen, blur)
                assert off[frame] < share * untouched, (frame, off, untouched)
    assert off
    return off


def assert_keyframes_closest(project: Project, off: Mapping[int, float]) -> None:
    """Check by what ``assert_painted`` returns that keyframes are closest to their paintings."""
    others = [off[frame] for frame in off if frame not in project.keys]
    assert max(off[key] for key in project.keys) < 0.9 * min(others), off


def assert_nothing_outside(project: Project, style: str = "style", suffix: str = ".png") -> None:
    """Check that painted frames have the alpha of the rendered, and are black where that is 0."""
    for frame in project.frames:
        result, alpha = project.result(frame, style, suffix), project.scene.alpha(frame)
        assert np.abs(result[..., 3] - alpha).max() < 0.003
        assert (result[alpha == 0] == 0).all()
