# SPDX-License-Identifier: GPL-3.0-or-later
"""``GatedPainter.mix`` as one loop, for the processor: paint of the network's own and carried."""

from __future__ import annotations

import numpy as np

from ...images.jit import compiled
from ...images.types import FloatArray
from ...networks.gated_unet import GATE_SLOPE, LIGHT_SLOPE, RELIT, TRUST, GatedPainter, log_odds
from ...projection.channels import LIGHT, PAINT, PROJECTION_CHANNELS, VALID


def mix(
    network: GatedPainter, outputs: FloatArray, projected: FloatArray, strokes: FloatArray | None
) -> FloatArray:
    """Mix what a network's last layer puts out with projected paint.

    Args:
        network: whose light counts.
        outputs: (H, W, 2 N): the N outputs are the sums of the first and the second half.
        projected: (7, H, W), the guide ``projection`` where the network has it.
        strokes: (3, H, W), as of ``GatedPainter.mix``.

    Returns:
        (3 or 4, H, W), what ``Painter.forward`` returns.
    """
    result = np.empty((3 + network.alpha, *outputs.shape[:2]), np.float32)
    drawn = np.zeros((3, 0, 0), np.float32) if strokes is None else strokes
    nothing = np.zeros((PROJECTION_CHANNELS, 0, 0), np.float32)
    gated = projected if network.projection else nothing
    opened = np.float32(LIGHT_SLOPE * log_odds(1 - network.light))
    _mix(outputs, gated[PAINT], gated[LIGHT], gated[VALID], drawn, opened, result)
    return result


@compiled
def _mix(
    outputs: FloatArray,
    paint: FloatArray,
    light: FloatArray,
    valid: FloatArray,
    strokes: FloatArray,
    opened: np.float32,
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
            opening = np.float32(GATE_SLOPE) * (out[3] + out[half + 3]) + opened
            opening += np.float32(TRUST) * max(one - relit * third, -one)
            gate = valid[row, column] / (one + np.exp(-opening))
            for channel in range(3):
                carried = paint[channel, row, column]
                change = carried - result[channel, row, column]
                if gate < np.float32(0.5):
                    result[channel, row, column] += gate * change
                else:  # so that a gate wide open gives what is carried, to the last bit
                    result[channel, row, column] = carried - (one - gate) * change
