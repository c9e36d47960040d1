# SPDX-License-Identifier: GPL-3.0-or-later
"""The parser of the command lines."""

from __future__ import annotations

import argparse
from typing import NoReturn

from .names import one_line


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, whatever control characters a value has."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and what is wrong, and exit with 2."""
        super().error(one_line(message))
