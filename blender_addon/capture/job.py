# SPDX-License-Identifier: GPL-3.0-or-later
"""The capture as a job: renders frames that are missing or out of date into the shot folder."""

from __future__ import annotations

import dataclasses
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import bpy

from .. import logs, properties, stereo, versions
from ..engine.shared import passes
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import digest_json
from ..engine.shared.frame_lists import name_frames
from ..engine.shared.manifest import MANIFEST_NAME, MANIFEST_VERSION, FrameRecord, Manifest
from ..engine.shared.pictures.digests import digest_picture, is_picture
from ..engine.shared.shot import Shot
from ..engine.shared.temporary import remove_leftovers
from ..jobs import Job, Progress
from ..keyframes import images as keyframe_images
from . import cameras, frames, notes, settings, simulations, staging
from .preparation import Preparation

_log = logs.logger(__name__)


@dataclasses.dataclass
class CaptureResult:
    """Result of a capture."""

    rendered: list[int] = dataclasses.field(default_factory=list)
    """Frames that were rendered now."""
    skipped: list[int] = dataclasses.field(default_factory=list)
    """Frames that were up to date."""
    warnings: list[str] = dataclasses.field(default_factory=list)


def capture(
    scene: bpy.types.Scene,
    folder: Path,
    wanted: list[int],
    *,
    view_layer: bpy.types.ViewLayer | None = None,
    force: bool = False,
    blocking: bool = True,
) -> Job[CaptureResult]:
    """Render frames into a shot folder; closing the generator leaves complete frames only.

    Frames that do not go with those of the shot, because the size or the settings have changed or
    with ``force``, are staged: they replace the old ones when all are rendered, and are kept until
    then.

    Args:
        scene: rendered with its own engine, size, samples and view, but without compositing.
        folder: the shot folder; created if necessary.
        wanted: the frames.
        view_layer: the view layer to render; by default as ``settings.layer_to_render`` tells.
        force: also render frames that are up to date.
        blocking: render synchronously, else in Blender's render job, which keeps the interface
            usable.

    Returns:
        The frames that were rendered and skipped, and warnings.

    Raises:
        PaintoverError: the scene cannot be rendered, or a file cannot be written.
        Cancelled: the user stopped the render.
    """
    layer = view_layer or settings.layer_to_render(scene)
    _check(scene, folder, wanted)
    remove_leftovers(folder)
    before = _shot_before(folder)
    shot = _shot(scene, layer, folder, wanted, before)
    now = settings.settings_now(scene, layer)
    digest = digest_json(now)
    current = settings.current_digests(now, before.manifest if before else None)
    shot.manifest.source["settings"] = _settings_in_use(before) | {digest: now}
    result = CaptureResult(skipped=[] if force else _up_to_date(shot, wanted, current))
    target = staging.target(shot, before.manifest if before else None, current, force=force)
    result.rendered = [] if target is shot else _up_to_date(target, wanted, current)
    todo = sorted(set(wanted) - {*result.skipped, *result.rendered})
    if todo:
        # A render without a window frees images, and the unsaved paint in them.
        keyframe_images.save_unsaved(shot)
        result.warnings += notes.of_scene(scene, layer)
        result.warnings += simulations.notes(simulations.not_baked(scene))
        preparation = Preparation(scene, layer, blocking=blocking)
        try:
            preparation.begin()
            yield from _render(preparation, target, todo, digest, result, blocking=blocking)
        finally:
            preparation.end()
    if target is not shot:
        _take_in(target, shot, result)
        _warn_of_lost_frames(before, shot, result)
    if result.rendered:
        result.warnings += notes.of_passes(shot.manifest.source["engine"], shot.manifest.passes)
    return result


def _render(
    preparation: Preparation,
    shot: Shot,
    todo: list[int],
    digest: str,
    result: CaptureResult,
    *,
    blocking: bool,
) -> Job[None]:
    """Render frames into a shot, one by one."""
    started = time.monotonic()
    for number, frame in enumerate(todo):
        left = (time.monotonic() - started) / number * (len(todo) - number) if number else -1.0
        progress = Progress(number / len(todo), left, f"Frame {frame}")
        yield progress
        for step in preparation.simulate(todo[-1]):
            yield dataclasses.replace(progress, text=f"Simulating frame {step}")
        scene, layer = preparation.scene_and_layer()
        scene.frame_set(frame)
        if scene.camera is None:
            raise PaintoverError(f"Frame {frame} has no camera; add one to the scene.")
        camera = cameras.camera_now(scene, layer)
        for _ in frames.render(scene, blocking=blocking):
            yield progress
        scene, layer = preparation.scene_and_layer()
        with staging.blank_keyframe_follows(shot, frame):
            names = frames.save(scene, shot.image_path(frame), shot.passes_path(frame))
        record = FrameRecord(
            image=digest_picture(shot.image_path(frame)),
            passes=digest_picture(shot.passes_path(frame)),
            settings=digest,
            camera=camera,
        )
        _add_frame(shot, frame, record, passes.meanings(names), result)
        shot.save()
        result.rendered = sorted({*result.rendered, frame})
        _log.debug("Captured frame %d into %s", frame, shot.folder)


def _take_in(stage: Shot, shot: Shot, result: CaptureResult) -> None:
    """Replace frames of the shot by those that waited, now that all are rendered."""
    for frame, record in stage.manifest.frames.items():
        staging.take_in(stage, shot, frame)
        _add_frame(shot, frame, record, dict(stage.manifest.passes), result)
    shot.save()
    staging.remove(stage)


def _warn_of_lost_frames(before: Shot | None, shot: Shot, result: CaptureResult) -> None:
    lost = set(before.frames if before else ()) - set(shot.frames)
    if lost:
        _warn(
            result,
            f"Frames {name_frames(lost)} left the shot, because they have another size or other "
            "passes than the new ones; capture them too.",
        )


def _check(scene: bpy.types.Scene, folder: Path, wanted: list[int]) -> None:
    if not wanted:
        raise PaintoverError("There is no frame to capture; change the frame range.")
    if bpy.app.is_job_running("RENDER"):
        raise PaintoverError("Blender is still rendering; wait for it, or stop it with Esc.")
    if scene.camera is None and not any(marker.camera for marker in scene.timeline_markers):
        raise PaintoverError(f'Scene "{scene.name}" has no camera; add one and capture again.')
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise PaintoverError(
            f"Cannot write to {folder}: {error.strerror or error}; choose a shot folder with write "
            "permission."
        ) from error


def _shot(
    scene: bpy.types.Scene,
    layer: bpy.types.ViewLayer,
    folder: Path,
    wanted: list[int],
    before: Shot | None,
) -> Shot:
    """Return the shot with a manifest for this capture; nothing is saved yet."""
    width, height = properties.render_size(scene)
    manifest = Manifest(width, height, min(wanted), max(wanted))
    manifest.source = {
        "kind": "blender",
        "blend": Path(bpy.data.filepath).name,
        "blender": bpy.app.version_string,
        "engine": scene.render.engine,
        "scene": scene.name,
        "view_layer": layer.name,
    }
    if stereo.rendered(scene):
        manifest.source["views"] = stereo.captured(scene)
    manifest.fps = scene.render.fps / scene.render.fps_base
    manifest.colour = settings.colour_now(scene)
    if before:
        old = before.manifest
        if old.frames and old.source.get("kind") != "blender":
            raise PaintoverError(
                f"{folder} has a shot that was imported from pictures; choose another shot folder "
                "for this scene."
            )
        manifest.frames, manifest.passes = dict(old.frames), dict(old.passes)
        manifest.guides, manifest.removed_keys = old.guides, old.removed_keys
        manifest.weights, manifest.blank_keys = old.weights, old.blank_keys
        manifest.id, manifest.owner = old.id, old.owner
        if (old.width, old.height) != (width, height):
            manifest.frames = {}
    return Shot(folder, manifest)


def _shot_before(folder: Path) -> Shot | None:
    if not Shot.exists(folder):
        return None
    try:
        return Shot.open(folder)
    except PaintoverError:
        try:
            version = json.loads((folder / MANIFEST_NAME).read_text(encoding="utf-8"))["version"]
        except (ValueError, KeyError, TypeError):
            version = 0
        if isinstance(version, int) and version > MANIFEST_VERSION:
            raise
        # The manifest is damaged: capture all frames again, as its error message says.
        return None


def _settings_in_use(before: Shot | None) -> dict[str, Any]:
    """Return the render settings of the frames of a shot, by their digest."""
    known = before.manifest.source.get("settings") if before else None
    used = {record.settings for record in before.manifest.frames.values()} if before else set()
    return {digest: known[digest] for digest in used & known.keys()} if known else {}


def _up_to_date(shot: Shot, wanted: list[int], current: set[str]) -> list[int]:
    records = shot.manifest.frames
    return [
        frame
        for frame in sorted(set(wanted))
        if frame in records
        and records[frame].settings in current
        and is_picture(shot.image_path(frame), records[frame].image)
        and is_picture(shot.passes_path(frame), records[frame].passes)
    ]


def _add_frame(
    shot: Shot, frame: int, record: FrameRecord, meanings: dict[str, str], result: CaptureResult
) -> None:
    manifest = shot.manifest
    manifest.frames[frame] = record
    alike = {
        number: other
        for number, other in manifest.frames.items()
        if other.settings == record.settings
    }
    known = [other.camera for other in alike.values() if other.camera]
    if versions.orthographic_motion_is_wrong(
        manifest.source["engine"]
    ) and cameras.orthographic_camera_moves(known):
        meanings.pop("motion", None)
        _warn(
            result,
            "The Vector pass of Cycles is wrong if an orthographic camera moves, so motion is "
            "estimated from the pictures; use EEVEE, or Blender 5.2 or later, for exact motion.",
        )
    if record.camera is None:
        _warn(
            result,
            "The camera is panoramic, custom or no camera object, so the motion of the background "
            "is not known.",
        )
    # The manifest lists the passes of all frames, so drop frames with other passes.
    if manifest.passes and {**manifest.passes, "motion": ""} != {**meanings, "motion": ""}:
        manifest.frames = alike
    manifest.passes = meanings
    numbers = manifest.frames.keys()
    manifest.frame_start, manifest.frame_end = min(numbers), max(numbers)


def _warn(result: CaptureResult, sentence: str) -> None:
    if sentence not in result.warnings:
        result.warnings.append(sentence)
