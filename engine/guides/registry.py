# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of guides, and building the network's input from them.

A guide has a name, such as ``normal``, or ``guide:NAME`` for an extra guide folder. The guides
``gaussians``, ``coverage`` and ``projection`` depend on other frames, too, so callers compute or
make them with ``guides.gaussians`` and ``projection.keyframe_projection`` and pass them to
``build``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..frames.frame import EXTRA_GUIDE, Frame
from ..images.types import FloatArray
from ..projection.channels import OFFSET, PROJECTION_CHANNELS
from ..shared.errors import PaintoverError
from ..shared.shot import Shot
from ..shared.style_header import COVERAGE, GAUSSIANS, PROJECTION, SURFACE_NEEDS
from .base import Guide
from .edges import Edges
from .pass_guides import Albedo, Alpha, Colour, Extra, Normal, ObjectColour, shot_is_transparent
from .surface_noise import SurfaceNoise

GAUSSIANS_CHANNELS = 3
_MADE = {
    GAUSSIANS: (GAUSSIANS_CHANNELS, ()),
    COVERAGE: (1, SURFACE_NEEDS),
    PROJECTION: (PROJECTION_CHANNELS, SURFACE_NEEDS),
}
"""Number of channels, and passes used if present, of the guides that are passed to ``build``."""

_GUIDES: dict[str, Guide] = {
    guide.name: guide
    for guide in (Colour(), Alpha(), Normal(), Albedo(), ObjectColour(), Edges(), SurfaceNoise())
}


def available(shot: Shot) -> list[str]:
    """Return the names of the guides to use for a shot, in channel order; ``projection`` is last.

    ``alpha`` is left out where all pictures are opaque, ``gaussians`` where the shot has a surface.
    """
    names = _possible(shot)
    names.remove(COVERAGE)  # added where paintings have an alpha of their own
    if "surface" in shot.manifest.passes:
        names.remove(GAUSSIANS)
    if not shot_is_transparent(shot):
        names.remove(Alpha.name)
    return names


def _possible(shot: Shot) -> list[str]:
    has = {"image", "alpha", *shot.manifest.passes}
    names = [name for name, guide in _GUIDES.items() if has.issuperset(guide.needs)]
    extra = [EXTRA_GUIDE + name for name in shot.manifest.guides]
    return [*names, *extra, GAUSSIANS, COVERAGE, PROJECTION]


def check(shot: Shot, names: Sequence[str]) -> None:
    """Check that a shot has the passes for these guides.

    Raises:
        PaintoverError: a guide is unknown or lacks its passes, ``projection`` is not last, or
            ``coverage`` does not stand before it.
    """
    possible = _possible(shot)
    for name in names:
        if name not in possible:
            raise PaintoverError(
                f'{shot.folder} cannot feed the guide "{name}" (it has {", ".join(possible)}); '
                "capture or import the shot again with it, or train a style without it."
            )
    if PROJECTION in names[:-1]:
        raise PaintoverError(f'The guide "{PROJECTION}" must be named last.')
    if COVERAGE in names and list(names[-2:]) != [COVERAGE, PROJECTION]:
        raise PaintoverError(f'The guide "{COVERAGE}" must stand before "{PROJECTION}", the last.')


def channels(names: Sequence[str]) -> int:
    """Return the total number of channels of these guides."""
    return sum(_MADE[name][0] if name in _MADE else _guide(name).channels for name in names)


def needs(names: Sequence[str]) -> set[str]:
    """Return the passes and extra guides that ``read_frame`` must read for these guides."""
    wanted = {"image", "alpha"}
    for name in names:
        wanted.update(_MADE[name][1] if name in _MADE else _guide(name).needs)
    return wanted


def build(
    names: Sequence[str],
    frame: Frame,
    projected: FloatArray | None = None,
    gaussians: Guide | None = None,
) -> FloatArray:
    """Compute the network's input for a frame.

    Args:
        names: names of the guides in channel order.
        frame: a frame (H, W) read with at least ``needs(names)``.
        projected: (7 or 8, H, W), from ``Projection.carry``, if ``names`` has ``projection``, and
            with the offset of alpha if it has ``coverage``.
        gaussians: the shot's ``MovingGaussians``, if ``names`` has ``gaussians``.

    Returns:
        (C, H, W) float32 in −1..1.

    Raises:
        PaintoverError: the frame lacks the pass or the picture of a guide.
        ValueError: ``projected`` or ``gaussians`` is missing.
    """
    result = np.empty((channels(names), *frame.alpha.shape), np.float32)
    first = 0
    for name in names:
        guide = gaussians if name in _MADE else _guide(name)
        if name in (PROJECTION, COVERAGE):
            count = _MADE[name][0]
            if projected is None or (name == COVERAGE and len(projected) <= OFFSET):
                raise _not_handed_in(name)
            rows = projected[OFFSET:] if name == COVERAGE else projected[:OFFSET]
            result[first : first + count] = rows
        elif guide is None:
            raise _not_handed_in(name)
        else:
            count = guide.channels
            guide.fill(frame, result[first : first + count])
        first += count
    return result


def _not_handed_in(name: str) -> ValueError:
    return ValueError(f"the guide {name} depends on other frames and must be passed to build()")


def _guide(name: str) -> Guide:
    if name.startswith(EXTRA_GUIDE):
        return Extra(name)
    if name not in _GUIDES:
        raise PaintoverError(
            f'There is no guide "{name}"; there are {", ".join([*_GUIDES, *_MADE])} and '
            f"{EXTRA_GUIDE}NAME."
        )
    return _GUIDES[name]
