# SPDX-License-Identifier: GPL-3.0-or-later
"""The styles, a module each: every frame painted from its passes, so the right answer is known.

Marks are drawn in surface coordinates, so they stick to what they are painted on; tones follow
the light of the render.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from . import cel, gouache, pencil, watercolour
from .look import Look, Painted


@dataclasses.dataclass(frozen=True)
class Style:
    """A style.

    Attributes:
        about: what it is like, in words.
        paint: paints one frame.
        fine: how many pixels across are painted for one of the painting, to draw fine marks.
    """

    about: str
    paint: Callable[[Look], Painted]
    fine: int = 2


STYLES: dict[str, Style] = {
    "gouache": Style("tone bands, brush marks and ink lines", gouache.paint, fine=1),
    "pencil": Style("hatching that grows denser in the shade, on tinted paper", pencil.paint),
    "cel": Style("flat colours in three tones, with dark lines", cel.paint),
    "watercolour": Style("loose washes: granulation, dark edges, bleeding", watercolour.paint),
}
"""Name → style. ``gouache`` is painted at the frame's own size, as published figures were."""
