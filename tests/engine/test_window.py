# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows: only what is seen is computed, and it is the same as in the whole frame."""

from __future__ import annotations

import numpy as np
import torch

from engine.frames.alpha import finish
from engine.frames.frame import Frame
from engine.guides import registry as guides
from engine.guides.network_input import guides_reach
from engine.images.pictures import read_picture, write_picture
from engine.images.window import STEP, Window, is_empty_around, seen_window
from engine.inference.frame_reader import is_constant_around
from engine.inference.tiled_inference import TiledInference
from engine.inference.tiling import NO_MARGINS, Margins
from engine.networks.device import Device
from engine.networks.registry import build
from engine.projection.stroke_residuals import Source, StrokeResiduals
from engine.projection.surface_projector import SurfaceProjector

HEIGHT, WIDTH = 208, 240
NAMES = ["colour", "alpha", "normal", "object", "edges", "noise", "projection"]


def ball(turn: float) -> Frame:
    """A frame that shows a ball of radius 30 with soft borders on nothing, and a small one."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    u, v = (x - 110) / 30, (y - 100) / 30
    inside = u**2 + v**2 < 1
    z = np.sqrt(np.maximum(1 - u**2 - v**2, 0))
    surface = np.stack(
        [np.cos(turn) * u - np.sin(turn) * z, v, np.sin(turn) * u + np.cos(turn) * z]
    )
    surface = surface.transpose(1, 2, 0).astype(np.float32)
    surface[~inside] = np.nan
    objects = np.where(inside, np.where(u > 0.6, 9, 4), 0).astype(np.int32)
    image = np.random.default_rng(3).random((HEIGHT, WIDTH, 3)).astype(np.float32)
    alpha = np.clip(2 - 2 * np.hypot(u, v) + 0.5, 0, 1).astype(np.float32)
    normal = np.where(inside[..., None], np.stack([u, v, z], -1), 0).astype(np.float32)
    depth = np.where(inside, 4 - z, np.inf).astype(np.float32)
    return Frame(2, image, alpha, normal=normal, depth=depth, object=objects, surface=surface)


def test_a_frame_painted_in_a_window_is_the_whole_frame():
    torch.manual_seed(1)
    key, frame = ball(0), ball(0.7)
    assert key.surface is not None and key.object is not None
    mask = key.alpha > 0
    paint = np.random.default_rng(5).random(key.image.shape).astype(np.float32)
    projector = SurfaceProjector(key.surface, key.object, paint, key.image, mask)
    strokes = StrokeResiduals([Source(key.surface, key.object, mask, paint - key.image)])
    (projector.strokes,) = strokes.carried
    network = build("small", guides.channels(NAMES), projection=True, alpha=False)
    for weights in network.parameters():
        torch.nn.init.normal_(weights, std=0.1)
    inference = TiledInference(network, Device(torch.device("cpu"), torch.float32))
    window = seen_window(frame.alpha, guides_reach(WIDTH))
    larger = window.grown(network.reach)
    assert larger.shape[0] < HEIGHT and larger.shape[1] < WIDTH

    def painted(shown: Frame, spare: Margins = NO_MARGINS) -> np.ndarray:
        carried = projector.project(shown)
        x = guides.build(NAMES, shown, carried.channels())
        assert carried.strokes is not None
        assert carried.strokes.any()
        strokes.complete(carried.strokes, shown, x[-1])
        result = inference.paint(x, shown.alpha > 0, carried.strokes, spare)
        return finish(result, shown.alpha, "frame")

    whole, part = painted(frame), painted(ball(0.7).cut(window), window.spare)
    assert whole[..., :3].std() > 0.1
    seen = part[..., 3] > 0
    assert np.abs(whole[window.inside] - part)[seen].max() < 1e-6


def test_a_window_holds_what_is_seen_and_its_surroundings():
    alpha = np.zeros((HEIGHT, WIDTH), np.uint8)
    alpha[60:70, 100:131] = 1
    window = seen_window(alpha, 20)
    assert window == (32, 80, 96, 160, HEIGHT, WIDTH)
    assert all(side % STEP == 0 for side in window[:4])
    alpha[:] = 1
    assert seen_window(alpha, 20) == Window.whole(HEIGHT, WIDTH)
    assert seen_window(0 * alpha, 0).shape == (STEP, STEP)


def test_what_goes_on_at_the_border_of_a_window_is_not_taken_for_nothing():
    window = Window(16, 0, 32, 48, 64, 64)
    values = np.full((*window.shape, 2), 0.5, np.float32)
    values[4:12, :20] = 3
    assert window.spare == ((16, 32), (0, 16))
    assert is_empty_around(values, window)
    assert is_empty_around(np.full(window.shape, np.nan), window)
    assert not is_empty_around(values, window, band=5)
    for place in ((0, 40, 1), (-1, 40, 0), (5, -1, 1)):
        changed = values.copy()
        changed[place] = 0.6
        assert not is_empty_around(changed, window)
        assert is_empty_around(changed, Window.whole(*window.shape))


def test_whether_an_object_stands_alone_is_told_by_the_passes_that_guides_need():
    frame = ball(0.3)
    window = seen_window(frame.alpha, guides_reach(WIDTH))
    needed = guides.needs(NAMES)
    assert is_constant_around(frame.cut(window), needed)
    frame.guides["normal"] = frame.image
    assert is_constant_around(frame.cut(window), needed), "an extra guide that is not needed"
    assert not is_constant_around(frame.cut(window), {*needed, "guide:normal"})
    assert frame.depth is not None
    frame.depth[window.top + 2, window.left + 30] = 9
    assert not is_constant_around(frame.cut(window), needed)
    assert is_constant_around(frame.cut(window), needed - {"depth"})


def test_pictures_of_windows_are_empty_elsewhere(tmp_path):
    window = Window(16, 32, 32, 64, 48, 80)
    pixels = np.random.default_rng(2).random((16, 32, 4)).astype(np.float32)
    for name, bits in (("8.png", 8), ("16.png", 16), ("half.exr", 8)):
        path = tmp_path / name
        told = write_picture(path, pixels, bits, window)
        picture = read_picture(path)
        assert picture.size == (80, 48)
        found = picture.pixels
        assert found.shape == (48, 80, 4)
        assert np.array_equal(found[window.inside][..., :3], told)
        assert np.array_equal(picture.rgb, found[..., :3])
        found[window.inside] = 0
        assert not found.any()
