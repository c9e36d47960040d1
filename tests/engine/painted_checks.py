# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks of stylized frames against the right painting of a scene."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from painted_scenes import Floats
from real_sizes import Project


def difference(one: Floats, other: Floats, where: Floats, blur: float = 0.0) -> float:
    """Mean |difference| of the colours of two pictures, in codes of 255, over a part (H, W)."""
    apart = (one[..., :3] - other[..., :3]).astype(np.float32)
    if blur:
        apart = cv2.GaussianBlur(apart * where[..., None], (0, 0), blur)
    return 255 * float(np.abs(apart[where]).mean())


def assert_painted(
    project: Project,
    style: str = "style",
    suffix: str = ".png",
    share: float = 0.25,
    blur: float = 0.0,
    parts: Mapping[int, Floats] | None = None,
) -> dict[int, float]:
    """Check that painted frames are much more like the right painting than the render is.

    Args:
        project: its painted frames are looked at, as far as there are any.
        style: whose.
        suffix: of the files.
        share: of what the render is off, a frame may be off by less than this.
        blur: Gaussian radius; how strokes run does not count then, only what colours there are.
        parts: frame → (H, W), the part of it to look at; else what is seen.

    Returns:
        Frame → how far it is off, in codes of 255.
    """
    scene, off = project.scene, {}
    for frame in project.frames:
        if (project.shot / "out" / style / f"{frame:04d}{suffix}").is_file():
            truth, result = scene.painting(frame), project.result(frame, style, suffix)
            seen = (parts or {}).get(frame, scene.alpha(frame) > 0.5)
            if seen.any():
                off[frame] = difference(result, truth, seen, blur)
                untouched = difference(scene.render(frame), truth, seen, blur)
                assert off[frame] < share * untouched, (frame, off, untouched)
    assert off
    return off


def assert_keyframes_closest(project: Project, off: Mapping[int, float]) -> None:
    """Check by what ``assert_painted`` returns that keyframes are closest to their paintings."""
    others = [off[frame] for frame in off if frame not in project.keys]
    assert max(off[key] for key in project.keys) < 0.9 * min(others), off


def assert_nothing_outside(project: Project, style: str = "style", suffix: str = ".png") -> None:
    """Check that painted frames have the alpha of the rendered, and are black where that is 0."""
    for frame in project.frames:
        result, alpha = project.result(frame, style, suffix), project.scene.alpha(frame)
        assert np.abs(result[..., 3] - alpha).max() < 0.003
        assert (result[alpha == 0] == 0).all()
