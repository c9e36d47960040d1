# SPDX-License-Identifier: GPL-3.0-or-later
"""What the command prints for people: each sentence on one line, whatever names stand in it."""

from __future__ import annotations

import io
import sys

from ..engine.shared.names import one_line


def keep_streams() -> None:
    """Print in escapes what the encoding of a standard stream lacks, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(*fields: str) -> None:
    """Print a line of a sentence, or of fields with tabs between them."""
    print("\t".join(map(one_line, fields)), flush=True)


def say_lines(text: str) -> None:
    """Print text of several lines, which has no names that others choose."""
    print(text, flush=True)


def warn(sentence: str) -> None:
    """Print a warning."""
    print(f"paintover: {one_line(sentence)}", file=sys.stderr, flush=True)
