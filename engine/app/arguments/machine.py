# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the verbs about the machine: jobs in a row, and whether the engine works."""

from __future__ import annotations

from . import common as options
from . import values


def add_batch(verbs: options.Verbs) -> None:
    """Add the verb ``batch``."""
    verb = verbs.add(
        "batch",
        help="run a list of jobs",
        description="Run the jobs of a list, one after the other, each in a process of its own. A "
        "line is a command line without “python -m engine”, such as: train shots/010 --seconds 60. "
        "Lines that begin with # are left out. Paths are seen from the folder of the list. Logs, "
        "one a job, and status.json are in LIST.logs beside it. After a job that failed for a "
        "shot, later ones of that shot are skipped. Run it again to go on with what is not done.",
        prints_data=True,
    )
    verb.add_argument("list", metavar="FILE", type=values.path, help="the list of jobs")
    verb.add_argument("--again", action="store_true", help="also run jobs that are done already")
    options.add_dry_run(verb)


def add_check(verbs: options.Verbs) -> None:
    """Add the verb ``check``."""
    verb = verbs.add(
        "check",
        help="check that the engine works on this machine",
        description="Compute on the graphics card, if PyTorch was built for one, and train a few "
        "steps on a tiny shot in a temporary folder.",
        prints_data=True,
    )
    options.add_device(verb)
    options.add_dry_run(verb)
