# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``weights``."""

from __future__ import annotations

import argparse

from ...shared.keyframes import weights
from ...shared.shot import Shot
from ..terminal import Terminal


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Set the weights of keyframes, and print them all. Raises PaintoverError."""
    shot = Shot.open(options.shot)
    curves = weights.curves_of(options.points)
    weights.check_keys(shot, curves)
    weights.set_weights(shot, curves)
    print(weights.describe(shot))
