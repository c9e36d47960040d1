# SPDX-License-Identifier: GPL-3.0-or-later
"""The styles, one module each. A style paints every frame from its passes: the ground truth.

Marks are drawn in surface coordinates, so they stick to the surface; tones follow the light of the
render.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from . import cel, gouache, loose, pencil, watercolour
from .look import Look, Painted


@dataclasses.dataclass(frozen=True)
class Style:
    """A style.

    Attributes:
        about: a short description.
        paint: paints one frame.
        fine: painted pixels per pixel of the frame, in x and in y, for fine marks.
    """

    about: str
    paint: Callable[[Look], Painted]
    fine: int = 2


STYLES: dict[str, Style] = {
    "gouache": Style("tone bands, brush marks and ink lines", gouache.paint, fine=1),
    "pencil": Style("hatching that grows denser in the shade, on tinted paper", pencil.paint),
    "cel": Style("flat colours in three tones, with dark lines", cel.paint),
    "loose": Style("a broad brush that runs past the silhouette", loose.paint),
    "watercolour": Style("loose washes: granulation, dark edges, bleeding", watercolour.paint),
}
"""Name → style. ``gouache`` is painted at the frame's own size, as published figures were."""
