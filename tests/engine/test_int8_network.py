# SPDX-License-Identifier: GPL-3.0-or-later
"""Our own network in integers: close to floating point, and the same in every tile."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
import torch

from engine.inference import tiled_inference
from engine.inference.int8 import network as int8_network
from engine.inference.int8.channel_equalization import equalize_channels
from engine.inference.int8.network import _Int8Conv, supports_int8
from engine.inference.tiled_inference import LARGE_CHANGE, TiledInference
from engine.networks.activation_ranges import ActivationRanges, calibrate
from engine.networks.base import Painter
from engine.networks.device import Device
from engine.networks.gated_unet import GatedPainter
from engine.networks.registry import build

CPU = Device(torch.device("cpu"), torch.float32)
CHANNELS = 13

needs_integers = pytest.mark.skipif(
    not supports_int8(CPU), reason="this processor is not fast in integers"
)


def network(alpha: bool = False, seed: int = 0, projection: bool = True) -> GatedPainter:
    """Return a network in which every layer matters, and channels are unlike each other."""
    torch.manual_seed(seed)
    painter = build("fast", CHANNELS, projection=projection, alpha=alpha).eval()
    assert isinstance(painter, GatedPainter)
    with torch.no_grad():
        for parameter in painter.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.02)
        painter.stem.weight[::3] *= 20
        painter.gather.weight[::4] *= 0.1
    return painter.requires_grad_(False)


def guides(height: int = 160, width: int = 200, seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=(height, width, CHANNELS))
    smooth = cv2.GaussianBlur(noise.astype(np.float32), (0, 0), 3) * 6
    found = np.ascontiguousarray(np.clip(smooth, -1, 1).transpose(2, 0, 1))
    found[-1] = found[-1] > 0
    return found


def activations(painter: GatedPainter, seed: int = 0) -> ActivationRanges:
    return calibrate(painter, CPU, [torch.from_numpy(guides(seed=seed))[None]])


def in_integers(painter: GatedPainter, tile: int = 1024, light: float = 0.5) -> TiledInference:
    inference = TiledInference(painter, CPU, tile, light)
    inference.quantize(activations(painter), [guides()])
    assert computes_in_integers(inference, painter, light)
    return inference


def computes_in_integers(inference: TiledInference, painter: Painter, light: float = 0.5) -> bool:
    """Tell by its paint, which rounding changes."""
    frame = guides(24, 32)
    exact = TiledInference(painter, CPU, light=light).paint(frame)
    return not np.array_equal(inference.paint(frame), exact)


def test_an_equalized_network_computes_the_same_and_its_channels_are_even():
    painter = network()
    examples = [torch.from_numpy(guides(seed=seed))[None] for seed in (0, 1)]
    before = calibrate(painter, CPU, examples)
    with torch.inference_mode():
        equalized, even = equalize_channels(painter, before)
        for example in examples:
            assert torch.allclose(painter(example), equalized(example), atol=1e-4)
    again = calibrate(equalized, CPU, examples)
    assert {"stem", "down", "middle.0", "up", "join", "refine", "open", "gather"} <= set(
        even.ranges
    )
    for name, found in even.ranges.items():
        for of_all, of_each in zip(found, again.ranges[name], strict=True):
            assert float(of_all) == pytest.approx(float(of_each.max()), rel=1e-3, abs=1e-5)
    for name, mean in even.means.items():
        assert torch.allclose(mean, again.means[name], atol=1e-3), name
    uneven = torch.maximum(*before.ranges["stem"])
    level = torch.maximum(*again.ranges["stem"])
    assert level.min() / level.max() > 5 * uneven.min() / uneven.max()


@needs_integers
@pytest.mark.parametrize("light", [0, 0.5, 1])
@pytest.mark.parametrize("alpha", [False, True])
def test_integers_are_close_to_floating_point_on_frames_not_seen_before(light, alpha):
    painter, frame = network(alpha), guides(133, 178, seed=7)
    rounded = in_integers(painter, light=light).paint(frame)
    exact = TiledInference(painter, CPU, light=light).paint(frame)
    change = np.abs(rounded - exact) * 255
    assert rounded.shape == (4 if alpha else 3, 133, 178)
    assert 0 < change.mean() < 1
    assert np.quantile(change, 0.999) < LARGE_CHANGE
    assert np.abs((rounded - exact).mean((1, 2)) * 255).max() < 0.5
    if light == 0:
        carried = frame[-1] == 1
        assert np.allclose(rounded[:3, carried], frame[-7:-4, carried] / 2 + 0.5, atol=1e-6)


@needs_integers
def test_without_projection_and_in_any_size():
    painter = network(projection=False)
    rounded, exact = in_integers(painter), TiledInference(painter, CPU)
    for size in [(1, 1), (5, 7), (17, 40)]:
        frame = guides(*size, seed=3)
        assert np.abs(rounded.paint(frame) - exact.paint(frame)).mean() * 255 < 1.5


@needs_integers
@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("size", [(160, 200), (203, 149)])
def test_every_tile_gives_bit_for_bit_what_the_whole_frame_gives(alpha, size):
    painter, frame = network(alpha), guides(*size, seed=2)
    whole = in_integers(painter).paint(frame)
    assert np.array_equal(in_integers(painter, 64).paint(frame), whole)
    wanted = np.zeros(size, bool)
    wanted[3:40, 9:30] = wanted[120:131, 100:140] = wanted[-1, -1] = True
    assert np.array_equal(in_integers(painter).paint(frame, wanted), np.where(wanted, whole, 0))


@needs_integers
@pytest.mark.parametrize("channels", [16, 41])
def test_the_largest_sums_do_not_overflow(channels):
    layer = torch.nn.Conv2d(channels, 16, 3, bias=True).requires_grad_(False)
    layer.weight[:8], layer.weight[8:], layer.bias[:] = 0.25, -0.25, 0
    codes = torch.full((1, channels, 9, 9), 255, dtype=torch.uint8)
    codes = codes.contiguous(memory_format=torch.channels_last)
    sums = _Int8Conv(layer, torch.zeros(channels), 1.0, 0).to_float(codes)
    assert torch.allclose(sums.abs(), torch.full_like(sums, 255 * 0.25 * 9 * channels), rtol=1e-5)
    assert (sums[:, :8] > 0).all()
    assert (sums[:, 8:] < 0).all()


@needs_integers
def test_a_network_that_suffers_stays_in_floating_point(monkeypatch):
    painter = network()
    monkeypatch.setattr(tiled_inference, "MEAN_CHANGE", 1e-4)
    inference = TiledInference(painter, CPU)
    inference.quantize(activations(painter), [guides()])
    assert np.array_equal(inference.paint(guides()), TiledInference(painter, CPU).paint(guides()))


def test_what_cannot_be_computed_in_integers_stays_as_it_is(monkeypatch):
    paper = build("paper", CHANNELS, projection=True, alpha=False, blocks=1).eval()
    monkeypatch.setattr(tiled_inference, "supports_int8", lambda _device: False)
    for painter in (paper, network()):
        inference = TiledInference(painter, CPU)
        inference.quantize(activations(network()), [guides()])
        assert not computes_in_integers(inference, painter)


def test_a_pytorch_without_the_operators_is_no_error(monkeypatch):
    supports_int8.cache_clear()
    monkeypatch.setattr("engine.inference.int8.network.has_vnni", lambda: True)
    monkeypatch.setattr(torch.ops, "onednn", object())
    assert not supports_int8(CPU)
    supports_int8.cache_clear()


@needs_integers
def test_too_little_memory_in_integers_is_a_smaller_tile(monkeypatch):
    painter, frame = network(), guides(seed=4)
    whole, inference = in_integers(painter).paint(frame), in_integers(painter)
    real, sizes = int8_network.apply_gate, []

    def apply_gate(network, outputs, projected, strokes):
        sizes.append(outputs.shape[0] * outputs.shape[1])
        if sizes[-1] > 100 * 100:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return real(network, outputs, projected, strokes)

    monkeypatch.setattr(int8_network, "apply_gate", apply_gate)
    assert np.array_equal(inference.paint(frame), whole)
    assert max(sizes) > 100 * 100 >= sizes[-1]
