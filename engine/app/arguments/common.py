# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that several verbs have."""

from __future__ import annotations

import argparse

from ...shared.protocol import UNPAINTED_FRAME, UNPAINTED_NOTHING
from ..terminal import STYLES
from . import values


class Verbs:
    """Adds verbs with the options that all have.

    Args:
        parser: of the command line.
    """

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
        self._common = argparse.ArgumentParser(add_help=False)
        self._common.add_argument(
            "--progress",
            choices=STYLES,
            default="auto",
            help="how to show progress: auto (one line on a terminal, else plain), plain (lines), "
            "openjd (for render farms) or none (default: auto)",
        )
        self._common.add_argument(
            "--verbose", action="store_true", help="print the traceback of an error"
        )
        self._common.add_argument(  # for batch: the shot of this number alone
            "--only", type=int, default=0, help=argparse.SUPPRESS
        )
        self._common.add_argument(  # for batch: stop when the standard input closes
            "--with-input", action="store_true", help=argparse.SUPPRESS
        )
        self._data = argparse.ArgumentParser(add_help=False)
        self._data.add_argument("--json", action="store_true", help="print JSON, for programs")

    def add(
        self,
        name: str,
        *,
        help: str,
        description: str,
        epilog: str = "",
        prints_data: bool = False,
    ) -> argparse.ArgumentParser:
        """Add a verb and return its parser.

        Args:
            name: of the verb.
            help: what it does, in the list of verbs.
            description: what it does, in its own help.
            epilog: at the end of its help.
            prints_data: whether it has ``--json``.
        """
        parents = [self._common, self._data] if prints_data else [self._common]
        parser: argparse.ArgumentParser = self._verbs.add_parser(
            name, parents=parents, help=help, description=description, epilog=epilog
        )
        return parser

    def add_worker(self) -> None:
        """Add the verb ``worker``, which is not for people and has no options."""
        self._verbs.add_parser(
            "worker",
            help="run jobs for Blender (the add-on starts it)",
            description="Run jobs for Blender: requests are JSON lines on the standard input, "
            "events on the standard output. The add-on starts it; it ends when its input closes.",
        )


def add_shots(verb: argparse.ArgumentParser, text: str = "the shot folder, or several") -> None:
    """Add the shot folders and ``--dry-run``."""
    verb.add_argument("shots", metavar="SHOT", type=values.path, nargs="+", help=text)
    add_dry_run(verb)


def add_dry_run(verb: argparse.ArgumentParser) -> None:
    """Add ``--dry-run``."""
    verb.add_argument(
        "--dry-run", action="store_true", help="only say what would be done, and change nothing"
    )


def add_style(verb: argparse.ArgumentParser) -> None:
    """Add ``--style``, with the default ``style``."""
    verb.add_argument(
        "--style", metavar="NAME", default="style", help="name of the style (default: %(default)s)"
    )


def add_frames(verb: argparse.ArgumentParser) -> None:
    """Add ``--frames``; empty for all."""
    verb.add_argument(
        "--frames",
        metavar="1-30,45",
        type=values.frames,
        default=[],
        help="these frames only (default: all); negative frames too, such as -5--1 or -5-3",
    )


def add_file_format(verb: argparse.ArgumentParser) -> None:
    """Add ``--format``, ``--depth`` and ``--force``."""
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


def add_unpainted(verb: argparse.ArgumentParser) -> None:
    """Add ``--unpainted``."""
    verb.add_argument(
        "--unpainted",
        choices=(UNPAINTED_FRAME, UNPAINTED_NOTHING),
        default=UNPAINTED_FRAME,
        help="what shows where the paintings are transparent, and outside the mattes "
        "(default: %(default)s)",
    )


def add_device(verb: argparse.ArgumentParser) -> None:
    """Add ``--device``."""
    verb.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "xpu", "mps"),
        default="auto",
        help="device to compute on (default: the GPU if PyTorch supports it)",
    )


def add_keys(verb: argparse.ArgumentParser, text: str) -> None:
    """Add ``--keys``, keyframes; empty for the default that the text names."""
    verb.add_argument("--keys", metavar="1,30", type=values.frames, default=[], help=text)


def add_seed(verb: argparse.ArgumentParser) -> None:
    """Add ``--seed``."""
    verb.add_argument(
        "--seed",
        type=values.whole,
        default=0,
        help="seed of the random numbers (default: %(default)s)",
    )
