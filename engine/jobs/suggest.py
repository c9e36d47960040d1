# SPDX-License-Identifier: GPL-3.0-or-later
"""Suggest: how much of a shot its paintings show, and which frames would add most.

Each frame is reduced to a coarse grid of cells. A frame sees a cell if its paint could be carried
there: by the surface pass, as ``projection`` does it, or along the motion. What frames see of each
other is kept in the shot folder, so another painting costs little, and the same question nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..coverage.cells import Views
from ..coverage.kept import Kept, keep, kept
from ..coverage.looking import look, views_of, way_of
from ..coverage.set_cover import choose
from ..frames.keyframe import read_keyframe, shows_only_the_frame
from ..images.types import BoolArray, FloatArray
from ..projection.keyframe_projection import FAINT
from ..shared import protocol
from ..shared.coverage_records import (
    VERSION,
    Coverage,
    Suggestion,
    coverage_digest,
    frames_digest,
    read_coverage,
    write_coverage,
)
from ..shared.errors import PaintoverError
from ..shared.files import digest_json, read_unchanged
from ..shared.frame_lists import counted, name_frames
from ..shared.keyframes.blank import remember_blank
from ..shared.keyframes.weights import weights_at
from ..shared.pictures.digests import digest_picture
from ..shared.reporter import Reporter
from ..shared.shot import Shot
from ..shared.temporary import remove_leftovers

MOST = 8
"""Frames that are suggested at most."""


def suggest(request: protocol.Suggest, report: Reporter) -> Coverage:
    """Find how much of a shot its paintings show, and which frames would add most.

    The result for the shot's own paintings is kept in its folder.

    Raises:
        PaintoverError: the shot has no frames, nothing to paint, or lacks one of
            ``request.keys``; a file is damaged, or the folder cannot be written.
        Cancelled: the reporter asked to stop; nothing has changed.
    """
    shot = Shot.open(Path(request.shot))
    remove_leftovers(shot.folder)
    _check(shot, request.keys)
    if not request.keys:
        before = read_coverage(shot)
        if before is not None and before.made_from == coverage_digest(shot):
            return before
    masks, digest = read_unchanged(
        lambda: coverage_digest(shot), lambda: _masks(shot, request.keys), str(shot.folder / "keys")
    )
    waiting = [] if request.keys else [key for key in shot.key_frames() if key not in masks]
    found = _look(shot, [*masks, *waiting], report)
    views, seen, cuts = found.views, found.seen, found.cuts
    painted = {key: _seen_by_painting(views, seen, key, mask) for key, mask in masks.items()}
    covered = np.zeros(len(views.weight), bool)
    for key, one in painted.items():
        covered |= one & _used(shot, key, views)
    for key in waiting:
        seen.setdefault(key, views.seen(key, None))
    candidates = {frame: one for frame, one in seen.items() if frame not in masks}
    chosen = choose(candidates, views.weight, covered, MOST, waiting)
    coverage = Coverage(
        covered=_share(covered, views.weight),
        frames=_shares(covered, views),
        keys=sorted(masks),
        suggestions=[Suggestion(one.frame, one.gain, one.frame in waiting) for one in chosen],
        cuts=cuts,
        way=way_of(shot),
        made_from="" if request.keys else digest,
    )
    if not request.keys:
        write_coverage(shot, coverage)
    report.progress("suggest", 1.0, 0.0, counted(len(coverage.frames), "frame"))
    return coverage


def _check(shot: Shot, keys: list[int]) -> None:
    shot.check_frames()
    unknown = set(keys) - set(shot.frames)
    if unknown:
        raise PaintoverError(
            f"{shot.folder} has no frame {name_frames(unknown)}, only {name_frames(shot.frames)}; "
            "capture it, or leave it out."
        )


def _masks(shot: Shot, keys: list[int]) -> dict[int, BoolArray | None]:
    """Return keyframe → the part (H, W) of its painting that counts; None: it is not painted.

    Args:
        shot: the shot; paintings that only show their frame are noted in its manifest.
        keys: the frames; empty: all that are painted.
    """
    painted = shot.painted_keys()
    masks: dict[int, BoolArray | None] = {}
    for key in sorted(set(keys)) or painted:
        digest = digest_picture(shot.key_path(key))
        keyframe = read_keyframe(shot, key) if key in painted else None
        if keyframe is not None and not keys and shows_only_the_frame(shot, keyframe):
            remember_blank(shot, key, digest)
        else:
            masks[key] = keyframe.mask if keyframe else None
    return masks


def _look(shot: Shot, keys: list[int], report: Reporter) -> Kept:
    """Return the views of a shot, what its candidates see, and its cuts."""
    manifest = shot.manifest
    parts = [VERSION, manifest.width, manifest.height, way_of(shot), "motion" in manifest.passes]
    digest = digest_json([*parts, frames_digest(shot)])
    found = kept(shot, digest, views_of)
    if found is None:
        found = look(shot, keys, report)
        keep(shot, digest, found)
    return found


def _seen_by_painting(
    views: Views, seen: Mapping[int, BoolArray], key: int, mask: BoolArray | None
) -> BoolArray:
    """Return the cells (N,) that the painted part of a keyframe shows."""
    small = None if mask is None else views.grid.picked(mask)
    if key in seen and (small is None or views.is_whole(key, small)):
        return seen[key]
    return views.seen(key, small)


def _used(shot: Shot, key: int, views: Views) -> BoolArray:
    """Return the cells (N,) in whose frames the weight of a keyframe lets its paint be seen."""
    weights = shot.manifest.weights
    if key not in weights:
        return np.ones(len(views.frame), bool)
    frames = np.unique(views.frame)
    used = [weights_at(weights, int(f), [key]).get(key, 1.0) >= FAINT for f in frames]
    return np.asarray(np.array(used)[np.searchsorted(frames, views.frame)])


def _share(covered: BoolArray, weight: FloatArray) -> float:
    whole = float(weight.sum(dtype=np.float64))
    return min(float(weight[covered].sum(dtype=np.float64)) / whole, 1.0)


def _shares(covered: BoolArray, views: Views) -> dict[int, float]:
    """Return frame → the share of its cells that are covered; frames without cells are left out."""
    frames, place = np.unique(views.frame, return_inverse=True)
    whole = np.bincount(place, views.weight)
    found = np.bincount(place, views.weight * covered)
    return {
        int(frame): round(min(float(part), 1.0), 4)
        for frame, part in zip(frames, found / whole, strict=True)
    }
