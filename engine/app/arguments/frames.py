# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the verbs about frames: which are painted, which to paint next, how good they are."""

from __future__ import annotations

from . import common as options
from . import values


def add_stylize(verbs: options.Verbs) -> None:
    """Add the verb ``stylize``."""
    verb = verbs.add(
        "stylize",
        help="paint the frames with a style",
        description="Paint frames with a trained style into SHOT/out/STYLE. Frames that are up to "
        "date are skipped; several machines can share the frames (--frames).",
    )
    options.add_shots(verb)
    options.add_style(verb)
    options.add_frames(verb)
    options.add_file_format(verb)
    options.add_unpainted(verb)
    verb.add_argument(
        "--light",
        metavar="X",
        type=values.share,
        default=0.5,
        help="0: paint sticks to the surface as painted; 1: it is repainted in the light of each "
        "frame (default: %(default)s, as trained)",
    )
    verb.add_argument(
        "--on-farm",
        action="store_true",
        help="as one of many machines: refuse a style that was trained for int8 where this one "
        "cannot compute in it, instead of painting frames that differ (so does --progress openjd)",
    )
    options.add_device(verb)


def add_preview(verbs: options.Verbs) -> None:
    """Add the verb ``preview``."""
    verb = verbs.add(
        "preview",
        help="project the paintings to the frames, without training",
        description="Project the paintings to the other frames, without training, into "
        "SHOT/out/NAME. Surfaces that no keyframe shows get the paint of pixels with similar "
        "colors. Frames that are up to date are skipped.",
    )
    options.add_shots(verb)
    verb.add_argument(
        "--style",
        metavar="NAME",
        default="preview",
        help="name of its folder, not that of a trained style (default: %(default)s)",
    )
    options.add_keys(verb, "project these keyframes only (default: all painted ones)")
    options.add_frames(verb)
    options.add_file_format(verb)
    options.add_unpainted(verb)


def add_suggest(verbs: options.Verbs) -> None:
    """Add the verb ``suggest``."""
    verb = verbs.add(
        "suggest",
        help="tell how much of the shot the paintings show, and which frame to paint next",
        description="Tell which share of what the shot shows the paintings have seen, and which "
        "frames would add most if they were painted too, each after those before it. It uses the "
        "surface pass where the shot has it, else the motion. It changes nothing but the shot's "
        "cache.",
        prints_data=True,
    )
    options.add_shots(verb)
    options.add_keys(verb, "count these frames as painted (default: the painted keyframes)")
    options.add_style(verb)


def add_score(verbs: options.Verbs) -> None:
    """Add the verb ``score``."""
    verb = verbs.add(
        "score",
        help="compare stylized frames with reference pictures, or measure flicker and strokes",
        description="With --truth: compare stylized frames with reference pictures, inside the "
        "mask, without the keyframes: PSNR and SSIM (higher is better), FLIP (0 is equal), texture "
        "(1 is right, less is blurred), flicker (closer to that of the reference is better), "
        "strokes (how far its marks are from those of the nearest painting, wherever they lie; "
        "closer to that of the reference is better) and JOD (10: no visible difference). With "
        "--no-truth: measure how much each stylized frame differs from the frame before along the "
        "motion, in 8-bit codes, compared with the rendered pictures, and list unsteady frames; "
        "and its strokes.",
        prints_data=True,
    )
    options.add_shots(verb)
    against = verb.add_mutually_exclusive_group(required=True)
    against.add_argument(
        "--truth", metavar="DIR", type=values.path, help="folder of reference pictures"
    )
    against.add_argument(
        "--no-truth", action="store_true", help="measure flicker and strokes alone"
    )
    options.add_style(verb)
    options.add_frames(verb)
    verb.add_argument(
        "--jod", action="store_true", help="with --truth: also measure JOD (slow, needs cvvdp)"
    )
