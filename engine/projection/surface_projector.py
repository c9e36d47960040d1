# SPDX-License-Identifier: GPL-3.0-or-later
"""Projection of a keyframe along the surface pass, for shots that have one.

Each pixel of a frame looks up its surface point in the keyframe, so paint is resampled only once
and stays sharp. Painted outlines follow the silhouette, not the surface. So near occlusion edges a
pixel is valid only if it is about as far from the edge in the keyframe as in the frame.
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
"""Largest distance to an edge in pixels; clips infinity."""
OUTLINE = 0.006
"""Largest distance of a painted outline from an occlusion edge, in widths of the picture."""
LEAST_OUTLINE = 2.0
"""Lower bound of that distance, in pixels."""
OUTLINE_SLIP = 0.75
"""Difference in pixels between the distances to the edge above which the outline has moved."""


def outline_reach(width: int) -> float:
    """Return the largest distance of outlines from an occlusion edge, in pixels.

    Args:
        width: of the whole picture, in pixels.
    """
    return max(LEAST_OUTLINE, OUTLINE * width)


class SurfaceProjector:
    """Projects the paint and the picture of one keyframe into any frame along the surface.

    Args:
        surface, objects: (H, W, 3) and (H, W) of the keyframe, as for ``SurfaceIndex``.
        paint: (H, W, 3) float32, the painting, 0..1, display-referred.
        image: (H, W, 3) float32, the keyframe's rendered picture, 0..1, display-referred.
        mask: (H, W) bool, the part of the painting to project.
        width: width of the whole picture in pixels, if the arrays are a window of it.
        offset: (H, W) float32, −1..1, the painting's alpha minus its frame's; None: not projected.

    Attributes:
        strokes: stroke residuals to project, too, in the first three channels; None: none.
    """

    def __init__(
        self,
        surface: FloatArray,
        objects: npt.NDArray[np.int32],
        paint: FloatArray,
        image: FloatArray,
        mask: BoolArray,
        width: int | None = None,
        offset: FloatArray | None = None,
    ) -> None:
        self._index = SurfaceIndex(surface, np.where(mask, objects, 0))
        self._paint, self._image = Ranged.of(paint), Ranged.of(image)
        self.strokes: Ranged | None = None
        self._offset = None if offset is None else Ranged.of(offset[..., None])
        self._edge = Ranged.of(np.minimum(edge_distance(surface, objects), FAR)[..., None])
        self._outline = outline_reach(width or objects.shape[1])

    def repaint(self, paint: FloatArray, offset: FloatArray | None) -> None:
        """Take another painting of the keyframe with the same mask; arguments as for the class."""
        self._paint = Ranged.of(paint)
        self._offset = None if offset is None else Ranged.of(offset[..., None])

    def project(self, frame: Frame, edges: SurfaceEdges | None = None) -> Projected:
        """Project the keyframe into a frame.

        Args:
            frame: of the keyframe's size, or a window of one, with ``surface`` and ``object``.
            edges: the frame's, where they have been computed already.
        """
        assert frame.surface is not None and frame.object is not None
        edges = edges or SurfaceEdges.of(frame)
        located = self._index.locate(frame.surface, frame.object, edges.mixed)
        sampler = self._index.resampler.at(located)
        in_frame = np.minimum(edges.distance, FAR)
        in_key = sampler.sample(self._edge)[..., 0]
        near, far = np.minimum(in_frame, in_key), np.maximum(in_frame, in_key)
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
            offset=None if self._offset is None else sampler.sample(self._offset)[..., 0],
            located=located,
        )
