# SPDX-License-Identifier: GPL-3.0-or-later
"""The capture as a job: renders frames that are missing or out of date into the shot folder."""

from __future__ import annotations

import contextlib
import dataclasses
import tempfile
import time
from collections.abc import Generator, Iterable
from pathlib import Path

import bpy

from .. import logs, mattes, properties
from ..engine.shared import passes
from ..engine.shared.corrections import Corrections
from ..engine.shared.errors import PaintoverError
from ..engine.shared.files import cannot_write, digest_json
from ..engine.shared.frame_lists import name_frames
from ..engine.shared.manifest import FrameRecord
from ..engine.shared.pictures.digests import digest_picture
from ..engine.shared.shot import Shot
from ..engine.shared.temporary import remove_leftovers
from ..jobs import Job, Progress, repeated
from ..keyframes import images as keyframe_images
from . import (
    cameras,
    copies,
    frames,
    matte_pass,
    notes,
    own_files,
    settings,
    simulations,
    staging,
)
from .frame_saving import FrameSaving
from .manifests import LONGEST_RECORD, add_frame, settings_in_use, shot_before, shot_now
from .plan import Plan
from .preparation import Preparation

_log = logs.logger(__name__)


@dataclasses.dataclass
class CaptureResult:
    """Result of a capture."""

    rendered: list[int] = dataclasses.field(default_factory=list)
    """Frames that were rendered now."""
    mattes: list[int] = dataclasses.field(default_factory=list)
    """Frames that were up to date, of which only the matte was rendered now."""
    skipped: list[int] = dataclasses.field(default_factory=list)
    """Frames that were up to date."""
    warnings: list[str] = dataclasses.field(default_factory=list)

    def warn(self, sentences: Iterable[str]) -> None:
        """Add the warnings that are not there yet."""
        self.warnings += [each for each in sentences if each not in self.warnings]


def capture(
    scene: bpy.types.Scene,
    folder: Path,
    wanted: list[int],
    *,
    view_layer: bpy.types.ViewLayer | None = None,
    force: bool = False,
    partly: bool = False,
    blocking: bool = True,
    result: CaptureResult | None = None,
) -> Job[CaptureResult]:
    """Render frames into a shot folder; closing the generator leaves complete frames only.

    Mattes are rendered along with the frames, if not the whole picture is painted. After another
    choice of what is painted, only mattes are rendered; they replace the old ones when all of them
    are there.

    Frames that do not go with those of the shot, because the size or the settings have changed or
    with ``force``, are staged: they replace the old ones when all are rendered, and are kept until
    then.

    Args:
        scene: rendered with its own engine, size, samples and view, but without compositing.
        folder: the shot folder; created if necessary.
        wanted: the frames.
        view_layer: the view layer to render; by default as ``settings.layer_to_render`` tells.
        force: also render frames that are up to date.
        partly: leave other frames of the shot without the mattes that they lack.
        blocking: render synchronously, else in Blender's render job, which keeps the interface
            usable.
        result: an empty one, which is filled also where the capture ends early.

    Returns:
        Which frames were rendered and skipped, and warnings.

    Raises:
        PaintoverError: the scene cannot be rendered, or a file cannot be written.
        Cancelled: the user stopped the render.
    """
    reference = properties.SceneReference(scene)
    layer = view_layer or settings.layer_to_render(scene)
    _check(scene, folder, wanted)
    matte = mattes.choice(scene)
    if matte:
        matte_pass.check(scene, layer, matte)
    remove_leftovers(folder)
    before = shot_before(folder)
    shot = shot_now(scene, layer, folder, wanted, before)
    shot.check_room(wanted, LONGEST_RECORD)
    now = settings.settings_now(scene, layer)
    digest = digest_json(now)
    current = settings.current_digests(now, before.manifest if before else None, scene)
    stored = {**now, settings.OF_SCENE: copies.place_of(scene)}
    shot.manifest.source["settings"] = settings_in_use(before) | {digest: stored}
    corrections = Corrections(
        before or shot,
        staging.moved_by_killed(folder),
        is_damaged=before is None and Shot.exists(folder),
    )
    name, note = (matte.name, matte.note) if matte else ("", {})
    plan = Plan(digest, current, name, note, corrections)
    result = result or CaptureResult()
    result.skipped = [] if force else plan.complete(shot, wanted)
    try:
        target = staging.target(shot, before.manifest if before else None, current, force=force)
        result.rendered = [] if target is shot else plan.complete(target, wanted)
        todo = sorted(set(wanted) - {*result.skipped, *result.rendered})
        if todo:
            # A render without a window frees images, and the unsaved paint in them.
            keyframe_images.save_unsaved(shot)
            result.warnings += notes.of_scene(scene, layer)
            result.warnings += simulations.notes(scene)
            yield from _render_all(scene, layer, target, todo, plan, result, blocking=blocking)
        if target is not shot:
            _take_in(target, shot, plan, result)
            _warn_of_lost_frames(before, shot, result)
        others = [] if partly else [n for n in shot.frames if not plan.has_matte(shot, n)]
        if others:
            keyframe_images.save_unsaved(shot)
            scene = reference.get()
            layer = view_layer or settings.layer_to_render(scene)
            yield from _render_all(
                scene,
                layer,
                shot,
                others,
                plan,
                result,
                mattes_only=True,
                blocking=blocking,
            )
        plan.settle(shot)
    finally:
        result.warn(corrections.told())
    if result.rendered:
        result.warnings += notes.of_passes(shot.manifest.source["engine"], shot.manifest.passes)
    return result


def _render_all(
    scene: bpy.types.Scene,
    layer: bpy.types.ViewLayer,
    shot: Shot,
    todo: list[int],
    plan: Plan,
    result: CaptureResult,
    *,
    mattes_only: bool = False,
    blocking: bool,
) -> Job[None]:
    """Render frames and mattes into a shot, or mattes only; the scene stays as it was."""
    preparation, saving = Preparation(scene, layer, blocking=blocking), FrameSaving(shot)
    try:
        preparation.begin()
        yield from _render(
            preparation,
            saving,
            todo,
            plan,
            result,
            mattes_only=mattes_only,
            blocking=blocking,
        )
    except BaseException:
        with contextlib.suppress(PaintoverError):  # the frames are noted, too
            saving.finish()
        raise
    finally:
        preparation.end()
    saving.finish()


def _render(
    preparation: Preparation,
    saving: FrameSaving,
    todo: list[int],
    plan: Plan,
    result: CaptureResult,
    *,
    mattes_only: bool,
    blocking: bool,
) -> Job[None]:
    shot, started = saving.shot, time.monotonic()
    for number, frame in enumerate(todo):
        left = (time.monotonic() - started) / number * (len(todo) - number) if number else -1.0
        progress = Progress(number / len(todo), left, f"Frame {frame}")
        yield progress
        for step in preparation.simulate(todo[-1]):
            yield dataclasses.replace(progress, text=f"Simulating frame {step}")
        scene, _ = preparation.scene_and_layer()
        scene.frame_set(frame)
        if scene.camera is None:
            raise PaintoverError(f"Frame {frame} has no camera; add one to the scene.")
        with saving.of_frame(frame):
            if mattes_only or plan.has_frame(shot, frame):
                record = shot.manifest.frames[frame]
                result.mattes.append(frame)
            else:
                work = _render_frame(preparation, shot, frame, plan, blocking=blocking)
                record, meanings = yield from repeated(work, progress)
                result.warn(add_frame(shot, frame, record, meanings))
                result.rendered = sorted({*result.rendered, frame})
            if plan.matte:
                path = shot.matte_path(frame, plan.matte)
                plan.corrections.keep(frame, path)
                matte = _render_matte(preparation, path, plan.matte, blocking=blocking)
                text = f"Matte of frame {frame}"
                made = yield from repeated(matte, dataclasses.replace(progress, text=text))
                plan.note_matte(shot, record, made)
        _log.debug("Captured frame %d into %s", frame, shot.folder)


def _render_frame(
    preparation: Preparation,
    shot: Shot,
    frame: int,
    plan: Plan,
    *,
    blocking: bool,
) -> Generator[None, None, tuple[FrameRecord, dict[str, str]]]:
    """Render the current frame into a shot; return its record and the meanings of its passes."""
    scene, layer = preparation.scene_and_layer()
    camera = cameras.camera_now(scene, layer)
    yield from frames.render(scene, blocking=blocking)
    scene, layer = preparation.scene_and_layer()
    if not Shot.exists(shot.folder):
        shot.save()  # first, as pictures without a manifest are of others
    for path in (shot.image_path(frame), shot.passes_path(frame)):
        plan.corrections.keep(frame, path)
    with staging.blank_keyframe_follows(shot, frame):
        names = frames.save(scene, shot.image_path(frame), shot.passes_path(frame))
    record = FrameRecord(
        image=digest_picture(shot.image_path(frame)),
        passes=digest_picture(shot.passes_path(frame)),
        settings=plan.digest,
        camera=camera,
    )
    return record, passes.meanings(names)


def _render_matte(
    preparation: Preparation, path: Path, name: str, *, blocking: bool
) -> Generator[None, None, str]:
    """Render the matte of the current frame; return its digest."""
    while True:
        scene, layer = preparation.scene_and_layer()
        matte_pass.hold_out(scene, layer, name)
        yield from frames.render(scene, blocking=blocking)
        scene, layer = preparation.scene_and_layer()
        if matte_pass.is_held_out(scene):
            break  # else the .blend was saved meanwhile, so the frame itself may be rendered
    try:
        matte_pass.save(scene, path)
    finally:
        matte_pass.release(scene)
    return digest_picture(path)


def _take_in(stage: Shot, shot: Shot, plan: Plan, result: CaptureResult) -> None:
    """Replace frames of the shot by those that waited, now that all are rendered."""
    for frame, record in stage.manifest.frames.items():
        staging.take_in(stage, shot, frame, plan)
        result.warn(add_frame(shot, frame, record, dict(stage.manifest.passes)))
    shot.save()
    own_files.remove_stage(shot.folder, stage.manifest.id)


def _warn_of_lost_frames(before: Shot | None, shot: Shot, result: CaptureResult) -> None:
    lost = set(before.frames if before else ()) - set(shot.frames)
    if lost:
        result.warn(
            [
                f"Frames {name_frames(lost)} left the shot, because they have another size or "
                "other passes than the new ones; capture them too."
            ]
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
        raise cannot_write(folder, error) from error
    own_files.check_room(folder)
