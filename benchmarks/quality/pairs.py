# SPDX-License-Identifier: GPL-3.0-or-later
"""Which shots are painted in which styles, with which keyframes, and at which size."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from engine.shared.errors import PaintoverError

from .shots import SHOTS
from .styles import STYLES

FIRST, LAST = 0.0, 1.0


@dataclasses.dataclass(frozen=True)
class Pair:
    """A shot and a style; keyframes as shares 0..1 of the shot's length."""

    shot: str
    style: str
    keys: tuple[float, ...] = (FIRST,)

    @property
    def name(self) -> str:
        """``SHOT:STYLE``."""
        return f"{self.shot}:{self.style}"

    def key_frames(self, frames: int) -> list[int]:
        """Return the painted frames of a shot of so many frames, from 1."""
        return sorted({1 + round(share * (frames - 1)) for share in self.keys})


PAIRS = (
    Pair("head", "gouache"),
    Pair("room", "gouache"),
    Pair("head", "pencil"),
    Pair("walker", "cel"),
    Pair("crowd", "watercolour"),
    Pair("branches", "watercolour"),
    Pair("sunset", "watercolour", (FIRST, LAST)),
)


@dataclasses.dataclass(frozen=True)
class Extent:
    """How large the benchmark is: pictures, frames, seconds of training, pairs, methods."""

    width: int
    height: int
    frames: int
    seconds: float
    pairs: tuple[Pair, ...]
    methods: tuple[str, ...]


FULL = Extent(
    512,
    288,
    30,
    60.0,
    PAIRS,
    ("fast", "fast/-projection", "fast/colour", "small", "paper", "projection", "moved"),
)
SHORT = Extent(
    256,
    144,
    8,
    20.0,
    (PAIRS[0], PAIRS[3], PAIRS[6]),
    ("fast", "fast/-projection", "paper", "projection", "moved"),
)

ABLATION = dataclasses.replace(
    FULL,
    seconds=20.0,
    pairs=PAIRS[:1],
    methods=(
        "fast",
        "fast/colour",
        "fast/-projection",
        "fast/-edges",
        "fast/-noise",
        "fast,gradients=0",
        "fast,adversarial=0.2",
        "fast,steady=0",
        "fast,muon=false",
        "small",
    ),
)
"""What each part of our own method is good for: all of it, then all but one part."""


def choose(names: Sequence[str], pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs of these names; none means all of ``pairs``.

    A pair that is in no list is painted once, on its first frame.

    Raises:
        PaintoverError: there is no such shot or style.
    """
    known = {pair.name: pair for pair in (*PAIRS, *pairs)}
    chosen = []
    for name in names:
        shot, _, style = name.partition(":")
        if shot not in SHOTS or style not in STYLES:
            raise PaintoverError(
                f'"{name}" is no pair; write SHOT:STYLE, of the shots {", ".join(SHOTS)} and the '
                f"styles {', '.join(STYLES)}."
            )
        chosen.append(known.get(name, Pair(shot, style)))
    return chosen or list(pairs)
