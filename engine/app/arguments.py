# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs of the command line and their options."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any

from .. import __version__
from ..shared import errors, training_settings
from ..shared.frame_lists import parse_frames
from .terminal import STYLES

_DESCRIPTION = """\
Paint over one frame of a shot, and let the computer paint the others alike.

  1. import    makes a shot folder of rendered pictures (or capture it in Blender)
  2. (paint)   put your painting of frame 1 into SHOT/keys/0001.png
     preview   carries your paintings to every frame at once, for a first look
  3. train     learns your paintings
  4. stylize   paints every frame; only what is out of date is done again
"""
_EPILOG = "“python -m engine VERB --help” explains each verb."


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    parser = argparse.ArgumentParser(
        prog="python -m engine",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"Paintover {__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument(
        "--progress",
        choices=STYLES,
        default="auto",
        help="how progress is shown: auto (one line on a terminal, plain lines elsewhere), "
        "plain, openjd (for render farms) or none",
    )
    common.add_argument(
        "--verbose", action="store_true", help="print the technical details of an error"
    )
    _add_import(verbs, common)
    _add_train(verbs, common)
    _add_weights(verbs, common)
    _add_stylize(verbs, common)
    _add_preview(verbs, common)
    _add_score(verbs, common)
    _add_info(verbs, common)
    verbs.add_parser(
        "worker",
        help="serve Blender (started by the add-on)",
        description="Serve Blender: requests as JSON lines on the standard input, events on the "
        "standard output. Started by the add-on; ends when its input closes.",
    )
    return parser


def _add_import(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "import",
        parents=[common],
        help="make a shot folder of pictures",
        description="Make a shot folder of pictures (PNG, JPEG, TIFF or EXR) whose names carry "
        "the frame numbers, such as 0001.png or shot.0001.exr. The pictures are copied.",
    )
    verb.add_argument("shot", metavar="SHOT", type=Path, help="the shot folder to make or update")
    verb.add_argument("--input", metavar="DIR", required=True, help="the rendered or filmed frames")
    verb.add_argument("--painted", metavar="DIR", default="", help="your paintings of some frames")
    verb.add_argument(
        "--mask", metavar="DIR", default="", help="masks: white where the picture is to be painted"
    )
    verb.add_argument(
        "--guide",
        metavar="NAME=DIR",
        type=_guide,
        action="append",
        default=[],
        help="a folder of further pictures that help to tell things apart; may be repeated",
    )
    verb.add_argument(
        "--fps", type=_positive, default=24.0, help="frames a second (default: %(default)s)"
    )


def _add_train(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "train",
        parents=[common],
        help="learn the paintings",
        description="Learn the paintings in SHOT/keys. The longer, the closer; it may be stopped "
        "at any time (Ctrl+C) and gone on with (--resume).",
    )
    verb.add_argument("shot", metavar="SHOT", type=Path, help="the shot folder")
    _add_style(verb)
    budget = verb.add_mutually_exclusive_group()
    budget.add_argument("--seconds", metavar="N", type=_positive, default=0.0, help="how long")
    budget.add_argument(
        "--steps", metavar="N", type=_count, default=0, help="how many training steps"
    )
    verb.add_argument("--resume", action="store_true", help="go on where the last training stopped")
    verb.add_argument(
        "--from",
        dest="from_style",
        metavar="STYLE",
        default="",
        help="begin with what another style has learnt: its name in this shot, or a file",
    )
    verb.add_argument(
        "--keys",
        metavar="1,30",
        type=_frames,
        default=[],
        help="learn these keyframes only (default: all that are painted)",
    )
    verb.add_argument(
        "--network", default="fast", help="size of the network (default: %(default)s)"
    )
    verb.add_argument(
        "--guides",
        metavar="A,B",
        type=_names,
        default=[],
        help="what the network may look at (default: all that is of use)",
    )
    _add_device(verb)
    verb.add_argument(
        "--seed", type=int, default=0, help="another number gives another training run"
    )
    _add_settings(verb)


def _add_settings(verb: argparse.ArgumentParser) -> None:
    """Add an option for each field of ``TrainingSettings``; None where it is not given."""
    group = verb.add_argument_group("for experts")
    for name, setting in training_settings.DESCRIPTIONS.items():
        kind = training_settings.TYPES[name]
        default = "none" if kind is str else "what suits the network"
        reading: dict[str, Any] = {"type": kind, "metavar": setting.metavar}
        if training_settings.is_switch(name):
            reading = {"action": argparse.BooleanOptionalAction}
        elif setting.limits and setting.limits[0] > 0:
            reading["type"] = _count if kind is int else _positive
        group.add_argument(
            f"--{name.replace('_', '-')}",
            default=None,
            help=f"{setting.help} (default: {default})",
            **reading,
        )


def _add_weights(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "weights",
        parents=[common],
        help="say how much each keyframe counts, and when",
        description="Say how much of a keyframe's paint is carried to the other frames: 1 as "
        "usual, 0 not at all. The weight changes evenly between the frames that you name, and "
        "stays level before and after them. What you say of a keyframe replaces what was said of "
        "it before; without anything to say, the weights are shown.",
        epilog="Going over from the painting of frame 1 to that of frame 90: "
        "“weights SHOT 1=1@30 1=0@60 90=0@30 90=1@60”. As usual again: “weights SHOT 1=1 90=1”.",
    )
    verb.add_argument("shot", metavar="SHOT", type=Path, help="the shot folder")
    verb.add_argument(
        "points",
        metavar="KEY=WEIGHT[@FRAME]",
        type=_weight,
        nargs="*",
        help="a keyframe, its weight from 0 to 1, and at which frame (default: at every frame)",
    )


def _add_stylize(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "stylize",
        parents=[common],
        help="paint the frames",
        description="Paint frames with a trained style into SHOT/out/STYLE. Frames that are up to "
        "date are skipped; several machines may each do a part (--frames).",
    )
    verb.add_argument("shot", metavar="SHOT", type=Path, help="the shot folder")
    _add_style(verb)
    _add_frames(verb)
    _add_file_format(verb)
    verb.add_argument(
        "--light",
        metavar="X",
        type=_share,
        default=0.5,
        help="0: paint sticks to the surface as it was painted; 1: it is painted anew in the light "
        "of each frame (default: %(default)s, as learnt)",
    )
    _add_device(verb)


def _add_preview(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "preview",
        parents=[common],
        help="paint the frames at once, without training",
        description="Carry the paintings to the other frames as they are, without training, into "
        "SHOT/out/NAME: a first look at what is seen in which keyframe. Where none shows a place, "
        "the paint is guessed by its colours. Frames that are up to date are skipped.",
    )
    verb.add_argument("shot", metavar="SHOT", type=Path, help="the shot folder")
    verb.add_argument(
        "--style",
        metavar="NAME",
        default="preview",
        help="name of its folder; no trained style may have it (default: %(default)s)",
    )
    verb.add_argument(
        "--keys",
        metavar="1,30",
        type=_frames,
        default=[],
        help="carry these keyframes only (default: all that are painted)",
    )
    _add_frames(verb)
    _add_file_format(verb)


def _add_score(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "score",
        parents=[common],
        help="compare the result with the right answer, or look how steady it is",
        description="With --truth: compare stylized frames with pictures of how they should be, "
        "over the mask, without the keyframes: PSNR and SSIM (higher is closer), FLIP (0 is "
        "equal), texture (1 is right, below is blurred), flicker (closer to the truth's own is "
        "better), and JOD (10 cannot be told apart). With --no-truth: how much each stylized frame "
        "differs from the one before along the motion, in 8-bit codes, beside the rendered "
        "picture's own, and which frames are unsteady.",
    )
    verb.add_argument("shot", metavar="SHOT", type=Path, help="the shot folder")
    against = verb.add_mutually_exclusive_group(required=True)
    against.add_argument(
        "--truth", metavar="DIR", type=Path, help="the right pictures of the frames"
    )
    against.add_argument(
        "--no-truth", action="store_true", help="there are none: look for flicker alone"
    )
    _add_style(verb)
    _add_frames(verb)
    verb.add_argument(
        "--jod", action="store_true", help="with --truth: also JOD, which needs cvvdp (slow)"
    )
    verb.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_info(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "info",
        parents=[common],
        help="tell about a shot or a style",
        description="Tell what a shot folder has, what it lacks and what that costs, and which "
        "steps are done; or what a style file was trained on.",
    )
    verb.add_argument("path", metavar="SHOT|STYLE", type=Path, help="shot folder, or style file")
    verb.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_style(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--style", metavar="NAME", default="style", help="name of the style (default: %(default)s)"
    )


def _add_frames(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--frames",
        metavar="1-30,45",
        type=_frames,
        default=[],
        help="these frames only (default: all; write --frames=-5-3 for negative ones)",
    )


def _add_file_format(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--format", choices=("png", "exr"), default="png", help="file format (default: %(default)s)"
    )
    verb.add_argument(
        "--depth",
        type=int,
        choices=(8, 16),
        default=8,
        help="bits a channel of PNG (default: %(default)s)",
    )
    verb.add_argument("--force", action="store_true", help="do frames again that are up to date")


def _add_device(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="where to compute (default: the graphics card, if PyTorch can use it)",
    )


def _frames(text: str) -> list[int]:
    try:
        return parse_frames(text)
    except errors.PaintoverError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _guide(text: str) -> tuple[str, str]:
    name, separator, folder = text.partition("=")
    if not (name and separator and folder):
        raise argparse.ArgumentTypeError(f'"{text}" is not NAME=DIR, such as normals=renders/nor')
    return name, folder


def _weight(text: str) -> tuple[int, int | None, float]:
    match = re.fullmatch(r"(-?\d+)=([^@]+)(?:@(-?\d+))?", text)
    if not match:
        raise argparse.ArgumentTypeError(f'"{text}" is not KEY=WEIGHT@FRAME, such as 1=0.5@30')
    return int(match[1]), int(match[3]) if match[3] else None, _share(match[2])


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1")
    return value


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a number above zero")
    return value


def _count(text: str) -> int:
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above zero")
    return int(text)
