# SPDX-License-Identifier: GPL-3.0-or-later
"""What each verb of the command line does: a module each, loaded when it is called.

Its function ``run`` gets the options of one shot, and the terminal to tell the outcome.
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Callable

from ..loading import quick_loading
from ..terminal import Terminal

_MODULES = {"import": "import_pictures"}
"""Those whose name is not the verb's, as Python has the word for itself."""


def load(verb: str) -> Callable[[argparse.Namespace, Terminal], None]:
    """Return the function of a verb."""
    with quick_loading():
        module = importlib.import_module(f".{_MODULES.get(verb, verb)}", __package__)
    run: Callable[[argparse.Namespace, Terminal], None] = module.run
    return run
