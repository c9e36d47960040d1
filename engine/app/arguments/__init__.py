# SPDX-License-Identifier: GPL-3.0-or-later
"""Verbs and options of the command line, by their subject."""

from __future__ import annotations

import argparse

from ... import __version__
from ...shared.parsers import Parser
from . import frames, machine, shots, training
from .common import Verbs

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


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    parser = Parser(
        prog="python -m engine",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"Paintover {__version__}")
    verbs = Verbs(parser)
    shots.add_import(verbs)
    shots.add_matte(verbs)
    training.add_train(verbs)
    shots.add_weights(verbs)
    frames.add_stylize(verbs)
    frames.add_preview(verbs)
    training.add_live(verbs)
    training.add_sweep(verbs)
    frames.add_suggest(verbs)
    machine.add_batch(verbs)
    frames.add_score(verbs)
    shots.add_info(verbs)
    shots.add_status(verbs)
    training.add_styles(verbs)
    machine.add_check(verbs)
    verbs.add_worker()
    return parser
