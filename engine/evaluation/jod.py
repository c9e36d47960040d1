# SPDX-License-Identifier: GPL-3.0-or-later
"""JOD of ColorVideoVDP (Mantiuk et al. 2024); needs the optional package ``cvvdp``."""

from __future__ import annotations

import contextlib
import importlib
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from ..images.types import ByteArray
from ..shared.errors import PaintoverError

DISPLAY = "standard_fhd"
HOW_TO_GET_IT = (
    "JOD needs the package cvvdp; get it without replacing PyTorch by “pip install --no-deps "
    "torchvision==0.28.0 cvvdp” and then “pip install tqdm einops huggingface_hub pillow imageio "
    "ffmpeg-python matplotlib pandas requests configargparse”, or leave --jod out."
)

_declared: list[Any] = []


def jod(test: Sequence[ByteArray], truth: Sequence[ByteArray], fps: float) -> float:
    """Predict the visible difference of two clips on a full-HD monitor.

    Args:
        test: consecutive frames, each (H, W, 3) uint8, display-referred.
        truth: their ground truth, likewise.
        fps: frames per second.

    Returns:
        Quality in just-objectionable-difference units: 10 means no visible difference.

    Raises:
        PaintoverError: the package is not installed.
    """
    metric = _package().cvvdp(
        display_name=DISPLAY, heatmap=None, quiet=True, device=torch.device("cpu")
    )
    with contextlib.redirect_stdout(sys.stderr), torch.inference_mode():
        value, _ = metric.predict(
            np.stack(test), np.stack(truth), dim_order="FHWC", frames_per_second=fps
        )
    return float(value)


def _package() -> Any:
    try:
        _import_torchvision()
        return importlib.import_module("pycvvdp")
    except ImportError as error:
        raise PaintoverError(f"{HOW_TO_GET_IT} ({error})") from error


def _import_torchvision() -> None:
    """Import torchvision, also beside a CPU-only PyTorch that cannot load its compiled part.

    There the import fails on two operators, which nothing here calls; it succeeds once they are
    declared.
    """
    try:
        importlib.import_module("torchvision")
    except RuntimeError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "torchvision"]:
            del sys.modules[name]
        registry: Any = torch.library
        library = registry.Library("torchvision", "DEF")
        for operator in ("nms", "qnms"):
            library.define(operator + "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _declared.append(library)
        importlib.import_module("torchvision")
