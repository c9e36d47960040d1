# SPDX-License-Identifier: GPL-3.0-or-later
"""The VGG loss, a perceptual loss on the features of a trained network (Johnson et al., ECCV 2016).

It uses the layers relu1_1, relu1_2 and relu2_1, which are the same in VGG-16 and VGG-19 (Simonyan
and Zisserman 2014). The user provides the file with the weights.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from ...networks.device import Device
from ...shared.errors import PaintoverError
from ...shared.reading import open_file

LAYERS = (("0", 3, 64), ("2", 64, 64), ("5", 64, 128))
"""Index of each layer in torchvision's ``features``, its input and output channels."""
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
"""Mean and standard deviation of the colours, 0..1, that VGG was trained on."""


class VGGLoss(nn.Module):
    """Mean |difference| of VGG features.

    Args:
        path: weights of VGG-16 or VGG-19 without batch normalisation, as ``.safetensors`` or as a
            PyTorch state dict (``.pth``), of which only tensors are read.
        device: where to compute.

    Raises:
        PaintoverError: the file is missing or does not hold such weights.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, path: Path, device: Device) -> None:
        super().__init__()
        weights = _read_weights(path)
        self.layers = nn.ModuleList()
        for number, inputs, outputs in LAYERS:
            layer = nn.Conv2d(inputs, outputs, 3, padding=1)
            for name, parameter in layer.named_parameters():
                parameter.data = _find(path, weights, f"{number}.{name}", parameter.shape)
            self.layers.append(layer)
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None])
        self.register_buffer("deviation", torch.tensor(DEVIATION)[:, None, None])
        self.requires_grad_(False).eval()
        device.place(self)
        self._device = device

    def forward(self, result: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
        """Return the mean |difference| of the features, averaged over the layers (scalar).

        Pixels of weight 0 take the values of ``truth``, so they have no influence.

        Args:
            result, truth: (B, 3, H, W) colours, −1..1.
            weight: (B, 1, H, W), 0..1.
        """
        blended = weight * result + (1 - weight) * truth
        pictures = torch.cat([blended, truth]) / 2 + 0.5
        x = (pictures - self.mean) / self.deviation
        total = torch.zeros((), device=x.device)
        with self._device.autocast():
            for index, layer in enumerate(self.layers):
                if index == 2:
                    x = functional.max_pool2d(x, 2)
                x = functional.relu(layer(x))
                of_result, of_truth = x.float().chunk(2)
                total = total + (of_result - of_truth).abs().mean()
        return total / len(self.layers)


def _read_weights(path: Path) -> Mapping[str, object]:
    try:
        open_file(path).close()
        if path.suffix == ".safetensors":
            weights: object = load_file(path)
        else:
            weights = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise PaintoverError(
            f"There is no file {path} with the weights of VGG; choose another file, or train "
            "without the VGG loss."
        ) from None
    except (
        SafetensorError,
        pickle.UnpicklingError,
        OSError,
        RuntimeError,
        ValueError,
        EOFError,
        KeyError,
    ):
        raise _not_weights(path, "it cannot be read") from None
    if not isinstance(weights, Mapping):
        raise _not_weights(path, "it holds no named tensors")
    return weights


def _find(path: Path, weights: Mapping[str, object], name: str, shape: torch.Size) -> Tensor:
    for known in (f"features.{name}", name):
        tensor = weights.get(known)
        if isinstance(tensor, Tensor):
            if tensor.shape != shape or not tensor.is_floating_point():
                raise _not_weights(path, f"{known} has another shape")
            return tensor.detach().float().clone()
    raise _not_weights(path, f"it lacks features.{name}")


def _not_weights(path: Path, why: str) -> PaintoverError:
    return PaintoverError(
        f"{path} does not hold the weights of VGG ({why}); choose those of VGG-16 or VGG-19 as "
        ".safetensors or .pth, or train without the VGG loss."
    )
