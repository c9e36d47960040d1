# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``status``: which frames are painted, and who works on what, for farms."""

from __future__ import annotations

import argparse

from ...shared.shot_status import read_status, status_in_words
from ..terminal import Terminal
from .printing import print_data


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Tell which frames are painted. Raises PaintoverError."""
    data = read_status(options.shot)
    print_data(options, data, lambda: status_in_words(data))
