# SPDX-License-Identifier: GPL-3.0-or-later
"""The pairs of shot and style, their keyframes, and the sizes of the benchmark."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from engine.shared.errors import PaintoverError

from .shots import SHOTS
from .styles import STYLES

FIRST, LAST = 0.0, 1.0
PLAIN = "plain"


@dataclasses.dataclass(frozen=True)
class Pair:
    """A shot and a style; keyframes are given as shares, 0..1, of the length of the shot.

    Without passes the shot is plain pictures, as footage is, and as the published method had it.
    """

    shot: str
    style: str
    keys: tuple[float, ...] = (FIRST,)
    passes: bool = True

    @property
    def name(self) -> str:
        """``SHOT:STYLE``, or ``SHOT:STYLE:plain`` without passes."""
        return f"{self.shot}:{self.style}" + ("" if self.passes else f":{PLAIN}")

    def key_frames(self, frames: int) -> list[int]:
        """Return the painted frames, counted from 1, of a shot with ``frames`` frames."""
        return sorted({1 + round(share * (frames - 1)) for share in self.keys})


PAIRS = (
    Pair("head", "gouache"),
    Pair("room", "gouache"),
    Pair("head", "pencil"),
    Pair("walker", "cel"),
    Pair("crowd", "watercolour"),
    Pair("branches", "watercolour"),
    Pair("sunset", "watercolour", (FIRST, LAST)),
    Pair("sunset", "pencil", (FIRST, LAST)),
    Pair("turnaround", "gouache"),
    Pair("head", "loose"),
    Pair("head", "gouache", passes=False),
    Pair("room", "gouache", passes=False),
)


@dataclasses.dataclass(frozen=True)
class Extent:
    """The size of the benchmark: pictures, frames, seconds of training, pairs, methods."""

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
    (
        *("fast", "fast,seed=1", "fast,seed=2", "fast/-projection", "fast/colour", "small"),
        *("paper", "projection", "moved"),
    ),
)
SHORT = Extent(
    256,
    144,
    8,
    20.0,
    (PAIRS[0], PAIRS[3], PAIRS[6]),
    ("fast", "fast/-projection", "paper", "projection", "moved"),
)

_PARTS = (
    "fast",
    "fast/colour",
    "fast/-projection",
    "fast/-edges",
    "fast/-noise",
    "fast,gradients=0",
    "fast,adversarial=0.2",
    "fast,steady=0",
    "fast,strokes=0",
    "fast,drawn=0",
    "fast,muon=false",
    "small",
)
ABLATION = dataclasses.replace(
    FULL,
    seconds=30.0,
    methods=tuple(name + seed for seed in ("", ",seed=1") for name in _PARTS),
)
"""The ablation: the whole method, then the method without one part each; two seeds."""


def choose(names: Sequence[str], pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs with these names, or ``pairs`` if there are no names.

    A pair in no list of this module gets one keyframe, its first frame.

    Raises:
        PaintoverError: there is no such shot or style.
    """
    known = {pair.name: pair for pair in (*PAIRS, *pairs)}
    chosen = []
    for name in names:
        shot, style, plain = [*name.split(":"), "", ""][:3]
        if shot not in SHOTS or style not in STYLES or plain not in ("", PLAIN):
            raise PaintoverError(
                f'"{name}" is not a pair; write SHOT:STYLE, a shot of {", ".join(SHOTS)} and a '
                f"style of {', '.join(STYLES)}, or SHOT:STYLE:{PLAIN} for pictures without passes."
            )
        chosen.append(known.get(name, Pair(shot, style, passes=not plain)))
    return chosen or list(pairs)
