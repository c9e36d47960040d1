# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the verbs about a shot: what it holds, and who works on it."""

from __future__ import annotations

from . import common as options
from . import values


def add_import(verbs: options.Verbs) -> None:
    """Add the verb ``import``."""
    verb = verbs.add(
        "import",
        help="make a shot folder from pictures or a movie",
        description="Make a shot folder from pictures (PNG, JPEG, TIFF, EXR, WebP, BMP or TGA) "
        "with frame numbers in their names, such as 0001.png, shot.0001.exr or shot_-0002.png, or "
        "from a movie, whose frames are numbered from 1 on. The pictures are copied.",
    )
    options.add_shots(verb, "shot folder to make or update; see --input for several")
    verb.add_argument(
        "--input",
        metavar="DIR",
        type=values.path,
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
        type=values.guide,
        action="append",
        default=[],
        help="folder of guide pictures, such as normals or object colors; repeatable",
    )
    verb.add_argument(
        "--fps",
        type=values.positive,
        default=0.0,
        help="frames per second (default: those of the movie, 24 for pictures)",
    )


def add_matte(verbs: options.Verbs) -> None:
    """Add the verb ``matte``."""
    verb = verbs.add(
        "matte",
        help="say what of each frame is painted",
        description="Give a shot mattes, also one that was captured: black-and-white pictures, one "
        "for every frame. Only what is white is painted; outside it the render stays, or nothing "
        "is there (stylize --unpainted). The pictures are copied.",
    )
    options.add_shots(verb)
    source = verb.add_mutually_exclusive_group(required=True)
    source.add_argument(
        "--input", metavar="DIR", type=values.path, help="folder of mattes, or a movie"
    )
    source.add_argument("--none", action="store_true", help="remove the mattes: paint everything")


def add_weights(verbs: options.Verbs) -> None:
    """Add the verb ``weights``."""
    verb = verbs.add(
        "weights",
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
    options.add_dry_run(verb)


def add_info(verbs: options.Verbs) -> None:
    """Add the verb ``info``."""
    verb = verbs.add(
        "info",
        help="describe a shot or a style",
        description="List what a shot folder has and lacks, what a missing pass costs, and which "
        "steps are up to date; or what a style file was trained on.",
        prints_data=True,
    )
    verb.add_argument(
        "shots",
        metavar="SHOT|STYLE",
        type=values.path,
        nargs="+",
        help="shot folders or style files",
    )
    options.add_dry_run(verb)


def add_status(verbs: options.Verbs) -> None:
    """Add the verb ``status``."""
    verb = verbs.add(
        "status",
        help="tell which frames are painted, and who works on what",
        description="Tell which frames of a shot are painted and which machines train or paint it "
        "now. It is quick, also for long shots; whether frames are up to date is told by info.",
        prints_data=True,
    )
    options.add_shots(verb)
