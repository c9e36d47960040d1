# SPDX-License-Identifier: GPL-3.0-or-later
"""The network: sizes, the gate, how far it looks, and the losses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engine.inference.int8.network import supports_int8
from engine.inference.tiled_inference import TiledInference
from engine.networks.activation_ranges import calibrate
from engine.networks.base import Painter
from engine.networks.device import Device, choose_device
from engine.networks.gated_unet import RELIT
from engine.networks.registry import SIZES, build
from engine.shared.errors import PaintoverError
from engine.training.losses.paint_loss import held_out_loss, texture_loss, training_loss


def network(name: str = "small", projection: bool = True, alpha: bool = False) -> Painter:
    torch.manual_seed(0)
    return build(name, 10, projection=projection, alpha=alpha).eval()


def loud(painter: Painter) -> Painter:
    """Make every layer matter, as training does."""
    with torch.no_grad():
        for parameter in painter.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.1)
    return painter


@pytest.mark.parametrize("name", sorted(SIZES))
@pytest.mark.parametrize("size", [(1, 1), (5, 7), (33, 18), (32, 48)])
def test_any_size(name, size):
    out = network(name)(torch.randn(2, 10, *size))
    assert out.shape == (2, 3, *size)
    assert network(name, alpha=True)(torch.randn(1, 10, *size)).shape == (1, 4, *size)


@pytest.mark.parametrize("name", sorted(SIZES))
@pytest.mark.parametrize("size", [(200, 1), (200, 3), (3, 200), (1, 40), (64, 5)])
def test_narrow_pictures_are_painted_alike_in_every_arithmetic(name, size):
    """Some convolutions read beyond narrow pictures, where other arrays have lain."""
    painter = network(name)
    x = torch.rand(1, 10, *size) * 2 - 1
    for _ in range(3):
        before = [torch.full((1 << 18,), 1e30) for _ in range(40)]
        del before
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
            half = painter(x.to(torch.bfloat16, memory_format=torch.channels_last)).float()
        with torch.no_grad():
            torch.testing.assert_close(half, painter(x), atol=0.1, rtol=0.05)


def test_plain_footage_needs_no_projection():
    assert build("fast", 3, projection=False, alpha=False)(torch.randn(1, 3, 8, 8)).shape[1] == 3


def test_blocks_are_a_setting():
    for name in SIZES:
        few, many = (
            len(build(name, 3, projection=False, alpha=False, blocks=n).state_dict())
            for n in (1, 9)
        )
        assert few < many
    with pytest.raises(PaintoverError, match="1 to 40"):
        build("fast", 3, projection=False, alpha=False, blocks=99)


def test_an_unknown_size_is_named():
    with pytest.raises(PaintoverError, match=r'"huge".*fast'):
        build("huge", 3, projection=False, alpha=False)


def test_light_goes_from_projected_paint_to_the_network_s_own():
    painter = loud(network())
    guides = np.random.default_rng(0).uniform(-1, 1, (10, 20, 24)).astype(np.float32)
    guides[-1] = 1
    guides[-1, :, 12:] = 0
    device = choose_device("cpu")

    def paint(light: float) -> np.ndarray:
        return TiledInference(painter, device, light=light).paint(guides)

    as_learnt = TiledInference(painter, device).paint(guides)
    sticks, own = paint(0), paint(1)
    carried = np.clip(guides[3:6] / 2 + 0.5, 0, 1)
    assert np.array_equal(paint(0.5), as_learnt)
    assert np.abs(sticks - carried)[:, :, :12].max() < 0.01
    assert np.array_equal(sticks[:, :, 12:], as_learnt[:, :, 12:])
    assert np.abs(own - carried)[:, :, :12].mean() > 0.1
    distances = [np.abs(paint(light) - carried).mean() for light in (0, 0.3, 0.5, 0.7, 1)]
    assert distances == sorted(distances)
    assert "light" not in " ".join(painter.state_dict())


def test_an_open_gate_copies_projected_paint_and_never_where_it_is_not_valid():
    painter = loud(network())
    with torch.no_grad():
        painter.last.weight[3] = 0
        painter.last.bias[3] = 20
    x = torch.randn(1, 10, 24, 24)
    x[:, -1] = (torch.arange(24) < 12).float()
    out = painter(x)
    assert torch.allclose(out[..., :12], x[:, 3:6, :, :12], atol=1e-4)
    x[:, 3:6, :, 12:] += 0.5
    with torch.no_grad():
        painter.gather.weight[:, -7:-4] = 0
        painter.stem.weight[:, 12:24] = 0
    changed = painter(x)
    x[:, 3:6, :, 12:] -= 0.5
    assert torch.allclose(changed[..., 12:], painter(x)[..., 12:], atol=1e-5)


def test_paint_is_trusted_at_first_as_far_as_the_light_is_the_keyframe_s():
    painter = network()
    x = torch.zeros(1, 10, 24, 24)
    x[:, 3:6], x[:, -1] = 0.8, 1
    x[:, 6:9] = torch.linspace(0, 3 * RELIT, 24)
    kept = painter(x)[0, :, 4:-4].mean((0, 1))
    assert kept[1:3].min() > 0.6
    assert kept[-3:].max() < 0.3


@pytest.mark.parametrize("strength", [-9, 9])
def test_colours_with_strokes_stay_in_range_and_alpha_as_it_is(strength):
    inference = TiledInference(loud(network(alpha=True)), choose_device("cpu"))
    guides = np.random.default_rng(0).uniform(-1, 1, (10, 40, 48)).astype(np.float32)
    guides[-1] = 0
    without = inference.paint(guides)
    painted = inference.paint(guides, None, np.full((40, 48, 3), strength, np.float32))
    assert (painted[:3] == (strength > 0)).all()
    assert np.array_equal(painted[3], without[3])
    assert without[3].any()


@pytest.mark.parametrize("quantized", [False, True])
def test_strokes_are_added_where_the_network_paints_itself(quantized):
    painter = loud(network())
    with torch.no_grad():
        painter.last.weight[:3] *= 0.1
    guides = np.random.default_rng(0).uniform(-1, 1, (10, 40, 48)).astype(np.float32)
    guides[-1] = 1
    guides[-1, :, 24:] = 0
    inference = TiledInference(painter, choose_device("cpu"), light=0)
    if quantized:
        if not supports_int8(choose_device("cpu")):
            pytest.skip("this processor does not compute fast in integers")
        activations = calibrate(painter, choose_device("cpu"), [torch.from_numpy(guides)[None]])
        inference.quantize(activations, [guides])
    strokes = np.zeros((40, 48, 3), np.float32)
    strokes[::2, :, 1] = 0.1
    without = inference.paint(guides)
    change = inference.paint(guides, None, strokes) - without
    inside = (without > 0.01) & (without < 0.89)
    assert not change[:, :, :24].any()
    expected = np.broadcast_to(strokes.transpose(2, 0, 1), change.shape)
    assert inside[:, :, 24:].any()
    assert np.abs(change - expected)[:, :, 24:][inside[:, :, 24:]].max() < 0.01
    assert (inference.paint(guides, None, strokes + 9) <= 1).all()


@pytest.mark.parametrize("name", sorted(SIZES))
def test_reach_says_how_far_it_looks(name):
    painter = loud(network(name))
    size = 2 * painter.reach + 41
    x = torch.randn(1, 10, size, size)
    other = x.clone()
    middle = size // 2
    other[..., middle, middle] += 100
    changed = (painter(x) != painter(other))[0].any(0).nonzero()
    distance = (changed - middle).abs().max().item()
    assert 4 < distance <= painter.reach


def test_tiles_give_what_the_whole_frame_gives():
    painter, device = loud(network("fast")), choose_device("cpu")
    guides = np.random.default_rng(0).normal(size=(10, 201, 150)).astype(np.float32)
    whole, tiled = (
        TiledInference(painter, device).paint(guides),
        TiledInference(painter, device, 64).paint(guides),
    )
    assert whole.shape == (3, 201, 150)
    assert np.abs(whole - tiled).max() < 1e-4
    assert whole.min() >= 0 and whole.max() <= 1


def test_tiles_of_equal_size_are_painted_at_once_and_stay_the_same(monkeypatch):
    painter, device = loud(network("fast")), Device(torch.device("cpu"), torch.float32)
    guides = np.random.default_rng(0).normal(size=(10, 256, 320)).astype(np.float32)
    strokes = np.random.default_rng(1).normal(0, 0.1, (256, 320, 3)).astype(np.float32)
    single = TiledInference(painter, device, 64).paint(guides, None, strokes)
    counts: list[int] = []
    real = type(painter).forward

    def forward(self, x, strokes):
        counts.append(len(x))
        return real(self, x, strokes)

    monkeypatch.setattr(type(painter), "forward", forward)
    together = TiledInference(painter, device, 64, at_once=1 << 18).paint(guides, None, strokes)
    assert max(counts) > 4
    assert np.abs(single - together).max() < 1e-5


@pytest.mark.parametrize("precision", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("alpha", [False, True])
def test_only_what_is_wanted_is_painted_and_as_in_the_whole_frame(precision, alpha):
    painter = loud(network(alpha=alpha))
    inference = TiledInference(painter, Device(torch.device("cpu"), precision))
    guides = np.random.default_rng(0).uniform(-1, 1, (10, 201, 150)).astype(np.float32)
    whole = inference.paint(guides)
    wanted = np.zeros((201, 150), bool)
    assert not inference.paint(guides, wanted).any()
    wanted[7, 3] = wanted[100:120, 40:90] = wanted[-1, -1] = True
    painted = inference.paint(guides, wanted)
    assert not painted[:, ~wanted].any()
    assert np.abs(painted - whole)[:, wanted].max() < 1e-4


def test_too_little_memory_is_a_smaller_tile_then_a_sentence(monkeypatch):
    painter = network()
    inference = TiledInference(painter, choose_device("cpu"), 256)
    guides = np.zeros((10, 200, 220), np.float32)
    whole = inference.paint(guides)
    real = type(painter).forward
    most = [150 * 150]

    def forward(self, x):
        if x.shape[-1] * x.shape[-2] > most[0]:
            raise torch.OutOfMemoryError("out of memory")
        return real(self, x)

    monkeypatch.setattr(type(painter), "forward", forward)
    assert np.abs(inference.paint(guides) - whole).max() < 1e-4
    most[0] = 0
    with pytest.raises(PaintoverError, match="memory"):
        inference.paint(guides)


def test_weightless_pixels_have_no_influence_on_the_loss():
    torch.manual_seed(0)
    result, truth = torch.rand(2, 4, 32, 32), torch.rand(2, 4, 32, 32)
    weight = torch.zeros(2, 2, 32, 32)
    weight[..., 6:20, 3:17] = 1
    spoilt = torch.where(weight[:, :1] > 0, result, torch.rand_like(result) * 50)
    assert training_loss(spoilt, truth, weight, 1.0) == pytest.approx(
        training_loss(result, truth, weight, 1.0).item(), rel=1e-5
    )
    assert training_loss(result, truth, weight * 0, 1.0) == 0


def test_blur_is_worse_than_crisp_texture_in_another_place():
    rng = np.random.default_rng(0)
    truth = torch.from_numpy(rng.random((1, 3, 48, 48)).astype(np.float32))
    elsewhere = torch.roll(truth, (5, 9), (2, 3))
    blurred = torch.full_like(truth, 0.5)
    weight = torch.ones(1, 1, 48, 48)
    assert texture_loss(elsewhere, truth, weight) < 0.2 * texture_loss(blurred, truth, weight)
    assert held_out_loss(truth, truth, weight) == 0
