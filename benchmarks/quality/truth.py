# SPDX-License-Identifier: GPL-3.0-or-later
"""The ground truth: the true painting of every frame of a shot, cached, and the shot to train on.

The cache is keyed by a digest of the capture and of the source of the style.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
from scipy.ndimage import distance_transform_edt

from engine.evaluation.flicker import STABLE
from engine.frames.frame import Frame, read_frame
from engine.images.pictures import read_picture, write_picture
from engine.images.types import FloatArray
from engine.motion.optical_flow import to_previous, warp
from engine.shared.frame_lists import frame_name
from engine.shared.shot import Shot

from .captures import HERE, Tell, captured, digest_of, made_whole
from .pairs import Extent, Pair
from .shots import SHOTS
from .styles import STYLES
from .styles.look import Look, Painted

OPAQUE = 0.999


@dataclasses.dataclass(frozen=True)
class Truth:
    """A pair of shot and style with its true paintings.

    Attributes:
        shot: the shot of a user with painted keyframes, in a working copy.
        folder: the true painting of every frame, ``0001.png`` ….
        keys: the painted frames.
        unsteady: share, 0..1, of the pixels visible in two successive frames whose true painting
            changes by ``engine.evaluation.flicker.STABLE`` or more, because the light moves. The
            flicker score leaves them out.
    """

    shot: Shot
    folder: Path
    keys: list[int]
    unsteady: float


def make_truth(pair: Pair, extent: Extent, cache: Path, tell: Tell) -> Truth:
    """Capture a pair's shot and paint every frame, unless they are in the cache.

    Args:
        pair: the shot and the style.
        extent: size and number of frames.
        cache: folder of the cache; made if it does not exist.
        tell: called with progress messages.

    Raises:
        PaintoverError: Blender failed, or a folder cannot be written.
    """
    style = STYLES[pair.style]
    user = captured(pair.shot, extent, 1, cache, tell)
    seen = user if style.fine == 1 else captured(pair.shot, extent, style.fine, cache, tell)
    parts = ("look", "noise", pair.style)
    sources = [HERE / "truth.py", *(HERE / "styles" / f"{part}.py" for part in parts)]
    made_from = [user.parent.name, seen.parent.name, SHOTS[pair.shot].strokes, style.fine]
    name = f"{pair.shot}-{pair.style}-{extent.width}x{extent.height}x{extent.frames}"
    folder = cache / "truths" / f"{name}-{digest_of(sources, made_from)}"
    if not folder.is_dir():
        tell(f"painting {pair.name}, every frame")
        with made_whole(folder, name) as part:
            _paint_all(pair, Shot.open(user), Shot.open(seen), part)
    keys = pair.key_frames(extent.frames)
    shot = _working_copy(user, folder, keys, cache / "work" / pair.name.replace(":", "-"))
    unsteady = unsteady_share(shot, folder)
    if not pair.passes:
        _drop_passes(shot)
    return Truth(shot, folder, keys, unsteady)


def paint_frame(pair: Pair, user: Frame, seen: Frame) -> FloatArray:
    """Paint one frame.

    Args:
        pair: the shot and the style.
        user: the frame of the user, (H, W).
        seen: the same frame for the style, a whole number of times that size.

    Returns:
        (H, W, 4) float32, 0..1, display-referred, straight alpha.
    """
    fine = seen.image.shape[0] // user.image.shape[0]
    look = Look(seen, fine, SHOTS[pair.shot].strokes)
    return _reduced(STYLES[pair.style].paint(look), look, user.alpha)


def unsteady_share(shot: Shot, truth: Path) -> float:
    """Return ``Truth.unsteady`` of a folder of true paintings."""
    changed = seen_at_all = 0
    before = _read(truth, shot.frames[0])
    for number in shot.frames[1:]:
        now = _read(truth, number)
        offsets, seen = to_previous(shot, number)
        moved, inside = warp(before, offsets)
        counted = seen & inside & (read_frame(shot, number, ()).alpha > 0.5)
        changed += int((np.abs(moved - now).max(axis=2)[counted] >= STABLE).sum())
        seen_at_all += int(counted.sum())
        before = now
    return changed / max(seen_at_all, 1)


def _paint_all(pair: Pair, user: Shot, seen: Shot, folder: Path) -> None:
    for number in user.frames:
        mine = read_frame(user, number)
        painting = paint_frame(
            pair, mine, mine if seen.folder == user.folder else read_frame(seen, number)
        )
        opaque = painting[..., 3].min() > OPAQUE
        write_picture(folder / f"{frame_name(number)}.png", painting[..., : 3 if opaque else 4])


def _reduced(painted: Painted, look: Look, alpha: FloatArray) -> FloatArray:
    """Resize a painting to the frame; it takes the alpha of the frame unless it has its own."""
    height, width = alpha.shape
    cover = look.alpha if painted.alpha is None else painted.alpha
    layers = np.dstack([painted.colour * cover[..., None], cover])
    layers = cv2.resize(layers, (width, height), interpolation=cv2.INTER_AREA)
    visible = layers[..., 3] > 1 / 255
    colour = layers[..., :3] / np.maximum(layers[..., 3:], 1 / 255)
    if visible.any() and not visible.all():
        near = distance_transform_edt(~visible, return_distances=False, return_indices=True)
        colour = colour[tuple(near)]
    new_alpha = alpha if painted.alpha is None else np.maximum(layers[..., 3], alpha)
    return np.dstack([np.clip(colour, 0, 1), new_alpha]).astype(np.float32)


def _read(folder: Path, number: int) -> FloatArray:
    return read_picture(folder / f"{frame_name(number)}.png").rgb


def _working_copy(shot: Path, truth: Path, keys: list[int], folder: Path) -> Shot:
    """Make a shot folder with hard links to the captured frames, and with painted keyframes."""
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "frames").mkdir(parents=True)
    (folder / "keys").mkdir()
    shutil.copy(shot / "shot.json", folder)
    for source in (shot / "frames").iterdir():
        os.link(source, folder / "frames" / source.name)
    for key in keys:
        shutil.copy(truth / f"{frame_name(key)}.png", folder / "keys")
    return Shot.open(folder)


def _drop_passes(shot: Shot) -> None:
    """Leave only the pictures of a working copy."""
    for number, record in shot.manifest.frames.items():
        shot.passes_path(number).unlink(missing_ok=True)
        record.passes = ""
    shot.manifest.passes = {
        name: kind for name, kind in shot.manifest.passes.items() if name in ("image", "alpha")
    }
    shot.save()
