# SPDX-License-Identifier: GPL-3.0-or-later
"""``GatedPainter.apply_gate`` as a single loop, for the CPU."""

from __future__ import annotations

import numpy as np

from ...images.jit import compiled, inlined
from ...images.types import FloatArray
from ...networks.gated_unet import GATE_SLOPE, LIGHT_SLOPE, RELIT, TRUST, GatedPainter, log_odds
from ...projection.channels import LIGHT, PAINT, PROJECTION_CHANNELS, VALID


def apply_gate(
    network: GatedPainter, outputs: FloatArray, projected: FloatArray, strokes: FloatArray | None
) -> FloatArray:
    """Blend the network's own paint with projected paint.

    Args:
        network: the network, for its ``light``, ``choice`` and kinds of channels.
        outputs: (H, W, 2 N) float32 of the last layer; output n is the sum of n and N + n.
        projected: (7 or 8, H, W) float32, the guides ``coverage``, if the network has it, and
            ``projection``; ignored if the network has none.
        strokes: (3, H, W) float32, as in ``GatedPainter.apply_gate``; None: none.

    Returns:
        (3 or 4, H, W) float32, as ``Painter.forward`` returns it.
    """
    result = np.empty((3 + network.alpha, *outputs.shape[:2]), np.float32)
    given = np.zeros((3, 0, 0), np.float32) if strokes is None else strokes
    nothing = np.zeros((PROJECTION_CHANNELS, 0, 0), np.float32)
    gated = projected[-PROJECTION_CHANNELS:] if network.projection else nothing
    carried = projected[0] if network.coverage else nothing[0]
    bias = np.float32(LIGHT_SLOPE * log_odds(1 - network.light))
    parts = gated[PAINT], gated[LIGHT], gated[VALID]
    _apply_gate(outputs, *parts, carried, given, np.float32(network.choice), bias, result)
    return result


@compiled
def _apply_gate(
    outputs: FloatArray,
    paint: FloatArray,
    light: FloatArray,
    valid: FloatArray,
    offset: FloatArray,
    strokes: FloatArray,
    choice: np.float32,
    bias: np.float32,
    result: FloatArray,
) -> None:
    height, width, count = outputs.shape
    half, strength = count // 2, np.float32(2)
    one, third = np.float32(1), np.float32(1 / (3 * RELIT))
    for row in range(height):
        for column in range(width):
            out = outputs[row, column]
            for channel in range(3):
                own = out[channel] + out[half + channel]
                if strokes.shape[1]:
                    own += strength * strokes[channel, row, column]
                result[channel, row, column] = own
            if half > 4:
                result[3, row, column] = out[4] + out[half + 4]
            if not len(valid) or valid[row, column] == 0:
                continue
            relit = np.float32(0)
            for channel in range(3):
                relit += abs(light[channel, row, column])
            opening = np.float32(GATE_SLOPE) * (out[3] + out[half + 3])
            opening += np.float32(TRUST) * max(one - relit * third, -one)
            gate = valid[row, column] / (one + np.exp(-choice * (opening + bias)))
            for channel in range(3):
                own = result[channel, row, column]
                result[channel, row, column] = _mixed(own, paint[channel, row, column], gate)
            if len(offset):
                result[3, row, column] = _mixed(result[3, row, column], offset[row, column], gate)


@inlined
def _mixed(own: float, carried: float, gate: float) -> float:
    """Mix two values, exactly ``carried`` for a fully open gate."""
    change = carried - own
    if gate < np.float32(0.5):
        return own + gate * change
    return float(carried - (np.float32(1) - gate) * change)
