# SPDX-License-Identifier: GPL-3.0-or-later
"""Paints a frame like an artist: underpainting, strokes along the form, hatching, ink lines.

The start and the brush of a stroke depend on the point of the surface that it paints, so the same
painter paints other frames of the shot with the same strokes.

    python -m demo.paint SHOT --like 10 --frames 10,20 --out FOLDER
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from engine.frames.frame import Frame, read_frame
from engine.shared.frame_lists import parse_frames
from engine.shared.shot import Shot

from . import ink
from .brushes import FINE, Canvas, Strokes, soft_noise
from .view import LIGHT, View, sample

GROUND = (0.78, 0.52, 0.40)
INK = np.array([0.17, 0.09, 0.20])
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)
_NEEDED = ("depth", "albedo", "object", "surface")


class Painter:
    """Paints frames of a shot, with brush sizes chosen on a reference frame.

    Args:
        reference: the frame on which the brush sizes are chosen.
        seed: of all random numbers; another seed gives other strokes.
    """

    def __init__(self, reference: Frame, seed: int = 7) -> None:
        self.seed = seed
        view = View(reference)
        self._habits = {area: _Habit(view, area) for area in view.order}

    def paint(self, frame: Frame) -> npt.NDArray[Any]:
        """Return the painting of a frame, (H, W, 4) uint8, display-referred, straight alpha."""
        view = View(frame)
        height, width = view.shape
        canvas = Canvas(height, width, GROUND)
        self._edge_noise = soft_noise(canvas.relief.shape, 3.5 * FINE, self.seed + 2)
        for area in view.order:
            self._paint_area(canvas, view, area)
        self._draw_ink(canvas, view)
        grain = soft_noise(canvas.relief.shape, 1.6, self.seed)
        grain = grain + 0.6 * soft_noise(canvas.relief.shape, 5, self.seed + 1)
        painting = canvas.finished(grain)
        rgba = np.dstack([painting, frame.alpha])
        return np.round(np.clip(rgba, 0, 1) * 255).astype(np.uint8)

    def _paint_area(self, canvas: Canvas, view: View, area: int) -> None:
        inside = view.inside(area)
        habit = self._habits.get(area) or _Habit(view, area)
        scale = habit.scale
        seeds = _Seeds(view, inside, habit, self.seed)
        mask = _ragged(inside, self._edge_noise)
        base = seeds.spread(7.5 * scale, 1)
        strokes = self._strokes(view, seeds, base, 30 * scale, 11 * scale, turn=0.25, blur=2)
        canvas.lay(strokes, mask)
        form = seeds.spread(4.2 * scale, 2)
        turn = 0.5 if scale > 1.25 else 1.25
        strokes = self._strokes(view, seeds, form, 15 * scale, 5.0 * scale, turn=turn, blur=1)
        canvas.lay(strokes, mask)
        if not view.glows(inside):
            self._hatch(canvas, view, seeds, scale, mask)
            self._light_up(canvas, view, seeds, scale, mask)

    def _strokes(
        self,
        view: View,
        seeds: _Seeds,
        chosen: _Chosen,
        length: float,
        width: float,
        turn: float,
        blur: int,
    ) -> Strokes:
        """Return opaque strokes in the colours of their places, with small random variations."""
        a, b, c, d, e, f = chosen.dice.T
        angle, bend = seeds.direction(chosen, turn + (a - 0.5) * 0.7)
        colour = sample(view.tones[blur], chosen.pixel)
        grey = colour @ _LUMA
        colour = grey[:, None] + (colour - grey[:, None]) * (1 + 0.26 * (b - 0.3))[:, None]
        warm = (c - 0.5)[:, None] * np.array([0.060, 0.012, -0.060])
        colour = colour * (1 + 0.13 * (d - 0.5))[:, None] + warm
        return Strokes(
            chosen.at,
            angle,
            bend,
            length * (0.65 + 0.7 * e),
            width * (0.7 + 0.6 * f),
            np.clip(colour, 0, 1),
            np.full(len(a), 0.93),
            np.floor(a * 997),
        )

    def _hatch(
        self, canvas: Canvas, view: View, seeds: _Seeds, scale: float, mask: npt.NDArray[Any]
    ) -> None:
        """Draw thin violet hatching in the dark, and cross-hatching in the darkest places."""
        size = min(max(scale, 0.7), 1.1)
        for layer, (limit, turn, spacing) in enumerate([(0.48, 0.8, 3.6), (0.26, -0.7, 4.2)]):
            chosen = seeds.spread(spacing * size, 10 + layer, view.shade < limit)
            a, b, c, *_ = chosen.dice.T
            angle, bend = seeds.direction(chosen, turn + (a - 0.5) * 0.22)
            local = sample(view.tones[1], chosen.pixel)
            depth = np.clip((limit + 0.1 - sample(view.shade, chosen.pixel)) / 0.3, 0.3, 1)
            colour = local * 0.45 + INK * 0.55 + np.array([0.04, 0.01, 0.10])
            strokes = Strokes(
                chosen.at,
                angle,
                bend,
                (9 + 7 * b) * size,
                0.9 + 0.7 * c,
                colour,
                0.62 * depth,
                np.floor(a * 997),
                relief=0.3,
            )
            canvas.lay(strokes, mask)

    def _light_up(
        self, canvas: Canvas, view: View, seeds: _Seeds, scale: float, mask: npt.NDArray[Any]
    ) -> None:
        """Paint thick warm highlights in the brightest places."""
        size = min(max(scale, 0.45), 1.1)
        chosen = seeds.spread(5.5 * size, 20, view.shade > 0.93)
        a, b, c, *_ = chosen.dice.T
        angle, bend = seeds.direction(chosen, 0.15 + (a - 0.5) * 0.4)
        local = sample(view.tones[0], chosen.pixel)
        strokes = Strokes(
            chosen.at,
            angle,
            bend,
            (7 + 6 * b) * size,
            (1.8 + 1.4 * c) * size,
            np.clip(local * 0.52 + LIGHT * 0.50, 0, 1),
            0.80 * (b > 0.25),
            np.floor(c * 997),
        )
        canvas.lay(strokes, mask)

    def _draw_ink(self, canvas: Canvas, view: View) -> None:
        nearest = np.percentile(view.depth, 5)
        for thing in view.objects:
            inside = view.things == thing
            thick = cv2.distanceTransform(inside.astype(np.uint8), cv2.DIST_L2, 3)
            thick = cv2.dilate(thick, np.ones((9, 9)))
            distance = float(np.median(view.depth[inside]))
            near = float(np.clip(1.25 - 0.11 * (distance - nearest), 0.30, 1))
            cover = np.zeros(canvas.relief.shape, np.uint8)
            for line in ink.outlines(inside, view.depth):
                place = sample(view.surface, line) / view.footprint(inside)
                wave = np.sin(place @ [0.11, 0.15, 0.13]) + np.sin(place @ [0.31, -0.27, 0.23])
                shade = sample(view.shade_around, line)
                small = np.clip((sample(thick, line) - 0.6) / 3.4, 0.0, 1)
                weight = 0.55 + 1.45 * np.clip(1.05 - shade, 0, 1) + 0.32 * wave
                ink.draw_line(cover, line, weight * near * small * 1.25, 0.30 * wave * small)
            local = np.median(view.tones[1][inside], axis=0)
            colour = INK * near + (1 - near) * (0.45 * local + 0.55 * INK)
            canvas.glaze(colour.astype(np.float32), cover)


class _Habit:
    """How an area is painted in every frame: brush size and direction of the strokes."""

    def __init__(self, view: View, area: int) -> None:
        inside = view.inside(area)
        self.cell = view.footprint(inside)
        self.scale = float(np.clip(np.sqrt(inside.sum()) / 75, 0.30, 1.6))
        self.axis = view.long_axis(view.things == area // 4)


class _Chosen:
    """Places of strokes, with random numbers that depend only on the place on the surface."""

    def __init__(
        self, at: npt.NDArray[Any], pixel: npt.NDArray[Any], dice: npt.NDArray[Any]
    ) -> None:
        self.at = at
        self.pixel = pixel
        self.dice = dice


class _Seeds:
    """Places of strokes on the surface of one object."""

    def __init__(self, view: View, inside: npt.NDArray[Any], habit: _Habit, seed: int) -> None:
        self._view = view
        self._inside = inside
        self._cell = habit.cell
        self._seed = seed
        along = view.run[..., habit.axis, :]
        angle = np.arctan2(along[..., 1], along[..., 0])
        self._double = np.stack([np.cos(2 * angle), np.sin(2 * angle)], axis=-1)
        if view.glows(inside):
            x, z = view.surface[..., 0], view.surface[..., 2]
            wave = 0.45 * np.sin(0.9 * x + 0.6 * z) + 0.35 * np.sin(1.7 * z - 0.5 * x)
            self._double = np.stack([np.cos(2 * wave), np.sin(2 * wave)], axis=-1)

    def spread(self, spacing: float, layer: int, where: npt.NDArray[Any] | None = None) -> _Chosen:
        """Choose a place in each visible cell of the surface.

        Args:
            spacing: size of a cell in pixels of the reference frame.
            layer: number of the layer; each layer has its own places.
            where: (H, W) bool, the pixels to choose from; None for all.
        """
        view = self._view
        y, x = np.nonzero(self._inside if where is None else self._inside & where)
        size = spacing * self._cell
        surface = view.surface[y, x].astype(np.float64) / size
        cell = np.floor(surface).astype(np.int64)
        name = _hash(cell, self._seed + 31 * layer)
        dice = _dice(name, 9)
        aim = cell + dice[:, 6:]
        away = np.linalg.norm(surface - aim, axis=1)
        order = np.lexsort((away, name))
        _, first = np.unique(name[order], return_index=True)
        chosen = order[first]
        chosen = chosen[away[chosen] < 0.62]
        run = view.run[y[chosen], x[chosen]].astype(np.float64)
        miss = (aim[chosen] - surface[chosen]) * size
        step = np.einsum("nxc,nc->nx", np.linalg.pinv(run, rcond=0.05), miss)
        at = np.stack([x[chosen], y[chosen]], axis=1) + 0.5 + np.clip(step, -0.5, 0.5)
        last = np.argsort(dice[chosen, 5], kind="stable")
        pixel = np.stack([x, y], axis=1)[chosen]
        return _Chosen(at[last], pixel[last], dice[chosen][last, :6])

    def direction(
        self, chosen: _Chosen, turn: npt.NDArray[Any]
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
        """Return angle and curvature (N,) of strokes along the form, rotated by ``turn`` (N,)."""
        middle = sample(self._double, chosen.pixel)
        angle = np.arctan2(middle[:, 1], middle[:, 0]) / 2
        ahead = np.stack([np.cos(angle + turn), np.sin(angle + turn)], axis=1) * 4
        change = np.zeros(len(angle))
        for side in (1, -1):
            other = sample(self._double, chosen.at + side * ahead)
            then = np.arctan2(other[:, 1], other[:, 0]) / 2
            change += side * ((then - angle + np.pi / 2) % np.pi - np.pi / 2)
        return angle + turn, np.clip(change / 8, -0.05, 0.05)


def _ragged(inside: npt.NDArray[Any], noise: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the mask of an area with a ragged edge, as left by a brush."""
    rows, columns = inside.shape
    left, top, width, height = cv2.boundingRect(inside.astype(np.uint8))
    x, y = max(0, left - 3), max(0, top - 3)
    part = inside[y : top + height + 3, x : left + width + 3].astype(np.float32)
    big = cv2.resize(part, None, fx=FINE, fy=FINE)
    soft = cv2.GaussianBlur(big, (0, 0), 0.9 * FINE)
    place = np.s_[y * FINE : y * FINE + big.shape[0], x * FINE : x * FINE + big.shape[1]]
    edge = 0.42 + 0.22 * noise[place]
    mask = np.zeros((rows * FINE, columns * FINE), np.float32)
    mask[place] = np.clip((soft - edge) / 0.12 + 0.5, 0, 1)
    return mask


def _hash(cells: npt.NDArray[Any], seed: int) -> npt.NDArray[Any]:
    """Return a hash for each row of (N, 3) integers."""
    with np.errstate(over="ignore"):
        mixed = np.full(len(cells), np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15))
        for column in cells.astype(np.uint64).T:
            mixed = (mixed ^ column) * np.uint64(0xBF58476D1CE4E5B9)
            mixed ^= mixed >> np.uint64(29)
    return mixed


def _dice(names: npt.NDArray[Any], throws: int) -> npt.NDArray[Any]:
    """Return random numbers (N, throws), 0..1, that depend only on ``names`` (N,)."""
    rows = []
    with np.errstate(over="ignore"):
        for throw in range(throws):
            x = (names + np.uint64(throw + 1)) * np.uint64(0x94D049BB133111EB)
            x ^= x >> np.uint64(31)
            x *= np.uint64(0xBF58476D1CE4E5B9)
            x ^= x >> np.uint64(27)
            rows.append((x >> np.uint64(11)).astype(np.float64) / float(1 << 53))
    return np.stack(rows, axis=1)


def main() -> None:
    """Paint frames of a shot into a folder, under the file names of the frames."""
    parser = argparse.ArgumentParser(prog="python -m demo.paint", description=main.__doc__)
    parser.add_argument("shot", type=Path, help="the shot folder")
    parser.add_argument("--like", type=int, required=True, help="the frame that sets brush sizes")
    parser.add_argument("--frames", type=parse_frames, required=True, help="such as 10,20")
    parser.add_argument("--out", type=Path, required=True, help="the folder to paint into")
    options = parser.parse_args()
    cv2.setNumThreads(2)
    shot = Shot.open(options.shot)
    painter = Painter(read_frame(shot, options.like, _NEEDED))
    options.out.mkdir(parents=True, exist_ok=True)
    for frame in options.frames:
        painting = painter.paint(read_frame(shot, frame, _NEEDED))
        path = options.out / shot.image_path(frame).name
        if not cv2.imwrite(str(path), cv2.cvtColor(painting, cv2.COLOR_RGBA2BGRA)):
            raise SystemExit(f"Cannot write {path}.")


if __name__ == "__main__":
    main()
