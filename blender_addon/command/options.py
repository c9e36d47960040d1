# SPDX-License-Identifier: GPL-3.0-or-later
"""The steps of the command and their options."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from .. import mattes, properties
from ..engine.shared.parsers import Parser
from . import scene_verbs

_DESCRIPTION = """\
Paint over one frame of the .blend's shot, and every frame follows that painting.

  capture    render the frames with the passes that Paintover uses
  keyframe   add, remove, list, duplicate or move keyframes, list versions, take one back
  suggest    tell what the paintings show of the shot, and which frame to paint next
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


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all steps on a .blend; ``run`` of its options does one."""
    common = Parser(add_help=False)
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
    parser = Parser(
        prog="blender -b FILE.blend --command paintover",
        description=_DESCRIPTION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    verbs = parser.add_subparsers(required=True, metavar="STEP", dest="step")

    def verb(name: str, run: Callable[[Any, argparse.Namespace], None]) -> argparse.ArgumentParser:
        added = verbs.add_parser(name, parents=[common])
        added.set_defaults(run=run)
        return added

    step = verb("capture", scene_verbs.capture)
    step.add_argument(
        "--frames", default="", help="such as 1-30 or -2-2,45 (else: the shot's range)"
    )
    step.add_argument("--force", action="store_true", help="also render frames that are up to date")
    _add_painted_part(step)
    step = verb("keyframe", scene_verbs.keyframe)
    _add_keyframe_options(step)
    step = verb("suggest", scene_verbs.suggest)
    step.add_argument("--json", action="store_true", help="print JSON, for programs")
    step = verb("preview", scene_verbs.preview)
    step.add_argument("--frames", default="", help="such as 1-30,45 or -2-2 (else: all)")
    step.add_argument("--force", action="store_true", help="also paint frames that are up to date")
    _add_outside(step)
    step = verb("train", scene_verbs.train)
    step.add_argument("--seconds", type=float, default=0.0, help="else: the scene's setting")
    step.add_argument("--resume", action="store_true", help="continue the last training")
    step = verb("trainings", scene_verbs.trainings)
    step.add_argument(
        "--take",
        default="",
        metavar="NAME",
        help="use this training as the style again; best, or previous for the last not in use",
    )
    step = verb("sweep", scene_verbs.sweep)
    step.add_argument("--minutes", type=float, default=2.0, help="time for it (default: 2)")
    step = verb("stylize", scene_verbs.stylize)
    step.add_argument("--frames", default="", help="such as 1-30,45 or -2-2 (else: all)")
    step.add_argument("--force", action="store_true", help="also paint frames that are up to date")
    _add_outside(step)
    step = verb("compose", scene_verbs.compose)
    step.add_argument("--remove", action="store_true", help="remove the node")
    step.add_argument(
        "--render", default="", metavar="DIR", help="also render the composed frames to this folder"
    )
    step.add_argument("--frames", default="", help="frames to render (else: the shot's range)")
    _add_farm(verb("farm", scene_verbs.farm))
    step = verb("run", scene_verbs.run)
    _add_painted_part(step)
    _add_outside(step)
    step = verb("shot", scene_verbs.shot)
    step.add_argument("action", choices=("keep", "copy", "new"))
    step = verb("status", scene_verbs.status)
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


def set_painted_part(scene: Any, options: argparse.Namespace) -> None:
    """Change the scene's settings of what is painted, as the options say."""
    given = vars(options)
    if given.get("object"):
        mattes.choose_objects(scene, given["object"])
    elif given.get("collection"):
        mattes.choose_collection(scene, given["collection"])
    elif given.get("whole_picture"):
        properties.of(scene).matte.source = mattes.WHOLE
    if given.get("unpainted"):
        properties.of(scene).unpainted = given["unpainted"]
