# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads PyTorch and the modules of a verb in less time: each chunk of a farm waits for it."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator


@contextlib.contextmanager
def quick_loading() -> Iterator[None]:
    """Within the ``with`` block, import without garbage collection.

    Hundreds of thousands of objects are made and stay, so that a collection would only read them.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.freeze()
            gc.enable()
