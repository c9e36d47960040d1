# SPDX-License-Identifier: GPL-3.0-or-later
"""Keeps the shot whole while frames are rendered that do not go with its other ones.

After a change of the size, the render settings or (with Force) the scene, new frames wait in
``capture/`` of the shot folder. They replace the old ones when all of them are rendered. If the
capture was cancelled, the next one with the same settings goes on with them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import cannot_write, move
from ..engine.shared.keyframes.blank import blank_digest, copy_frame
from ..engine.shared.manifest import Manifest
from ..engine.shared.places import check_place
from ..engine.shared.shot import Shot
from ..keyframes import images as keyframe_images
from . import own_files
from .plan import Plan


def target(shot: Shot, before: Manifest | None, current: set[str], *, force: bool) -> Shot:
    """Return where to write frames: the shot itself, or a shot in its ``capture/``.

    Args:
        shot: the shot as it will be.
        before: its manifest on disk, None if there is none.
        current: digests of render settings that its frames may have.
        force: the scene has changed, so new frames do not go with those of before, nor with those
            that wait.

    Raises:
        PaintoverError: frames must wait, but ``capture/`` has files that no capture made.
    """
    if before is None:
        return shot
    unfilled = dataclasses.replace(shot.manifest, frames={}, passes={})
    stage = Shot(shot.folder / own_files.STAGE, unfilled)
    fits = (
        not force
        and _size(before) == _size(shot.manifest)
        and all(record.settings in current for record in before.frames.values())
    )
    if fits or not before.frames:
        own_files.remove_stage(shot.folder, before.id)
        return shot
    own_files.check_stage(shot)
    waiting = None if force else _waiting(stage.folder)
    if waiting and _size(waiting) == _size(shot.manifest):
        records = waiting.frames.items()
        stage.manifest.frames = {n: record for n, record in records if record.settings in current}
        stage.manifest.passes = waiting.passes if stage.manifest.frames else {}
    if not stage.manifest.frames:
        own_files.remove_stage(shot.folder, before.id)
    return stage


def _size(manifest: Manifest) -> tuple[int, int]:
    return manifest.width, manifest.height


def _waiting(folder: Path) -> Manifest | None:
    try:
        return Shot.open(folder).manifest
    except PaintoverError:
        return None


def moved_by_killed(folder: Path) -> dict[Path, list[str]]:
    """Return what a capture that was killed may have taken into a shot folder, with digests."""
    waiting = _waiting(folder / own_files.STAGE)
    if waiting is None:
        return {}
    shot = Shot(folder, waiting)
    found = {}
    for frame, record in waiting.frames.items():
        found[shot.image_path(frame)] = [record.image]
        found[shot.passes_path(frame)] = [record.passes]
        for name, digest in record.copies.items():
            found[folder / name / shot.image_path(frame).name] = [digest]
    return found


def take_in(stage: Shot, shot: Shot, frame: int, plan: Plan) -> None:
    """Move the files of a frame into the shot.

    Args:
        stage: where they are.
        shot: the shot.
        frame: the frame.
        plan: which mattes were rendered with the frames, and what keeps files that were corrected.

    Raises:
        PaintoverError: a file cannot be moved.
    """
    pairs = [
        (stage.image_path(frame), shot.image_path(frame)),
        (stage.passes_path(frame), shot.passes_path(frame)),
    ]
    if plan.matte:
        pairs.append((stage.matte_path(frame, plan.matte), shot.matte_path(frame, plan.matte)))
    with blank_keyframe_follows(shot, frame):
        for source, destination in pairs:
            check_place(source)
            check_place(destination)
            try:
                destination.parent.mkdir(parents=True, exist_ok=True)
                plan.corrections.keep(frame, destination)
                move(source, destination)
            except OSError as error:
                raise cannot_write(destination, error) from error


@contextmanager
def blank_keyframe_follows(shot: Shot, frame: int) -> Iterator[None]:
    """Write a frame's picture; a keyframe of it that is not painted shows the new picture then."""
    blank = blank_digest(shot, frame)
    yield
    if blank and shot.key_path(frame).name not in keyframe_images.unsaved(shot):
        copy_frame(shot, frame, blank)
