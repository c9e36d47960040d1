# SPDX-License-Identifier: GPL-3.0-or-later
"""Moving pictures in any size, of which the right painting of every frame is known.

A textured disc moves and turns before a textured box at rest; behind them is nothing, or a texture
that moves slowly. The painting has other colours, in three even tones, and hatching that sticks to
the things.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable

import cv2
import numpy as np
import synthetic

TILE = 512
"""The texture repeats after so many pixels."""
HATCH = 12.0
"""Pixels from stroke to stroke of the painting."""
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
