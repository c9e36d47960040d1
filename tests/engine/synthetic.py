# SPDX-License-Identifier: GPL-3.0-or-later
"""A small shot with every pass, written as real files, of which every value is known.

Rectangle A (near) moves by (3, 1) pixels a frame over rectangle B (far, at rest), before a
background at infinity. The columns left of A and right of B are half covered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import cv2
import numpy as np
import OpenImageIO as oiio  # noqa: N813

from engine.images.exr_layers import opened_layers
from engine.images.pictures import write_picture
from engine.shared import passes
from engine.shared.files import digest_file
from engine.shared.manifest import Camera, FrameRecord, Manifest
from engine.shared.shot import Shot

WIDTH, HEIGHT = 96, 64
STEP_X, STEP_Y = 3, 1
A, B = 0.31415927, 0.6789
"""The random numbers of the two objects."""
LAYER = "View Layer.001"


def bounds(frame: int) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of A's whole pixels; the last two excluded."""
    left, top = 42 + STEP_X * frame, 8 + STEP_Y * frame
    return left, top, left + 30, top + 30


B_BOUNDS = (35, 25, 80, 60)


def shares(frame: int) -> tuple[np.ndarray, np.ndarray]:
    """How much of each pixel shows A, and B, (H, W)."""
    a, b = np.zeros((HEIGHT, WIDTH), np.float32), np.zeros((HEIGHT, WIDTH), np.float32)
    left, top, right, bottom = bounds(frame)
    a[top:bottom, left:right] = 1
    a[top:bottom, left - 1] = 0.5
    left, top, right, bottom = B_BOUNDS
    b[top:bottom, left:right] = 1
    b[top:bottom, right] = 0.5
    return a, b * (1 - a)


def surface_of(frame: int) -> tuple[np.ndarray, np.ndarray]:
    """Surface coordinates of A and of B at every pixel, (H, W, 3)."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    left, top, _, _ = bounds(frame)
    on_a = np.stack([(x - left) / 20, (y - top) / 20, 0 * x + 0.5], -1)
    on_b = np.stack([(x - 35) / 10, (y - 25) / 10, 0 * x - 1], -1)
    return on_a, on_b


def picture(frame: int) -> np.ndarray:
    """The frame as the artist sees it, (H, W, 4), straight alpha."""
    a, b = shares(frame)
    alpha = a + b
    colours = (surface_of(frame)[0] * [0.3, 0.3, 1], surface_of(frame)[1] * [0.1, 0.1, -0.3])
    mixed = sum(c * s[..., None] for c, s in zip(colours, (a, b), strict=True))
    straight = np.clip(mixed / np.maximum(alpha, 1e-6)[..., None], 0, 1)
    return np.concatenate([straight, alpha[..., None]], -1).astype(np.float32)


def layers(frame: int, old_names: bool = False) -> dict[str, np.ndarray]:
    """Channel → (H, W) as Blender writes them; ``old_names`` are those of 4.5."""
    a, b = shares(frame)
    alpha = a + b
    on_a, on_b = surface_of(frame)
    found: dict[str, np.ndarray] = {}

    def add(name: str, components: str, values: np.ndarray) -> None:
        values = values if values.ndim == 3 else values[..., None]
        for index, component in enumerate(components):
            found[f"{LAYER}.{name}.{component}"] = values[..., index].astype(np.float32)

    add(
        "Combined",
        "RGBA",
        np.concatenate([picture(frame)[..., :3] * alpha[..., None], alpha[..., None]], -1),
    )
    add("Vector", "XYZW", a[..., None] * [-STEP_X, STEP_Y, -STEP_X, STEP_Y])
    add("Depth", "Z", np.where(a > 0, 4, np.where(b > 0, 6, 1e10)))
    add("Normal", "XYZ", alpha[..., None] * [0, -1, 0])
    add("Position", "XYZ", on_a * a[..., None] + on_b * b[..., None])
    add("DiffCol" if old_names else "Diffuse Color", "RGB", a[..., None] * [0.5, 0.25, 0])
    add("IndexOB" if old_names else "Object Index", "X", np.where(a > 0, 1, np.where(b > 0, 2, 0)))
    surface = on_a * a[..., None] + on_b * b[..., None]
    add(passes.SURFACE_AOV, "RGBA", np.concatenate([surface, alpha[..., None]], -1))
    add(passes.OBJECT_AOV, "X", A * a + B * b)
    return found


def write_layers(
    path: Path,
    channels: Mapping[str, np.ndarray],
    many_parts: bool = False,
    compression: str = "zip",
) -> None:
    """Write a multilayer EXR of one part, or of a part for each pass."""
    groups: dict[str, list[str]] = {}
    for name in sorted(channels):
        groups.setdefault(name.rpartition(".")[0] if many_parts else "", []).append(name)
    specs = []
    for part, names in groups.items():
        height, width = channels[names[0]].shape
        spec = oiio.ImageSpec(width, height, len(names), "float")
        spec.channelnames = names
        spec["compression"] = compression
        if part:
            spec["oiio:subimagename"] = part
        specs.append(spec)
    path.parent.mkdir(parents=True, exist_ok=True)
    file = oiio.ImageOutput.create(str(path))
    assert file.open(str(path), specs) if many_parts else file.open(str(path), specs[0])
    for number, (spec, names) in enumerate(zip(specs, groups.values(), strict=True)):
        assert number == 0 or file.open(str(path), spec, "AppendSubimage")
        assert file.write_image(np.stack([channels[name] for name in names], -1))
    assert file.close()


def read_layers(path: Path, wanted: Collection[str] | None = None) -> dict[str, np.ndarray]:
    """Read channels of a multilayer EXR, each (H, W), by name; None reads all."""
    with opened_layers(path) as file:
        names = file.names if wanted is None else wanted
        return {k: v[..., 0] for k, v in file.read({name: [name] for name in names}).items()}


def rotated_camera(degrees: float, field: float = 1.0) -> Camera:
    """A perspective camera at the origin that looks along −z, turned to the left by degrees."""
    turn = np.radians(degrees)
    view = np.eye(4)
    view[0, 0] = view[2, 2] = np.cos(turn)
    view[0, 2], view[2, 0] = -np.sin(turn), np.sin(turn)
    near, far = 0.1, 100.0
    projection = np.zeros((4, 4))
    projection[0, 0], projection[1, 1] = field, field * WIDTH / HEIGHT
    projection[2, 2], projection[2, 3] = (
        -(far + near) / (far - near),
        -2 * far * near / (far - near),
    )
    projection[3, 2] = -1
    return Camera([float(value) for value in (projection @ view).ravel()])


def make_shot(
    folder: Path,
    frames: int = 3,
    many_parts: bool = True,
    old_names: bool = False,
    cameras: Mapping[int, Camera] | None = None,
    change: Mapping[str, float] | None = None,
) -> Shot:
    """Write a whole shot folder.

    Args:
        folder: where.
        frames: how many, from 1 on.
        many_parts: EXR in many parts, as Blender 5 writes them.
        old_names: passes named as in Blender 4.5.
        cameras: frame → camera.
        change: channel without its view layer (``Normal.X``) → value of its pixel (30, 40).
    """
    shot = Shot(folder, Manifest(WIDTH, HEIGHT, 1, frames))
    shot.manifest.source = {"kind": "blender", "view_layer": LAYER}
    for frame in range(1, frames + 1):
        channels = layers(frame, old_names)
        for name, value in (change or {}).items():
            channels[f"{LAYER}.{name}"][30, 40] = value
        write_layers(shot.passes_path(frame), channels, many_parts)
        write_picture(shot.image_path(frame), picture(frame))
        shot.manifest.frames[frame] = FrameRecord(
            digest_file(shot.image_path(frame)),
            digest_file(shot.passes_path(frame)),
            camera=(cameras or {}).get(frame),
        )
        shot.manifest.passes = passes.meanings(sorted({name.split(".")[-2] for name in channels}))
    shot.save()
    return shot


def paint(shot: Shot, frame: int, alpha: bool = True) -> Path:
    """Paint a keyframe: the frame in other colours."""
    pixels = picture(frame)[..., [1, 2, 0, 3] if alpha else [1, 2, 0]]
    path = shot.folder / "keys" / f"{frame:04d}.png"
    write_picture(path, np.ascontiguousarray(pixels))
    return path


def write_png(path: Path, codes: np.ndarray) -> Path:
    """Write codes (H, W), (H, W, 3) or (H, W, 4), uint8 or uint16, RGB order, as PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if codes.ndim == 3 and codes.shape[2] >= 3:
        codes = np.ascontiguousarray(codes[..., [2, 1, 0, 3][: codes.shape[2]]])
    path.write_bytes(cv2.imencode(".png", codes)[1].tobytes())
    return path
