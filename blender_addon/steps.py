# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps as jobs on a scene, for the operators and the command line."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import bpy

from . import capture, compositor, properties, shot_folders, shot_links
from .engine.shared import protocol
from .engine.shared.checked import from_data
from .engine.shared.coverage_records import Coverage
from .engine.shared.errors import PaintoverError
from .engine.shared.flicker_records import describe
from .engine.shared.frame_lists import counted
from .engine.shared.freshness import Step, style_state
from .engine.shared.keyframes.names import describe_unused
from .engine.shared.shot import Shot
from .engine.shared.style_header import read_style_header
from .engine.shared.trainings import kept
from .engine_process import client as engine_client
from .engine_process.live_picture import LivePicture
from .jobs import Job, Progress
from .keyframes import images as keyframe_images
from .keyframes import weights as keyframe_weights
from .training_view import view as training_view

Result = TypeVar("Result")
Warn = Callable[[str], None]


def open_shot(scene: bpy.types.Scene) -> Shot:
    """Open the scene's shot. Raises PaintoverError if there is none, or if it has vanished."""
    return Shot.open(shot_folders.folder_to_write(scene))


def capture_frames(
    scene: bpy.types.Scene,
    warn: Warn,
    *,
    frames: list[int] | None = None,
    force: bool = False,
    blocking: bool = True,
) -> Job[str]:
    """Render frames into the scene's shot, and write into the scene which shot it has.

    Args:
        scene: its settings and shot are used.
        warn: receives warnings.
        frames: None: the shot's range.
        force: also render frames that are up to date.
        blocking: as in ``capture.capture``.

    Returns:
        The message to report.

    Raises:
        PaintoverError: the scene cannot be rendered, or a file cannot be written.
    """
    folder = shot_folders.folder_to_write(scene)
    source = _pictures_of(folder)
    if source:
        return (
            f"The frames of this shot are pictures from {source}; there is nothing to render. To "
            "capture the scene, choose another shot folder"
        )
    reference = properties.SceneReference(scene)
    wanted = properties.frames(scene) if frames is None else frames
    try:
        result = yield from capture.capture(
            scene, folder, wanted, force=force, partly=frames is not None, blocking=blocking
        )
    finally:
        _claim(reference, folder)
    for sentence in result.warnings:
        warn(sentence)
    only_mattes = f"rendered the mattes of {counted(len(result.mattes), 'frame')}"
    if result.mattes and not result.rendered:
        return only_mattes.capitalize()
    parts = [f"Captured {counted(len(result.rendered), 'frame')}"]
    parts += [only_mattes] if result.mattes else []
    parts += [f"{len(result.skipped)} up to date"] if result.skipped else []
    return "; ".join(parts)


def _pictures_of(folder: Path) -> str:
    """Return where the pictures of an imported shot came from, "" if it is no imported shot."""
    try:
        source = Shot.open(folder).manifest.source
    except PaintoverError:
        return ""
    return str(source.get("input") or "elsewhere") if source.get("kind") == "pictures" else ""


def import_pictures(scene: bpy.types.Scene, warn: Warn, pictures: Path) -> Job[str]:
    """Import a folder of pictures, or a movie, as the scene's shot.

    A movie keeps its own frame rate; pictures get that of the scene.

    Returns:
        The message to report.

    Raises:
        PaintoverError: there are no fitting pictures, or the engine failed.
    """
    folder = shot_folders.folder_to_write(scene)
    reference = properties.SceneReference(scene)
    fps = properties.frame_rate(scene)
    try:
        result = yield from engine_client.run(
            lambda job: protocol.ImportPictures(
                job, str(folder), str(pictures), fps_of_pictures=fps
            ),
            warn,
        )
    finally:
        _claim(reference, folder)
    return (
        f"Imported {counted(result['frames'], 'frame')} from {pictures}, at {result['fps']:.6g} "
        "frames per second"
    )


def _claim(reference: properties.SceneReference, folder: Path) -> None:
    scene = reference.find()
    if scene is not None:
        shot_links.claim(scene, folder)


def train(
    scene: bpy.types.Scene,
    warn: Warn,
    *,
    seconds: float = 0.0,
    resume: bool = False,
    live: bool = False,
) -> Job[str]:
    """Train the style on the painted keyframes; unsaved paint is saved first.

    Args:
        scene: its settings and shot are used.
        warn: receives the engine's warnings.
        seconds: training time; 0: the scene's setting.
        resume: continue the last training.
        live: show a live picture in the panel.

    Returns:
        The message to report.

    Raises:
        PaintoverError: nothing is painted, or the engine failed.
    """
    shot = open_shot(scene)
    settings = properties.of(scene)
    keyframe_images.save_unsaved(shot)
    check_painted(shot)
    with contextlib.ExitStack() as opened:
        picture = view = None
        if live:
            keyframe_weights.write(scene, shot)
            light, unpainted = settings.light, settings.unpainted
            picture = LivePicture(shot, scene.frame_current, light, unpainted)
            opened.callback(picture.close)
            view = training_view.begin(shot, picture.place.frame)
            opened.callback(training_view.end)
        request = protocol.Train(
            0,
            shot=str(shot.folder),
            style=settings.style,
            seconds=seconds or settings.seconds,
            resume=resume,
            device=settings.device,
            live=picture.place if picture else None,
            watch=view.place if view else None,
        )

        def show(frame: int) -> None:
            if picture:
                picture.show(frame)
                training_view.picture_came()

        result = yield from engine_client.run(
            lambda job: dataclasses.replace(request, job=job), warn, show
        )
    if result["kept"]:
        return "The style stays as it was"
    header = read_style_header(shot.style_path(request.style))
    keys, steps = len(header.trained_on), header.steps
    learnt = f"Trained on {counted(keys, 'keyframe')} in {counted(steps, 'step')}"
    return f"{learnt}. {result['went']}"


def keep_training() -> None:
    """End the training that runs, and keep what it has learnt as the style.

    Raises:
        PaintoverError: nothing is being trained, or the engine has stopped.
    """
    client = engine_client.running()
    if client is None or not client.tell(protocol.TrainKeep):
        raise PaintoverError("Nothing is being trained; press Train first.")


def take_training_back(scene: bpy.types.Scene, training: str) -> str:
    """Let the scene's style be as a kept training has written it; return the message to report.

    Args:
        scene: its shot and style are used.
        training: as in ``kept.chosen``.

    Raises:
        PaintoverError: there is no such training, or the style is being trained.
    """
    shot, style = open_shot(scene), properties.of(scene).style
    taken = kept.take_back(shot, style, training)
    return f'The style "{style}" is that of {kept.describe_date(taken.record.began)} again'


def sweep(scene: bpy.types.Scene, warn: Warn, *, minutes: float) -> Job[str]:
    """Search for the training settings of the shot; the scene's style becomes the one it trains.

    Unsaved paint is saved first.

    Args:
        scene: its settings and shot are used.
        warn: receives the engine's warnings.
        minutes: time for all of it.

    Returns:
        The message to report.

    Raises:
        PaintoverError: nothing is painted, or the engine failed.
    """
    shot = open_shot(scene)
    keyframe_images.save_unsaved(shot)
    check_painted(shot)
    request = protocol.Sweep(
        0, shot=str(shot.folder), minutes=minutes, device=properties.of(scene).device
    )
    reference = properties.SceneReference(scene)
    result = yield from engine_client.run(lambda job: dataclasses.replace(request, job=job), warn)
    tried = f"Tried {counted(result['trials'], 'setting')}; all results are in {result['folder']}"
    found = reference.find()
    if not result["style"] or found is None:
        return tried
    if not found.is_editable:
        return f'{tried}; the style is "{result["name"]}"'
    properties.of(found).style = result["name"]
    return f'{tried}; the style is now "{result["name"]}"'


def check_painted(shot: Shot) -> None:
    """Raise PaintoverError if no keyframe is painted."""
    keys = shot.key_frames()
    unused = describe_unused(shot)
    if not keys:
        way_out = unused or "add one and paint on it"
        raise PaintoverError(f"The shot {shot.folder} has no keyframe yet; {way_out}.")
    if not shot.painted_keys():
        raise PaintoverError(
            f"{shot.key_path(keys[0])} still equals the rendered frame; paint on it first"
            f"{'; ' * bool(unused)}{unused}."
        )


def preview(
    scene: bpy.types.Scene,
    warn: Warn,
    *,
    frames: list[int] | None = None,
    force: bool = False,
) -> Job[str]:
    """Project the painted keyframes to frames, without training; unsaved paint is saved first.

    Args:
        scene: its settings and shot are used.
        warn: receives the engine's warnings.
        frames: None: every frame of the shot.
        force: also paint frames that are up to date.

    Returns:
        The message to report.

    Raises:
        PaintoverError: nothing is painted, or the engine failed.
    """
    shot = open_shot(scene)
    keyframe_images.save_unsaved(shot)
    check_painted(shot)
    keyframe_weights.write(scene, shot)
    request = protocol.Preview(
        0,
        shot=str(shot.folder),
        style=preview_name(shot),
        frames=frames or [],
        force=force,
        unpainted=properties.of(scene).unpainted,
    )
    result = yield from engine_client.run(lambda job: dataclasses.replace(request, job=job), warn)
    return _done_sentence("Previewed", result)


def preview_name(shot: Shot) -> str:
    """Return the folder name of previews in ``out/``: a name that no trained style has."""
    name, number = "preview", 1
    while shot.style_path(name).is_file():
        number += 1
        name = f"preview-{number}"
    return name


def suggest(scene: bpy.types.Scene, warn: Warn) -> Job[str]:
    """Find what the paintings show of the shot, and which frames to paint next.

    Unsaved paint is saved first.

    Returns:
        The message to report.

    Raises:
        PaintoverError: there is no shot or nothing to paint, or the engine failed.
    """
    shot = open_shot(scene)
    keyframe_images.save_unsaved(shot)
    keyframe_weights.write(scene, shot)
    result = yield from engine_client.run(lambda job: protocol.Suggest(job, str(shot.folder)), warn)
    return from_data(Coverage, result).sentence().rstrip(".")


def _done_sentence(verb: str, result: dict[str, Any]) -> str:
    skipped = f"; {result['skipped']} up to date" if result["skipped"] else ""
    return f"{verb} {counted(result['frames'], 'frame')}{skipped}"


def stylize(
    scene: bpy.types.Scene,
    warn: Warn,
    *,
    frames: list[int] | None = None,
    force: bool = False,
) -> Job[str]:
    """Stylize frames that are out of date.

    Args:
        scene: its settings and shot are used.
        warn: receives the engine's warnings.
        frames: None: every frame of the shot.
        force: also paint frames that are up to date.

    Returns:
        The message to report.

    Raises:
        PaintoverError: there is no style, or the engine failed.
    """
    shot = open_shot(scene)
    settings = properties.of(scene)
    read_style_header(shot.style_path(settings.style))
    keyframe_weights.write(scene, shot)
    request = protocol.Stylize(
        0,
        shot=str(shot.folder),
        style=settings.style,
        frames=frames or [],
        format=settings.format,
        depth=int(settings.depth),
        force=force,
        device=settings.device,
        light=settings.light,
        unpainted=settings.unpainted,
    )
    reference = properties.SceneReference(scene)
    result = yield from engine_client.run(lambda job: dataclasses.replace(request, job=job), warn)
    compositor.refresh(reference.get(), shot)
    sentence = _done_sentence("Stylized", result)
    if result["unsteady"]:
        sentence += f"; {describe(result['unsteady']).rstrip('.')}"
    return sentence


def stylized_frames(scene: bpy.types.Scene) -> list[int]:
    """Return the frames that Send to Compositor would show; none if there is no shot yet."""
    settings = properties.of(scene)
    try:
        return open_shot(scene).out_frames(settings.style, f".{settings.format}")
    except PaintoverError:
        return []


def compose(scene: bpy.types.Scene) -> str:
    """Send the stylized frames to the compositor; return the message to report."""
    notes = compositor.compose(scene, open_shot(scene), properties.of(scene).style)
    return "; ".join(["The stylized frames are in the compositor", *notes])


def run(scene: bpy.types.Scene, warn: Warn, *, blocking: bool) -> Job[str]:
    """Do every step that is out of date, from capture to the compositor.

    Returns:
        The message to report.

    Raises:
        PaintoverError: a step failed, or no keyframe is painted yet.
    """
    reference = properties.SceneReference(scene)
    if not _pictures_of(shot_folders.folder_to_write(scene)):
        yield from _part("Capture", 0.0, 0.35, capture_frames(scene, warn, blocking=blocking))
    scene = reference.get()
    shot = open_shot(scene)
    style = properties.of(scene).style
    keyframe_images.save_unsaved(shot)
    check_painted(shot)
    if style_state(shot, style).step is not Step.UP_TO_DATE:
        yield from _part("Train", 0.35, 0.7, train(scene, warn, live=not blocking))
    yield from _part("Stylize", 0.7, 1.0, stylize(reference.get(), warn))
    scene = reference.get()
    if compositor.state(scene, shot, style).step is not Step.UP_TO_DATE:
        return compose(scene)
    return "Everything is up to date"


def _part(name: str, start: float, end: float, job: Job[Result]) -> Job[Result]:
    """Run a job as a part, from ``start`` to ``end``, of a longer one."""
    try:
        while True:
            progress = next(job)
            yield Progress(
                start + (end - start) * progress.fraction,
                progress.seconds_left,
                f"{name}: {progress.text}",
            )
    except StopIteration as stop:
        result: Result = stop.value
        return result
    finally:
        job.close()
