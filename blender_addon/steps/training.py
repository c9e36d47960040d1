# SPDX-License-Identifier: GPL-3.0-or-later
"""Train, the trainings that are kept, and the search for settings."""

from __future__ import annotations

import contextlib

import bpy

from .. import properties
from ..engine.shared import protocol
from ..engine.shared.errors import PaintoverError
from ..engine.shared.frame_lists import counted
from ..engine.shared.style_header import read_style_header
from ..engine.shared.trainings import kept
from ..engine_process import client as engine_client
from ..engine_process.live_picture import LivePicture
from ..jobs import Job
from ..keyframes import weights as keyframe_weights
from ..training_view import view as training_view
from .scene_shot import Warn, open_painted, open_shot


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
    shot = open_painted(scene)
    settings = properties.of(scene)
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

        result = yield from engine_client.run(request, warn, show)
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
    if client is None or not client.tell(protocol.TrainKeep(0)):
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
    shot = open_painted(scene)
    request = protocol.Sweep(
        0, shot=str(shot.folder), minutes=minutes, device=properties.of(scene).device
    )
    reference = properties.SceneReference(scene)
    result = yield from engine_client.run(request, warn)
    tried = f"Tried {counted(result['trials'], 'setting')}; all results are in {result['folder']}"
    found = reference.find()
    if not result["style"] or found is None:
        return tried
    if not found.is_editable:
        return f'{tried}; the style is "{result["name"]}"'
    properties.of(found).style = result["name"]
    return f'{tried}; the style is now "{result["name"]}"'
