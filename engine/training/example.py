# SPDX-License-Identifier: GPL-3.0-or-later
"""A keyframe as a training example: what the network sees of it, and what it should paint."""

from __future__ import annotations

import dataclasses

from ..images.types import HalfArray


@dataclasses.dataclass(frozen=True)
class Example:
    """A keyframe as a training example, float16.

    Attributes:
        guides: (H, W, C), −1..1, the network's input without the guide ``projection``.
        picture: (H, W, 3), −1..1, the frame.
        projections: (N, H, W, 7 or 8), projections of all keyframes onto this one, as returned by
            ``Projection.each``; N is 0 if the guides do not include ``projection``.
        paint: (H, W, 3 or 4), colours −1..1, and the alpha offset if alpha is learnt.
        weight: (H, W, 1 or 2), 0..1, weight of the colours, and of the alpha offset.
    """

    guides: HalfArray
    picture: HalfArray
    projections: HalfArray
    paint: HalfArray
    weight: HalfArray
