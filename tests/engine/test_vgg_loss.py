# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from engine.networks.device import Device
from engine.shared.errors import PaintoverError
from engine.training.losses.vgg_loss import LAYERS, VGGLoss

CPU = Device(torch.device("cpu"), torch.float32)


def random_weights(prefix: str = "features.") -> dict[str, Tensor]:
    """Weights of the right shapes, with a later layer as a whole file has them."""
    torch.manual_seed(0)
    weights: dict[str, Tensor] = {f"{prefix}7.weight": torch.zeros(128, 128, 3, 3)}
    for number, inputs, outputs in LAYERS:
        weights[f"{prefix}{number}.weight"] = torch.randn(outputs, inputs, 3, 3) / (3 * inputs**0.5)
        weights[f"{prefix}{number}.bias"] = torch.zeros(outputs)
    return weights


@pytest.fixture
def loss(tmp_path: Path) -> VGGLoss:
    save_file(random_weights(), tmp_path / "vgg.safetensors")
    return VGGLoss(tmp_path / "vgg.safetensors", CPU)


def test_equal_pictures_are_equal_and_others_are_not(loss: VGGLoss):
    picture = torch.rand(2, 3, 36, 36) * 2 - 1
    weight = torch.ones(2, 1, 36, 36)
    assert loss(picture, picture, weight) == 0
    noise = torch.randn_like(picture)
    near, far = (loss(picture + size * noise, picture, weight) for size in (0.05, 0.2))
    assert 0 < near < far


def test_it_moves_the_picture_alone_and_only_where_it_counts(loss: VGGLoss):
    result = torch.zeros(1, 3, 32, 32, requires_grad=True)
    weight = torch.ones(1, 1, 32, 32)
    weight[..., :12] = 0
    loss(result, torch.rand(1, 3, 32, 32), weight).backward()
    assert result.grad is not None
    assert result.grad[..., :12].abs().max() == 0
    assert result.grad[..., 12:].abs().min(1)[0].max() > 0
    assert not any(parameter.requires_grad for parameter in loss.parameters())


@pytest.mark.parametrize("prefix", ["features.", ""])
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_either_kind_of_file_gives_the_same(
    loss: VGGLoss, tmp_path: Path, prefix: str, suffix: str
):
    path = tmp_path / f"other{suffix}"
    if suffix == ".pth":
        torch.save(random_weights(prefix), path)
    else:
        save_file(random_weights(prefix), path)
    other = VGGLoss(path, CPU)
    for ours, theirs in zip(loss.layers, other.layers, strict=True):
        assert torch.equal(ours.weight, theirs.weight)


class Harmful:
    def __reduce__(self):
        return Path.touch, (Path("harmed"),)


def test_wrong_files_are_told_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    batch_normalised = {f"features.{n}.weight": torch.zeros(64, 64, 3, 3) for n in (0, 3, 7)}
    torch.save(batch_normalised, tmp_path / "bn.pth")
    torch.save([1, 2], tmp_path / "list.pth")
    torch.save({"features.0.weight": Harmful()}, tmp_path / "harmful.pth")
    (tmp_path / "text.pth").write_text("not weights")
    (tmp_path / "text.safetensors").write_text("not weights")
    (tmp_path / "empty.pth").write_bytes(b"")
    for name in (
        "bn.pth", "list.pth", "harmful.pth", "text.pth", "text.safetensors", "empty.pth", "no.pth",
        ".",
    ):  # fmt: skip
        with pytest.raises(PaintoverError, match="VGG") as told:
            VGGLoss(tmp_path / name, CPU)
        assert str(tmp_path) in str(told.value)
    assert not (tmp_path / "harmed").exists()
