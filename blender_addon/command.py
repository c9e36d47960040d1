# SPDX-License-Identifier: GPL-3.0-or-later
"""``blender -b FILE.blend --command paintover STEP``: runs the steps without a window.

Exit codes: 0 done, 1 failed (one sentence on the standard error), 2 wrong usage, 130 cancelled.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import bpy

from . import (
    composed_frames,
    compositor,
    engine_command,
    farm_export,
    flamenco,
    jobs,
    mattes,
    properties,
    shot_choices,
    shot_folders,
    states,
    steps,
)
from .engine.shared import caches
from .engine.shared.errors import Cancelled, PaintoverError
from .engine.shared.frame_lists import keep_negative, parse_frames
from .engine.shared.keyframes.versions import versions_of
from .engine.shared.names import one_line
from .engine.shared.trainings import kept
from .engine.shared.trainings.verdict import in_words
from .engine_process import environment as engine_python
from .keyframes import paintings

DONE, FAILED, USAGE, CANCELLED = 0, 1, 2, 130

_DESCRIPTION = """\
Paint over one frame of the .blend's shot, and every frame follows that painting.

  capture    render the frames with the passes that Paintover uses
  keyframe   add, remove, list, duplicate or move keyframes, list versions, take one back
  preview    project the paintings to every frame, without training
  train      train the style on the paintings
  trainings  list the trainings that are kept of the style, or take one back
  sweep      search for the best training settings, and train a new style with them
  stylize    paint every frame with the style
  compose    send the stylized frames to the compositor
  farm       write a job for a render farm, or submit it
  run        do every step that is out of date
  shot       for a shot of another scene or .blend: keep it, copy it, or start a new one;
             saves the .blend
  status     show which steps are up to date
  engine     install, check, repair or remove the engine
  wheels     fill a folder of wheels, to install the engine without a network
"""


def main(argv: list[str]) -> int:
    """Run one step on the loaded .blend and return the exit code.

    Args:
        argv: the arguments after ``--command paintover``.
    """
    is_for_engine = bool(argv) and argv[0] in engine_command.VERBS
    return _run_for_engine(argv) if is_for_engine else _run_step(argv)


def _run_step(argv: list[str]) -> int:
    try:
        options = _parser().parse_args(keep_negative(argv))
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE
    try:
        _set_surroundings(options)
        scene = _scene(options.scene)
        if options.folder:
            properties.of(scene).folder = options.folder
        if options.style:
            properties.of(scene).style = options.style
        if options.step not in ("shot", "status"):
            shot_folders.tell_owner(scene, _warn)
        _set_painted_part(scene, options)
        with _cancel_on_signals():
            options.run(scene, options)
        if options.save or options.step == "shot":
            _save()
    except (Cancelled, KeyboardInterrupt):
        again = "Run it again to continue."
        if options.step == "train":
            again = "If a step was taken, running it again with --resume continues."
        print(f"Cancelled; finished files stay. {again}", file=sys.stderr)
        return CANCELLED
    except PaintoverError as error:
        _tell_failure(error)
        return FAILED
    return DONE


def _run_for_engine(argv: list[str]) -> int:
    try:
        with _cancel_on_signals():
            engine_command.run(argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else USAGE
    except (Cancelled, KeyboardInterrupt):
        print("Cancelled; what is downloaded stays. Run it again to continue.", file=sys.stderr)
        return CANCELLED
    except PaintoverError as error:
        print(f"paintover: {error}", file=sys.stderr)
        return FAILED
    return DONE


def _set_surroundings(options: argparse.Namespace) -> None:
    """Use the engine's Python, the folder for caches, and the kind of progress that are given."""
    if options.cache:
        os.environ[caches.VARIABLE] = options.cache
    engine_python.use(options.python)
    jobs.printing.for_farm = options.progress == "openjd"


def _tell_failure(error: PaintoverError) -> None:
    if jobs.printing.for_farm:
        print(f"openjd_fail: {one_line(str(error))}", flush=True)
    print(f"paintover: {error}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--scene", default="", help="name of the scene (else: the active one)")
    common.add_argument("--folder", default="", help="shot folder (else: the scene's setting)")
    common.add_argument("--style", default="", help="name of the style (else: the scene's setting)")
    common.add_argument(
        "--python", default="", metavar="FILE", help="Python that runs the engine (else: as usual)"
    )
    common.add_argument(
        "--cache",
        default="",
        metavar="DIR",
        help="folder for logs and compiled loops (else: PAINTOVER_CACHE, or as usual)",
    )
    common.add_argument(
        "--progress",
        choices=("plain", "openjd"),
        default="plain",
        help="how to show progress: plain lines, or openjd for render farms",
    )
    common.add_argument("--save", action="store_true", help="save the .blend afterwards")
    parser = argparse.ArgumentParser(
        prog="blender -b FILE.blend --command paintover",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(required=True, metavar="STEP", dest="step")

    def verb(name: str, run: Callable[[Any, argparse.Namespace], None]) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, parents=[common])
        added.set_defaults(run=run)
        return added

    step = verb("capture", _capture)
    step.add_argument(
        "--frames", default="", help="such as 1-30 or -2-2,45 (else: the shot's range)"
    )
    step.add_argument("--force", action="store_true", help="also render frames that are up to date")
    _add_painted_part(step)
    step = verb("keyframe", _keyframe)
    _add_keyframe_options(step)
    step = verb("preview", _preview)
    step.add_argument("--frames", default="", help="such as 1-30,45 or -2-2 (else: all)")
    step.add_argument("--force", action="store_true", help="also paint frames that are up to date")
    _add_outside(step)
    step = verb("train", _train)
    step.add_argument("--seconds", type=float, default=0.0, help="else: the scene's setting")
    step.add_argument("--resume", action="store_true", help="continue the last training")
    step = verb("trainings", _trainings)
    step.add_argument(
        "--take",
        default="",
        metavar="NAME",
        help="use this training as the style again; best, or previous for the last not in use",
    )
    step = verb("sweep", _sweep)
    step.add_argument("--minutes", type=float, default=2.0, help="time for it (default: 2)")
    step = verb("stylize", _stylize)
    step.add_argument("--frames", default="", help="such as 1-30,45 or -2-2 (else: all)")
    step.add_argument("--force", action="store_true", help="also paint frames that are up to date")
    _add_outside(step)
    step = verb("compose", _compose)
    step.add_argument("--remove", action="store_true", help="remove the node")
    step.add_argument(
        "--render", default="", metavar="DIR", help="also render the composed frames to this folder"
    )
    step.add_argument("--frames", default="", help="frames to render (else: the shot's range)")
    _add_farm(verb("farm", _farm))
    step = verb("run", _run)
    _add_painted_part(step)
    _add_outside(step)
    step = verb("shot", _shot)
    step.add_argument("action", choices=("keep", "copy", "new"))
    step = verb("status", _status)
    step.add_argument("--json", action="store_true", help="print JSON, for programs")
    return parser


def _add_farm(step: argparse.ArgumentParser) -> None:
    where = step.add_mutually_exclusive_group(required=True)
    where.add_argument(
        "--openjd",
        metavar="DIR",
        help="write a job bundle of Open Job Description to this folder",
    )
    where.add_argument(
        "--flamenco",
        metavar="URL",
        help="submit the job to Flamenco's Manager, such as http://farm:8080",
    )
    step.add_argument(
        "--sweep",
        action="store_true",
        help="with --openjd: the job that searches for training settings of this shot",
    )
    step.add_argument("--gpu", action="store_true", help="train on workers with a GPU only")


def _add_painted_part(step: argparse.ArgumentParser) -> None:
    """Add options for what of the picture is painted (else: the scene's setting)."""
    part = step.add_mutually_exclusive_group()
    part.add_argument("--whole-picture", action="store_true", help="paint everything")
    part.add_argument(
        "--object", action="append", default=[], metavar="NAME", help="paint only this; repeatable"
    )
    part.add_argument("--collection", default="", metavar="NAME", help="paint only its objects")


def _add_keyframe_options(step: argparse.ArgumentParser) -> None:
    actions = ("add", "remove", "list", "duplicate", "move", "versions", "take-back")
    step.add_argument("action", choices=actions)
    step.add_argument("frame", nargs="?", type=int, help="the keyframe (else: the current frame)")
    step.add_argument("--file", default="", help="add: painting of the frame, PNG or EXR")
    step.add_argument("--onto", type=int, help="duplicate, move: the other frame")
    step.add_argument("--replace", action="store_true", help="replace the painting that it has")
    step.add_argument("--version", default="", help="take-back: file name, as versions lists it")


def _add_outside(step: argparse.ArgumentParser) -> None:
    step.add_argument(
        "--unpainted",
        choices=("frame", "nothing"),
        help="what shows outside of the mattes, and where paintings are transparent (else: the "
        "scene's setting)",
    )


def _set_painted_part(scene: Any, options: argparse.Namespace) -> None:
    """Change the scene's settings as the options of ``_add_painted_part`` and ``_add_outside``."""
    given = vars(options)
    if given.get("object"):
        mattes.choose_objects(scene, given["object"])
    elif given.get("collection"):
        mattes.choose_collection(scene, given["collection"])
    elif given.get("whole_picture"):
        properties.of(scene).matte.source = mattes.WHOLE
    if given.get("unpainted"):
        properties.of(scene).unpainted = given["unpainted"]


def _scene(name: str) -> bpy.types.Scene:
    if not name:
        scene = bpy.context.scene
        assert scene is not None
        return scene
    # A linked scene may have the name of a local one; its full name has the library's too.
    for scene in sorted(bpy.data.scenes, key=lambda scene: scene.library is not None):
        if name in (scene.name, scene.name_full):
            return scene
    names = ", ".join(scene.name_full for scene in bpy.data.scenes)
    raise PaintoverError(f'There is no scene "{name}"; the .blend has {names}.')


@contextlib.contextmanager
def _cancel_on_signals() -> Iterator[None]:
    """Cancel the step on Ctrl+C and on SIGTERM, which render farms send."""
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, lambda *_: jobs.request_cancel())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _save() -> None:
    if not bpy.data.filepath:
        raise PaintoverError("The .blend has no file yet; save it in Blender first.")
    bpy.ops.wm.save_mainfile()


def _warn(sentence: str) -> None:
    print(f"paintover: {sentence}", file=sys.stderr)


def _capture(scene: Any, options: argparse.Namespace) -> None:
    frames = parse_frames(options.frames) if options.frames else None
    job = steps.capture_frames(scene, _warn, frames=frames, force=options.force)
    print(jobs.run_to_end("Capture", job))
    print(f"The shot is in {properties.shot_folder(scene)}")


def _keyframe(scene: Any, options: argparse.Namespace) -> None:
    shot = steps.open_shot(scene)
    frame = scene.frame_current if options.frame is None else options.frame
    if options.action == "add":
        print(paintings.add(shot, frame, options.file))
    elif options.action == "remove":
        print(paintings.remove(shot, frame))
    elif options.action in ("duplicate", "move"):
        if options.onto is None:
            raise PaintoverError("Name the other frame, such as --onto 20.")
        transfer = paintings.duplicate if options.action == "duplicate" else paintings.move
        print(transfer(scene, shot, frame, options.onto, replace=options.replace))
    elif options.action == "versions":
        for version in versions_of(shot, frame):
            print(f"{version.path.name}\t{version.date:%Y-%m-%d %H:%M:%S}")
    elif options.action == "take-back":
        print(paintings.take_back(shot, frame, options.version))
    else:
        for key, state in states.look(scene).keyframes.items():
            print(f"{key}\t{state}\t{shot.key_path(key)}")


def _preview(scene: Any, options: argparse.Namespace) -> None:
    frames = parse_frames(options.frames) if options.frames else None
    job = steps.preview(scene, _warn, frames=frames, force=options.force)
    print(jobs.run_to_end("Preview", job))
    shot = steps.open_shot(scene)
    print(f"The previews are in {shot.out_path(steps.preview_name(shot), 0).parent}")


def _train(scene: Any, options: argparse.Namespace) -> None:
    job = steps.train(scene, _warn, seconds=options.seconds, resume=options.resume)
    print(jobs.run_to_end("Train", job))


def _trainings(scene: Any, options: argparse.Namespace) -> None:
    if options.take:
        print(steps.take_training_back(scene, options.take))
        return
    found = states.look(scene).trainings
    for one in found.kept:
        print(f"{one.name}\t{kept.describe(one)}\t{in_words(one.record)}")
    for note in found.notes:
        _warn(note)


def _sweep(scene: Any, options: argparse.Namespace) -> None:
    job = steps.sweep(scene, _warn, minutes=options.minutes)
    print(jobs.run_to_end("Find Settings", job))


def _stylize(scene: Any, options: argparse.Namespace) -> None:
    frames = parse_frames(options.frames) if options.frames else None
    job = steps.stylize(scene, _warn, frames=frames, force=options.force)
    print(jobs.run_to_end("Stylize", job))


def _compose(scene: Any, options: argparse.Namespace) -> None:
    if options.remove:
        print("Removed" if compositor.remove(scene) else "There is no Paintover node")
        return
    print(steps.compose(scene))
    if options.render:
        frames = parse_frames(options.frames) if options.frames else properties.frames(scene)
        shot, style = steps.open_shot(scene), properties.of(scene).style
        job = composed_frames.render(scene, shot, style, Path(options.render), frames)
        print(jobs.run_to_end("Compose", job))


def _farm(scene: Any, options: argparse.Namespace) -> None:
    if options.flamenco:
        print(flamenco.submit(scene, options.flamenco))
    else:
        print(
            farm_export.write_openjd(
                scene, Path(options.openjd), on_gpu=options.gpu, searches=options.sweep
            )
        )


def _run(scene: Any, options: argparse.Namespace) -> None:
    print(jobs.run_to_end("Update All", steps.run(scene, _warn, blocking=True)))


def _shot(scene: Any, options: argparse.Namespace) -> None:
    job = shot_choices.choose(scene, options.action.upper())
    print(jobs.run_to_end("Choose Shot", job))


def _status(scene: Any, options: argparse.Namespace) -> None:
    folder = properties.shot_folder(scene)
    snapshot = states.look(scene)
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
        }
        print(json.dumps(data, indent=1))
        return
    print(f"Shot folder: {folder}")
    if snapshot.owner:
        print(snapshot.owner)
    print(f"Engine: {engine or 'not set up yet'}")
    for name, state in snapshot.steps.items():
        print(f"{name:9} {state.step.value:12} {state.why}")
    for frame, painted in snapshot.keyframes.items():
        print(f"keyframe {frame}: {painted}")
    if snapshot.unused:
        print(snapshot.unused)


@dataclasses.dataclass
class _Registered:
    """Blender's handle of the command, needed to unregister it."""

    handle: Any = None


_registered = _Registered()


def register() -> None:
    _registered.handle = bpy.utils.register_cli_command("paintover", main)


def unregister() -> None:
    bpy.utils.unregister_cli_command(_registered.handle)
