# SPDX-License-Identifier: GPL-3.0-or-later
"""Verbs and options of the command line."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import Any, NoReturn

from .. import __version__
from ..shared import errors, training_settings
from ..shared.frame_lists import parse_frames
from ..shared.names import one_line
from ..shared.protocol import UNPAINTED_FRAME, UNPAINTED_NOTHING
from .terminal import STYLES

_DESCRIPTION = """\
Paint over one frame of a shot, and Paintover paints the other frames in the same style.

  1. import    makes a shot folder from rendered pictures (or capture it in Blender)
  2. (paint)   save your painting of frame 1 as SHOT/keys/0001.png
     suggest   tells which frame to paint next
     preview   projects your paintings to every frame at once, without training
     live      learns while you paint, and shows a frame meanwhile
  3. train     trains a style on your paintings
  4. stylize   paints every frame that is out of date
"""
_EPILOG = "“python -m engine VERB --help” explains a verb."


_MOST, _DIGITS = 1e9, 15
"""Largest number, and most digits of a seed; larger ones would not come back from files."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, whatever control characters a value has."""

    def error(self, message: str) -> NoReturn:
        super().error(one_line(message))


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    parser = _Parser(
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
        help="how to show progress: auto (one line on a terminal, else plain), plain (lines), "
        "openjd (for render farms) or none (default: auto)",
    )
    common.add_argument("--verbose", action="store_true", help="print the traceback of an error")
    _add_import(verbs, common)
    _add_matte(verbs, common)
    _add_train(verbs, common)
    _add_weights(verbs, common)
    _add_stylize(verbs, common)
    _add_preview(verbs, common)
    _add_live(verbs, common)
    _add_sweep(verbs, common)
    _add_suggest(verbs, common)
    _add_batch(verbs, common)
    _add_score(verbs, common)
    _add_info(verbs, common)
    _add_status(verbs, common)
    _add_styles(verbs, common)
    _add_check(verbs, common)
    verbs.add_parser(
        "worker",
        help="run jobs for Blender (the add-on starts it)",
        description="Run jobs for Blender: requests are JSON lines on the standard input, events "
        "on the standard output. The add-on starts it; it ends when its input closes.",
    )
    return parser


def _add_import(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "import",
        parents=[common],
        help="make a shot folder from pictures or a movie",
        description="Make a shot folder from pictures (PNG, JPEG, TIFF, EXR, WebP, BMP or TGA) "
        "with frame numbers in their names, such as 0001.png, shot.0001.exr or shot_-0002.png, or "
        "from a movie, whose frames are numbered from 1 on. The pictures are copied.",
    )
    _add_shots(verb, "shot folder to make or update; see --input for several")
    verb.add_argument(
        "--input",
        metavar="DIR",
        type=_path,
        required=True,
        help="folder of the frames, or a movie; for several shots with {shot} in it, which stands "
        "for the name of each shot's folder",
    )
    verb.add_argument("--painted", metavar="DIR", default="", help="folder of your paintings")
    verb.add_argument(
        "--mask",
        metavar="DIR",
        default="",
        help="masks of paintings: only what is white is learnt; or mattes, one for every frame: "
        "only what is white is painted",
    )
    verb.add_argument(
        "--guide",
        metavar="NAME=DIR",
        type=_guide,
        action="append",
        default=[],
        help="folder of guide pictures, such as normals or object colors; repeatable",
    )
    verb.add_argument(
        "--fps",
        type=_positive,
        default=0.0,
        help="frames per second (default: those of the movie, 24 for pictures)",
    )


def _add_matte(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "matte",
        parents=[common],
        help="say what of each frame is painted",
        description="Give a shot mattes, also one that was captured: black-and-white pictures, one "
        "for every frame. Only what is white is painted; outside it the render stays, or nothing "
        "is there (stylize --unpainted). The pictures are copied.",
    )
    _add_shots(verb)
    source = verb.add_mutually_exclusive_group(required=True)
    source.add_argument("--input", metavar="DIR", type=_path, help="folder of mattes, or a movie")
    source.add_argument("--none", action="store_true", help="remove the mattes: paint everything")


def _add_train(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "train",
        parents=[common],
        help="train a style on the paintings",
        description="Train a style on the paintings in SHOT/keys. Longer training comes closer to "
        "them. Ctrl+C stops it at any time, --resume continues it.",
    )
    _add_shots(verb)
    _add_style(verb)
    budget = verb.add_mutually_exclusive_group()
    budget.add_argument(
        "--seconds",
        metavar="N",
        type=_positive,
        default=0.0,
        help="how long it takes, reading the shot included; at least half of it is learning",
    )
    budget.add_argument(
        "--steps", metavar="N", type=_count, default=0, help="number of training steps"
    )
    again = verb.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="continue the last training")
    again.add_argument(
        "--if-needed",
        action="store_true",
        help="do nothing if the style is up to date, and continue a training that was stopped; a "
        "farm runs the same job again so",
    )
    verb.add_argument(
        "--from",
        dest="from_style",
        metavar="STYLE",
        default="",
        help="start from the weights of another style: its name in this shot, or a file",
    )
    verb.add_argument(
        "--keys",
        metavar="1,30",
        type=_frames,
        default=[],
        help="train on these keyframes only, such as -2 (default: all painted ones)",
    )
    verb.add_argument(
        "--network", default="fast", help="size of the network (default: %(default)s)"
    )
    verb.add_argument(
        "--guides",
        metavar="A,B",
        type=_names,
        default=[],
        help="guides of the network (default: all useful ones)",
    )
    _add_device(verb)
    verb.add_argument(
        "--seed", type=_whole, default=0, help="seed of the random numbers (default: %(default)s)"
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
        help="set or show the weights of keyframes",
        description="Set how much of a keyframe's paint is projected to the other frames: 1 all "
        "(the default), 0 none. The weight is interpolated between the frames that you name, and "
        "constant before and after them. New weights of a keyframe replace its old ones. Without "
        "weights, the current ones are shown. Frames may be negative: -2=0.5@-1.",
        epilog="A transition from the painting of frame 1 to that of frame 90: "
        "“weights SHOT 1=1@30 1=0@60 90=0@30 90=1@60”. The default again: “weights SHOT 1=1 90=1”.",
    )
    verb.add_argument(
        "words",
        metavar="SHOT|KEY=WEIGHT[@FRAME]",
        nargs="+",
        help="shot folders; then keyframe, weight from 0 to 1, and frame (default: every frame)",
    )
    _add_dry_run(verb)


def _add_stylize(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "stylize",
        parents=[common],
        help="paint the frames with a style",
        description="Paint frames with a trained style into SHOT/out/STYLE. Frames that are up to "
        "date are skipped; several machines can share the frames (--frames).",
    )
    _add_shots(verb)
    _add_style(verb)
    _add_frames(verb)
    _add_file_format(verb)
    _add_unpainted(verb)
    verb.add_argument(
        "--light",
        metavar="X",
        type=_share,
        default=0.5,
        help="0: paint sticks to the surface as painted; 1: it is repainted in the light of each "
        "frame (default: %(default)s, as trained)",
    )
    _add_device(verb)


def _add_preview(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "preview",
        parents=[common],
        help="project the paintings to the frames, without training",
        description="Project the paintings to the other frames, without training, into "
        "SHOT/out/NAME. Surfaces that no keyframe shows get the paint of pixels with similar "
        "colors. Frames that are up to date are skipped.",
    )
    _add_shots(verb)
    verb.add_argument(
        "--style",
        metavar="NAME",
        default="preview",
        help="name of its folder, not that of a trained style (default: %(default)s)",
    )
    verb.add_argument(
        "--keys",
        metavar="1,30",
        type=_frames,
        default=[],
        help="project these keyframes only (default: all painted ones)",
    )
    _add_frames(verb)
    _add_file_format(verb)
    _add_unpainted(verb)


def _add_sweep(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "sweep",
        parents=[common],
        help="search for the training settings of a shot",
        description="Try training settings on this shot: short trainings are compared on paint "
        "that was left out of them, on strokes and on flicker. Then a style is trained with the "
        "best settings. Results are in SHOT/sweeps/NAME. Ctrl+C stops it at any time, and running "
        "it again continues; several processes may search at once.",
    )
    _add_shots(verb)
    verb.add_argument(
        "--style",
        metavar="NAME",
        default="",
        help="name of the sweep and of its style (default: sweep, or the next free one)",
    )
    verb.add_argument(
        "--minutes",
        metavar="M",
        type=_positive,
        default=10.0,
        help="time for all of it, with the training of the style (default: %(default)s)",
    )
    verb.add_argument(
        "--trials",
        metavar="N",
        type=_count,
        default=0,
        help="number of trials (default: as many as fit into the time)",
    )
    length = verb.add_mutually_exclusive_group()
    length.add_argument(
        "--trial-seconds",
        metavar="N",
        type=_positive,
        default=0.0,
        help="how long a trial trains (default: what suits the minutes)",
    )
    length.add_argument(
        "--trial-steps",
        metavar="N",
        type=_count,
        default=0,
        help="steps of a trial instead, so that machines of different speed may search together",
    )
    verb.add_argument(
        "--train-seconds",
        metavar="N",
        type=_positive,
        default=0.0,
        help="training time of the style (default: a fifth of the time)",
    )
    verb.add_argument(
        "--no-train",
        dest="train_style",
        action="store_false",
        help="only search; another run trains the style",
    )
    verb.add_argument(
        "--paper",
        action="store_true",
        help="search along the axes of the published method, with the network paper",
    )
    verb.add_argument(
        "--keys",
        metavar="1,30",
        type=_frames,
        default=[],
        help="use these keyframes only (default: all painted ones)",
    )
    _add_device(verb)
    verb.add_argument(
        "--seed", type=_whole, default=0, help="seed of the random numbers (default: %(default)s)"
    )
    verb.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_suggest(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "suggest",
        parents=[common],
        help="tell how much of the shot the paintings show, and which frame to paint next",
        description="Tell which share of what the shot shows the paintings have seen, and which "
        "frames would add most if they were painted too, each after those before it. It uses the "
        "surface pass where the shot has it, else the motion. It changes nothing but the shot's "
        "cache.",
    )
    _add_shots(verb)
    verb.add_argument(
        "--keys",
        metavar="1,30",
        type=_frames,
        default=[],
        help="count these frames as painted (default: the painted keyframes)",
    )
    _add_style(verb)
    verb.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_live(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "live",
        parents=[common],
        help="learn while you paint, and show a frame meanwhile",
        description="Watch SHOT/keys while you paint in any program: each save is carried to one "
        "frame at once, then learnt. Open the picture of that frame in a viewer that shows files "
        "anew when they change. Ctrl+C ends it and writes the style, so that stylize paints the "
        "shot without training.",
    )
    verb.add_argument("shot", metavar="SHOT", type=_path, help="the shot folder")
    _add_style(verb)
    verb.add_argument(
        "--frame",
        metavar="N",
        type=int,
        default=None,
        help="the frame to show (default: an unpainted one near the middle of the shot)",
    )
    verb.add_argument(
        "--output",
        metavar="FILE",
        type=_path,
        default=None,
        help="the picture to write, PNG or EXR (default: SHOT/live/NNNN.png)",
    )
    verb.add_argument(
        "--seconds",
        metavar="N",
        type=_positive,
        default=0.0,
        help="end after so many seconds (default: when it is stopped)",
    )
    verb.add_argument(
        "--share",
        metavar="X",
        type=_share_of_time,
        default=1.0,
        help="most of the time that it computes, 0.05 to 1 (default: %(default)s)",
    )
    _add_device(verb)
    verb.add_argument(
        "--seed", type=_whole, default=0, help="seed of the random numbers (default: %(default)s)"
    )


def _add_score(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "score",
        parents=[common],
        help="compare stylized frames with reference pictures, or measure flicker and strokes",
        description="With --truth: compare stylized frames with reference pictures, inside the "
        "mask, without the keyframes: PSNR and SSIM (higher is better), FLIP (0 is equal), texture "
        "(1 is right, less is blurred), flicker (closer to that of the reference is better), "
        "strokes (how far its marks are from those of the nearest painting, wherever they lie; "
        "closer to that of the reference is better) and JOD (10: no visible difference). With "
        "--no-truth: measure how much each stylized frame differs from the frame before along the "
        "motion, in 8-bit codes, compared with the rendered pictures, and list unsteady frames; "
        "and its strokes.",
    )
    _add_shots(verb)
    against = verb.add_mutually_exclusive_group(required=True)
    against.add_argument("--truth", metavar="DIR", type=_path, help="folder of reference pictures")
    against.add_argument(
        "--no-truth", action="store_true", help="measure flicker and strokes alone"
    )
    _add_style(verb)
    _add_frames(verb)
    verb.add_argument(
        "--jod", action="store_true", help="with --truth: also measure JOD (slow, needs cvvdp)"
    )
    verb.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_info(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "info",
        parents=[common],
        help="describe a shot or a style",
        description="List what a shot folder has and lacks, what a missing pass costs, and which "
        "steps are up to date; or what a style file was trained on.",
    )
    verb.add_argument(
        "shots", metavar="SHOT|STYLE", type=_path, nargs="+", help="shot folders or style files"
    )
    verb.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_status(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "status",
        parents=[common],
        help="tell which frames are painted, and who works on what",
        description="Tell which frames of a shot are painted and which machines train or paint it "
        "now. It is quick, also for long shots; whether frames are up to date is told by info.",
    )
    verb.add_argument(
        "shots", metavar="SHOT", type=_path, nargs="+", help="the shot folder, or several"
    )
    verb.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_styles(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "styles",
        parents=[common],
        help="list the trainings that are kept of each style, or take one back",
        description="List the last trainings of each style, newest first: how long each took, its "
        "held-out loss (how far it is from the parts of the paintings that it has not seen, the "
        "lower the better), and whether more time would help. With --take the style becomes as a "
        "training has written it; the one that is there is kept.",
    )
    _add_shots(verb)
    verb.add_argument("--style", metavar="NAME", default="", help="only this style")
    verb.add_argument(
        "--take",
        metavar="TRAINING",
        default="",
        help="take this training back, of the style given by --style (default: style); best, or "
        "previous for the newest that is not in use",
    )
    verb.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_check(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "check",
        parents=[common],
        help="check that the engine works on this machine",
        description="Compute on the graphics card, if PyTorch was built for one, and train a few "
        "steps on a tiny shot in a temporary folder.",
    )
    _add_device(verb)
    verb.add_argument("--json", action="store_true", help="print JSON, for programs")


def _add_batch(verbs: Any, common: argparse.ArgumentParser) -> None:
    verb = verbs.add_parser(
        "batch",
        parents=[common],
        help="run a list of jobs",
        description="Run the jobs of a list, one after the other, each in a process of its own. A "
        "line is a command line without “python -m engine”, such as: train shots/010 --seconds 60. "
        "Lines that begin with # are left out. Paths are seen from the folder of the list. Logs, "
        "one a job, and status.json are in NAME.logs beside it. After a job that failed, later "
        "ones of its shots are skipped. Run it again to go on with what is not done.",
    )
    verb.add_argument("list", metavar="FILE", type=_path, help="the list of jobs")
    verb.add_argument("--again", action="store_true", help="also run jobs that are done already")
    verb.add_argument("--json", action="store_true", help="print JSON, for programs")
    _add_dry_run(verb)


def _add_shots(verb: argparse.ArgumentParser, text: str = "the shot folder, or several") -> None:
    verb.add_argument("shots", metavar="SHOT", type=_path, nargs="+", help=text)
    _add_dry_run(verb)


def _add_dry_run(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--dry-run", action="store_true", help="only say what would be done, and change nothing"
    )


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
        help="these frames only (default: all); negative frames too, such as -5--1 or -5-3",
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
        help="bits per channel of PNG (default: %(default)s)",
    )
    verb.add_argument("--force", action="store_true", help="also paint frames that are up to date")


def _add_unpainted(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--unpainted",
        choices=(UNPAINTED_FRAME, UNPAINTED_NOTHING),
        default=UNPAINTED_FRAME,
        help="what shows where the paintings are transparent, and outside the mattes "
        "(default: %(default)s)",
    )


def _add_device(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "xpu", "mps"),
        default="auto",
        help="device to compute on (default: the GPU if PyTorch supports it)",
    )


def _frames(text: str) -> list[int]:
    try:
        return parse_frames(text)
    except errors.PaintoverError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _path(text: str) -> Path:
    """Return a path; an empty one, as of an unset variable, would be the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("it is empty; name a folder, or . for this one")
    return Path(text)


def _guide(text: str) -> tuple[str, str]:
    name, separator, folder = text.partition("=")
    if not (name and separator and folder):
        raise argparse.ArgumentTypeError(f'"{text}" is not NAME=DIR, such as normals=renders/nor')
    return name, folder


def split_weights(words: list[str]) -> tuple[list[Path], list[tuple[int, int | None, float]]]:
    """Split the words of ``weights`` into shot folders and weights.

    Raises:
        PaintoverError: there is no shot folder, or a word is neither.
    """
    shots: list[Path] = []
    points: list[tuple[int, int | None, float]] = []
    for word in words:
        try:
            if points or ("=" in word and not _is_there(word)):
                points.append(_weight(word))
            else:
                shots.append(_path(word))
        except argparse.ArgumentTypeError as error:
            raise errors.PaintoverError(f"{error}.") from None
    if not shots:
        raise errors.PaintoverError("Name the shot folder before the weights.")
    return shots, points


def _is_there(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # a name that is too long
        return False


def _weight(text: str) -> tuple[int, int | None, float]:
    match = re.fullmatch(r"(-?[0-9]{1,9})=([^@]+)(?:@(-?[0-9]{1,9}))?", text.strip())
    if not match:
        raise argparse.ArgumentTypeError(f'"{text:.80}" is not KEY=WEIGHT@FRAME, such as 1=0.5@30')
    return int(match[1]), int(match[3]) if match[3] else None, _share(match[2])


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text:.40} is not a number from 0 to 1")
    return value


def _share_of_time(text: str) -> float:
    share = _share(text)
    if share < 0.05:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0.05 to 1")
    return share


def _positive(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 1e-9 <= value <= _MOST:
        raise argparse.ArgumentTypeError(f"{text:.40} is not a number above zero, up to 1e9")
    return value


def _count(text: str) -> int:
    if not (text.isdecimal() and len(text) <= 9 and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text:.40} is not a whole number above zero, below 1e9")
    return int(text)


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > _DIGITS:
        raise argparse.ArgumentTypeError(
            f"{text:.40} is not a whole number from zero on with at most {_DIGITS} digits"
        )
    return int(text)
