# SPDX-License-Identifier: GPL-3.0-or-later
"""The methods that are compared; each writes its frames of a shot to ``out/NAME``.

The name of a method is ``moved``, ``projection``, or a network with its guides: ``fast`` (all that
the shot has), ``fast/colour+normal`` (only these), ``fast/-projection`` (all except this one).
Training settings (``TrainingSettings``) may follow: ``fast,steady=0,muon=false``, and the seed of
all random numbers, 0 unless given: ``fast,seed=1``.
"""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from engine.frames.frame import Frame, read_frame
from engine.frames.keyframe import read_keyframe
from engine.guides import registry as guides
from engine.images.picture_folders import numbered_pictures
from engine.images.pictures import read_picture, write_picture
from engine.images.types import FloatArray
from engine.jobs.stylize import stylize
from engine.jobs.train import train
from engine.motion.optical_flow import warp
from engine.projection.keyframe_projection import Projection
from engine.shared import protocol
from engine.shared.errors import PaintoverError
from engine.shared.frame_lists import format_frames
from engine.shared.reporter import Silent
from engine.shared.shot import Shot

MOVED, PROJECTION = "moved", "projection"
LABELS = {
    MOVED: "keyframe moved by exact motion",
    PROJECTION: "projection alone, the render where nothing is seen",
}


@dataclasses.dataclass(frozen=True)
class Made:
    """The cost of a method.

    Attributes:
        training: seconds of training; None without training.
        a_frame: seconds per frame; None if unknown.
        note: a remark for the table.
        frames: the frames that it made; empty for all.
    """

    training: float | None
    a_frame: float | None
    note: str = ""
    frames: tuple[int, ...] = ()


def style_name(method: str) -> str:
    """Return the name of a method's style, which is also its folder in ``out``."""
    words = {"/-": " without ", "/": " with ", "+": " ", ",": " ", "=": " "}
    for sign, word in words.items():
        method = method.replace(sign, word)
    return method


def run(method: str, shot: Shot, keys: list[int], seconds: float, device: str) -> Made:
    """Make every frame of a shot by a method.

    Args:
        method: its name, see the docstring of the module.
        shot: a shot with painted keyframes; its ``out`` gets the frames.
        keys: the painted frames.
        seconds: seconds of training, for methods with training.
        device: value of the engine's option ``--device``.

    Raises:
        PaintoverError: there is no such method, or it failed.
    """
    if method == MOVED:
        return _run_moved(shot, keys)
    if method == PROJECTION:
        return _run_projection(shot, keys)
    return _run_network(method, shot, seconds, device)


def take_finished(folder: Path, shot: Shot, name: str) -> Made:
    """Copy the frames of another program into ``out/NAME``.

    Args:
        folder: its pictures, with the frame numbers in their names.
        shot: the shot.
        name: the name in ``out``.

    Raises:
        PaintoverError: there are no such pictures, or one is damaged.
    """
    pictures = numbered_pictures(folder, Silent()).files
    frames = tuple(frame for frame in shot.frames if frame in pictures)
    for frame in frames:
        write_picture(shot.out_path(name, frame), read_picture(pictures[frame]).pixels)
    return Made(None, None, f"frames {format_frames(frames)}", frames)


def _run_network(method: str, shot: Shot, seconds: float, device: str) -> Made:
    named, *settings = method.split(",")
    network, _, wanted = named.partition("/")
    names = wanted.split("+") if wanted else []
    if wanted.startswith("-"):
        left_out = wanted[1:].split("+")
        names = [name for name in guides.available(shot) if name not in left_out]
    name = style_name(method)
    values = dict(map(_setting, settings))
    seed = values.pop("seed", 0)
    if type(seed) is not int:
        raise PaintoverError(f"{method}: the seed is a whole number, such as seed=1.")
    learnt = train(
        protocol.Train(
            job=0,
            shot=str(shot.folder),
            style=name,
            seconds=seconds,
            network=network,
            guides=names,
            device=device,
            settings=values,
            seed=seed,
        ),
        Silent(),
    )
    painted = stylize(
        protocol.Stylize(job=0, shot=str(shot.folder), style=name, device=device, force=True),
        Silent(),
    )
    return Made(
        learnt["seconds"],
        painted["seconds"] / painted["frames"],
        f"{learnt['steps']} steps, {learnt['device']}",
    )


def _setting(words: str) -> tuple[str, Any]:
    name, _, value = words.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        raise PaintoverError(
            f'"{value}" is no value; write {name}=NUMBER, true or false.'
        ) from None


def _run_projection(shot: Shot, keys: list[int]) -> Made:
    began = time.monotonic()
    needs = guides.needs([Projection.name])
    pairs = [(read_keyframe(shot, key), read_frame(shot, key, needs)) for key in keys]
    projection = Projection(shot, pairs)
    covered = seen = 0.0
    for number in shot.frames:
        frame = read_frame(shot, number, needs)
        channels = projection.compute(frame)
        valid = channels[-1] > 0
        paint = np.moveaxis(channels[:3], 0, -1) / 2 + 0.5
        _write(shot, PROJECTION, frame, np.where(valid[..., None], paint, frame.image))
        if number not in keys:
            subject = frame.alpha > 0.5
            seen += float(subject.sum())
            covered += float((valid & subject).sum())
    spent = (time.monotonic() - began) / len(shot.frames)
    return Made(None, spent, f"covers {covered / max(seen, 1):.0%}")


def _run_moved(shot: Shot, keys: list[int]) -> Made:
    began = time.monotonic()
    paintings = {key: read_keyframe(shot, key) for key in keys}
    chains = {key: _Chain(shot, key) for key in keys}
    for number in shot.frames:
        key = min(keys, key=lambda key: abs(key - number))
        place = chains[key].follow(number)
        picture = warp(paintings[key].paint, place)[0]
        _write(shot, MOVED, read_frame(shot, number, ()), picture)
    return Made(None, (time.monotonic() - began) / len(shot.frames))


class _Chain:
    """Chains the motion from frame to frame, back to one keyframe.

    Where a point is occluded or leaves the picture on the way, the chain continues from the pixel
    at that place.
    """

    def __init__(self, shot: Shot, key: int) -> None:
        self._shot, self._key = shot, key
        self._offsets = {key: np.zeros((shot.manifest.height, shot.manifest.width, 2), np.float32)}

    def follow(self, number: int) -> FloatArray:
        """Return offsets (H, W, 2), x and y in pixels, from a frame to the keyframe."""
        way = 1 if number > self._key else -1
        for frame in range(self._key + way, number + way, way):
            if frame not in self._offsets:
                step = self._step(frame, first=0 if way > 0 else 2)
                self._offsets[frame] = self._inside(
                    step + warp(self._offsets[frame - way], step)[0]
                )
        return self._offsets[number]

    def _step(self, frame: int, first: int) -> FloatArray:
        motion = read_frame(self._shot, frame, {"motion"}).motion
        assert motion is not None
        return self._inside(np.nan_to_num(motion[..., first : first + 2]))

    def _inside(self, offsets: FloatArray) -> FloatArray:
        height, width = offsets.shape[:2]
        rows, columns = np.mgrid[:height, :width].astype(np.float32)
        x = np.clip(columns + offsets[..., 0], 0, width - 1) - columns
        y = np.clip(rows + offsets[..., 1], 0, height - 1) - rows
        return np.stack([x, y], axis=-1)


def _write(shot: Shot, name: str, frame: Frame, colour: FloatArray) -> None:
    pixels = np.dstack([np.clip(colour, 0, 1), frame.alpha]).astype(np.float32)
    write_picture(shot.out_path(name, frame.number), pixels)
