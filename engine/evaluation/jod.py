# SPDX-License-Identifier: GPL-3.0-or-later
"""JOD of ColorVideoVDP (Mantiuk et al. 2024), an optional extra: the package ``cvvdp``."""

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
    """Compare two clips as an eye would that watches them on a full-HD monitor.

    Args:
        test: (H, W, 3) display-referred codes of consecutive frames.
        truth: the same frames as they should be.
        fps: frames a second.

    Returns:
        Just-objectionable-difference units: 10 cannot be told apart, less is worse.

    Raises:
        PaintoverError: the package is not there.
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
    """Import torchvision, on a CPU-only PyTorch without its compiled part.

    There its import fails on two operators that nothing here calls; once they are declared it
    succeeds.
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
