# SPDX-License-Identifier: GPL-3.0-or-later
"""What each step of the command does to a scene, and what it prints.

Each raises PaintoverError, and those that take long Cancelled.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

from .. import (
    composed_frames,
    compositor,
    farm_export,
    flamenco,
    jobs,
    properties,
    shot_choices,
    shot_folders,
    states,
    steps,
)
from ..engine.shared import shot_status
from ..engine.shared.coverage_records import describe, report
from ..engine.shared.errors import PaintoverError
from ..engine.shared.flicker_records import read_flickers, unsteady_frames
from ..engine.shared.frame_lists import parse_frames
from ..engine.shared.keyframes.versions import versions_of
from ..engine.shared.trainings import kept
from ..engine.shared.trainings.verdict import in_words
from ..engine_process import environment as engine_python
from ..keyframes import paintings
from .printing import say, say_lines, warn


def capture(scene: Any, options: argparse.Namespace) -> None:
    frames = parse_frames(options.frames) if options.frames else None
    job = steps.capture_frames(scene, warn, frames=frames, force=options.force)
    say(jobs.run_to_end("Capture", job))
    say(f"The shot is in {properties.shot_folder(scene)}")


def keyframe(scene: Any, options: argparse.Namespace) -> None:
    shot = steps.open_shot(scene)
    frame = scene.frame_current if options.frame is None else options.frame
    if options.action == "add":
        say(paintings.add(shot, frame, options.file))
    elif options.action == "remove":
        say(paintings.remove(shot, frame))
    elif options.action in ("duplicate", "move"):
        if options.onto is None:
            raise PaintoverError("Name the other frame, such as --onto 20.")
        transfer = paintings.duplicate if options.action == "duplicate" else paintings.move
        say(transfer(scene, shot, frame, options.onto, replace=options.replace))
    elif options.action == "versions":
        for version in versions_of(shot, frame):
            say(version.path.name, f"{version.date:%Y-%m-%d %H:%M:%S}")
    elif options.action == "take-back":
        say(paintings.take_back(shot, frame, options.version))
    else:
        for key, state in states.look(scene).keyframes.items():
            say(str(key), state, str(shot.key_path(key)))


def suggest(scene: Any, options: argparse.Namespace) -> None:
    with contextlib.redirect_stdout(sys.stderr if options.json else sys.stdout):
        coverage = jobs.run_to_end("Suggest Keyframes", steps.suggest(scene, warn))
    flickers = read_flickers(steps.open_shot(scene), properties.of(scene).style)
    if options.json:
        say_lines(json.dumps(report(coverage, flickers), indent=1))
    else:
        say_lines(describe(coverage, unsteady_frames(flickers)))


def preview(scene: Any, options: argparse.Namespace) -> None:
    frames = parse_frames(options.frames) if options.frames else None
    job = steps.preview(scene, warn, frames=frames, force=options.force)
    say(jobs.run_to_end("Preview", job))
    shot = steps.open_shot(scene)
    say(f"The previews are in {shot.out_path(steps.preview_name(shot), 0).parent}")


def train(scene: Any, options: argparse.Namespace) -> None:
    job = steps.train(scene, warn, seconds=options.seconds, resume=options.resume)
    say(jobs.run_to_end("Train", job))


def trainings(scene: Any, options: argparse.Namespace) -> None:
    if options.take:
        say(steps.take_training_back(scene, options.take))
        return
    found = states.look(scene).trainings
    for one in found.kept:
        say(one.name, kept.describe(one), in_words(one.record))
    for note in found.notes:
        warn(note)


def sweep(scene: Any, options: argparse.Namespace) -> None:
    job = steps.sweep(scene, warn, minutes=options.minutes)
    say(jobs.run_to_end("Find Settings", job))


def stylize(scene: Any, options: argparse.Namespace) -> None:
    frames = parse_frames(options.frames) if options.frames else None
    job = steps.stylize(scene, warn, frames=frames, force=options.force)
    say(jobs.run_to_end("Stylize", job))


def compose(scene: Any, options: argparse.Namespace) -> None:
    if options.remove:
        say("Removed" if compositor.remove(scene) else "There is no Paintover node")
        return
    say(steps.compose(scene))
    if options.render:
        frames = parse_frames(options.frames) if options.frames else properties.frames(scene)
        shot, style = steps.open_shot(scene), properties.of(scene).style
        job = composed_frames.render(scene, shot, style, Path(options.render), frames)
        say(jobs.run_to_end("Compose", job))


def farm(scene: Any, options: argparse.Namespace) -> None:
    if options.flamenco:
        say(flamenco.submit(scene, options.flamenco))
    else:
        say(
            farm_export.write_openjd(
                scene, Path(options.openjd), on_gpu=options.gpu, searches=options.sweep
            )
        )


def run(scene: Any, options: argparse.Namespace) -> None:
    say(jobs.run_to_end("Update All", steps.run(scene, warn, blocking=True)))


def shot(scene: Any, options: argparse.Namespace) -> None:
    job = shot_choices.choose(scene, options.action.upper())
    say(jobs.run_to_end("Choose Shot", job))


def status(scene: Any, options: argparse.Namespace) -> None:
    folder = properties.shot_folder(scene)
    snapshot = states.look(scene)
    try:
        shared = shot_status.read_status(folder)
    except PaintoverError:  # there is no shot yet, which its steps tell
        shared = {"styles": {}, "sweeps": {}}
    try:
        python = engine_python.find()
        engine = f"{python.path} ({python.origin})"
    except PaintoverError:
        engine = ""
    if options.json:
        data = {
            "folder": str(folder),
            "owner": shot_folders.other_owner(scene),
            "style": properties.of(scene).style,
            "engine": engine,
            "steps": {
                name: {"state": state.step.value, "why": state.why}
                for name, state in snapshot.steps.items()
            },
            "keyframes": {str(frame): state for frame, state in snapshot.keyframes.items()},
            "unused": snapshot.unused,
            "styles": shared["styles"],
            "sweeps": shared["sweeps"],
        }
        say_lines(json.dumps(data, indent=1))
        return
    say(f"Shot folder: {folder}")
    if snapshot.owner:
        say(snapshot.owner)
    say(f"Engine: {engine or 'not set up yet'}")
    for name, state in snapshot.steps.items():
        say(f"{name:9} {state.step.value:12} {state.why}")
    for frame, painted in snapshot.keyframes.items():
        say(f"keyframe {frame}: {painted}")
    if snapshot.unused:
        say(snapshot.unused)
    for line in shot_status.workers_in_words(shared):
        say(line)
