# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages that only a sweep needs, which an older engine environment may lack."""

from __future__ import annotations

import importlib.util
import sys

from ..shared.errors import PaintoverError

PACKAGES = ("optuna", "matplotlib")


def check_packages() -> None:
    """Raise PaintoverError with the way out if a package is missing."""
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise PaintoverError(
            f"A sweep needs {' and '.join(missing)}, which this Python lacks; install the engine "
            f"again, or run “{sys.executable} -m pip install {' '.join(missing)}”."
        )
