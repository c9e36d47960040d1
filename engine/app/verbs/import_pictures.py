# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``import``."""

from __future__ import annotations

import argparse

from ...jobs.import_pictures import import_pictures
from ...shared.errors import PaintoverError
from ...shared.frame_lists import counted, format_frames
from ...shared.protocol import ImportPictures
from ...shared.shot import Shot
from ..terminal import Terminal


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Import pictures or a movie. Raises PaintoverError and Cancelled."""
    names = [name.casefold() for name, _ in options.guide]
    if twice := [name for name, _ in options.guide if names.count(name.casefold()) > 1]:
        raise PaintoverError(
            f'The guide "{twice[0]}" is given twice; give each guide a name of its own.'
        )
    request = ImportPictures(
        job=0,
        shot=str(options.shot),
        input=str(options.input),
        painted=options.painted,
        mask=options.mask,
        guides=dict(options.guide),
        fps=options.fps,
    )
    result = import_pictures(request, terminal)
    shot = Shot.open(options.shot)
    terminal.finished(
        f"{options.shot} holds {counted(len(shot.frames), 'frame')} as PNG, "
        f"{format_frames(shot.frames)}, at {shot.manifest.fps:g} frames per second."
    )
    if result["mattes"]:
        terminal.finished(
            "The masks are of every frame, so they are mattes: only inside them is painted."
        )
