# SPDX-License-Identifier: GPL-3.0-or-later
"""Surface projection: the paint of a keyframe carried to any frame that shows the same surface.

Paint is resampled once, so it stays sharp. Outlines stay behind where silhouettes move.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ..frames.frame import Frame
from ..images.types import BoolArray, FloatArray
from .blending import Projected
from .resampling import Ranged
from .surface_edges import SurfaceEdges, edge_distance
from .surface_index import SurfaceIndex

FAR = 1e4
"""Distance, in pixels, that counts as infinite."""
OUTLINE = 0.006
"""How far from an occlusion edge outlines are painted, in widths of the picture."""
LEAST_OUTLINE = 2.0
"""The same in pixels, for small pictures."""
OUTLINE_SLIP = 0.75
"""An outline that lies this many pixels nearer to the edge, or farther, has not moved with it."""


def outline_reach(width: int) -> float:
    """Return how far from an occlusion edge, in pixels, a picture so wide has its outlines."""
    return max(LEAST_OUTLINE, OUTLINE * width)


class KeyProjector:
    """Carries the paint and the own picture of one keyframe to any frame.

    Args:
        surface, objects: as for ``SurfaceIndex``, of the keyframe.
        paint: (H, W, 3) the painting, 0..1, display-referred.
        image: (H, W, 3) the keyframe's own picture, 0..1, display-referred.
        mask: (H, W) the part of the painting that counts; nothing else is projected.
        width: of the whole picture, if these are parts of it.

    Attributes:
        strokes: of the painting, to be carried too, of whose channels the first three count; None
            where there are none.
    """

    def __init__(
        self,
        surface: FloatArray,
        objects: npt.NDArray[np.int32],
        paint: FloatArray,
        image: FloatArray,
        mask: BoolArray,
        width: int | None = None,
    ) -> None:
        self._index = SurfaceIndex(surface, np.where(mask, objects, 0))
        self._paint, self._image = Ranged.of(paint), Ranged.of(image)
        self.strokes: Ranged | None = None
        self._edge = Ranged.of(np.minimum(edge_distance(surface, objects), FAR)[..., None])
        self._outline = outline_reach(width or objects.shape[1])

    def project(self, frame: Frame, edges: SurfaceEdges | None = None) -> Projected:
        """Carry the keyframe to a frame.

        Args:
            frame: of the keyframe's size, or a window of one, with ``surface`` and ``object``.
            edges: the frame's, where they have been computed already.
        """
        assert frame.surface is not None and frame.object is not None
        edges = edges or SurfaceEdges.of(frame)
        located = self._index.locate(frame.surface, frame.object, edges.mixed)
        sampler = self._index.resampler.at(located)
        here = np.minimum(edges.distance, FAR)
        there = sampler.sample(self._edge)[..., 0]
        near, far = np.minimum(here, there), np.maximum(here, there)
        outline = near <= self._outline
        moved = outline & (far > near + OUTLINE_SLIP) & located.valid

        strokes = None
        if self.strokes is not None:
            strokes = sampler.sample(self.strokes)[..., :3]
            strokes[moved] = 0
        return Projected(
            paint=sampler.sample(self._paint),
            image=sampler.sample(self._image),
            valid=located.valid & ~moved,
            stretch=located.stretch,
            outline=outline,
            moved=moved,
            strokes=strokes,
        )
