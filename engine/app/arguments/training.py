# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the verbs that learn."""

from __future__ import annotations

import argparse
from typing import Any

from ...shared import training_settings
from . import common as options
from . import values


def add_train(verbs: options.Verbs) -> None:
    """Add the verb ``train``."""
    verb = verbs.add(
        "train",
        help="train a style on the paintings",
        description="Train a style on the paintings in SHOT/keys. Longer training comes closer to "
        "them. Ctrl+C stops it at any time, --resume continues it.",
    )
    options.add_shots(verb)
    options.add_style(verb)
    budget = verb.add_mutually_exclusive_group()
    budget.add_argument(
        "--seconds",
        metavar="N",
        type=values.positive,
        default=0.0,
        help="how long it takes, reading the shot included; at least half of it is learning",
    )
    budget.add_argument(
        "--steps", metavar="N", type=values.count, default=0, help="number of training steps"
    )
    again = verb.add_mutually_exclusive_group()
    again.add_argument("--resume", action="store_true", help="continue the last training")
    again.add_argument(
        "--if-needed",
        action="store_true",
        help="do nothing if the style is up to date, and continue a training that was stopped; a "
        "farm runs the same job again so",
    )
    verb.add_argument("--go-on", action="store_true", help=argparse.SUPPRESS)  # for batch
    verb.add_argument(
        "--from",
        dest="from_style",
        metavar="STYLE",
        default="",
        help="start from the weights of another style: its name in this shot, or a file",
    )
    options.add_keys(verb, "train on these keyframes only, such as -2 (default: all painted ones)")
    verb.add_argument(
        "--network", default="fast", help="size of the network (default: %(default)s)"
    )
    verb.add_argument(
        "--guides",
        metavar="A,B",
        type=values.names,
        default=[],
        help="guides of the network (default: all useful ones)",
    )
    options.add_device(verb)
    options.add_seed(verb)
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
            reading["type"] = values.count if kind is int else values.positive
        group.add_argument(
            f"--{name.replace('_', '-')}",
            default=None,
            help=f"{setting.help} (default: {default})",
            **reading,
        )


def add_live(verbs: options.Verbs) -> None:
    """Add the verb ``live``."""
    verb = verbs.add(
        "live",
        help="learn while you paint, and show a frame meanwhile",
        description="Watch SHOT/keys while you paint in any program: each save is carried to one "
        "frame at once, then learnt. Open the picture of that frame in a viewer that shows files "
        "anew when they change. Ctrl+C ends it and writes the style, so that stylize paints the "
        "shot without training.",
    )
    verb.add_argument("shot", metavar="SHOT", type=values.path, help="the shot folder")
    options.add_style(verb)
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
        type=values.path,
        default=None,
        help="the picture to write, PNG or EXR (default: SHOT/live/NNNN.png)",
    )
    verb.add_argument(
        "--seconds",
        metavar="N",
        type=values.positive,
        default=0.0,
        help="end after so many seconds (default: when it is stopped)",
    )
    verb.add_argument(
        "--share",
        metavar="X",
        type=values.share_of_time,
        default=1.0,
        help="most of the time that it computes, 0.05 to 1 (default: %(default)s)",
    )
    options.add_device(verb)
    options.add_seed(verb)


def add_sweep(verbs: options.Verbs) -> None:
    """Add the verb ``sweep``."""
    verb = verbs.add(
        "sweep",
        help="search for the training settings of a shot",
        description="Try training settings on this shot: short trainings are compared on paint "
        "that was left out of them, on strokes and on flicker. Then a style is trained with the "
        "best settings. Results are in SHOT/sweeps/NAME. Ctrl+C stops it at any time, and running "
        "it again continues; several processes may search at once.",
        prints_data=True,
    )
    options.add_shots(verb)
    verb.add_argument(
        "--style",
        metavar="NAME",
        default="",
        help="name of the sweep and of its style (default: sweep, or the next free one)",
    )
    verb.add_argument(
        "--minutes",
        metavar="M",
        type=values.positive,
        default=10.0,
        help="time for all of it, with the training of the style (default: %(default)s)",
    )
    verb.add_argument(
        "--trials",
        metavar="N",
        type=values.count,
        default=0,
        help="number of trials (default: as many as fit into the time)",
    )
    length = verb.add_mutually_exclusive_group()
    length.add_argument(
        "--trial-seconds",
        metavar="N",
        type=values.positive,
        default=0.0,
        help="how long a trial trains (default: what suits the minutes)",
    )
    length.add_argument(
        "--trial-steps",
        metavar="N",
        type=values.count,
        default=0,
        help="steps of a trial instead, so that machines of different speed may search together",
    )
    verb.add_argument(
        "--train-seconds",
        metavar="N",
        type=values.positive,
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
    options.add_keys(verb, "use these keyframes only (default: all painted ones)")
    options.add_device(verb)
    options.add_seed(verb)


def add_styles(verbs: options.Verbs) -> None:
    """Add the verb ``styles``."""
    verb = verbs.add(
        "styles",
        help="list the trainings that are kept of each style, or take one back",
        description="List the last trainings of each style, newest first: how long each took, its "
        "held-out loss (how far it is from the parts of the paintings that it has not seen, the "
        "lower the better), and whether more time would help. With --take the style becomes as a "
        "training has written it; the one that is there is kept.",
        prints_data=True,
    )
    options.add_shots(verb)
    verb.add_argument("--style", metavar="NAME", default="", help="only this style")
    verb.add_argument(
        "--take",
        metavar="TRAINING",
        default="",
        help="take this training back, of the style given by --style (default: style); best, or "
        "previous for the newest that is not in use",
    )
