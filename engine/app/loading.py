# SPDX-License-Identifier: GPL-3.0-or-later
"""Loads PyTorch and the modules of a verb in less time: each chunk of a farm waits for it."""

from __future__ import annotations

import contextlib
import gc
import importlib
import sys
import types
from collections.abc import Iterator
from importlib.abc import MetaPathFinder

_PACKAGE, _SHAPES = "torch", "_meta_registrations"
"""The module with the shapes of results, for PyTorch's compiler, and its package."""
_COMPILER = f"{_PACKAGE}._dynamo"
"""The compiler; PyTorch's optimizers load it, stylizing does not."""


@contextlib.contextmanager
def quick_loading() -> Iterator[None]:
    """Within the ``with`` block, import without garbage collection and PyTorch's compiler.

    Hundreds of thousands of objects are made and stay, so that a collection would only read them.
    The compiler is loaded as soon as it is needed.
    """
    name = f"{_PACKAGE}.{_SHAPES}"
    leaves_out = _PACKAGE not in sys.modules
    if leaves_out:
        sys.modules[name] = types.ModuleType(name)
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if leaves_out:
            del sys.modules[name]
            vars(sys.modules.get(_PACKAGE, sys)).pop(_SHAPES, None)
            sys.meta_path.insert(0, _LoadsShapesFirst())
        if collects:
            gc.freeze()
            gc.enable()


class _LoadsShapesFirst(MetaPathFinder):
    """Loads the shapes before the compiler, as PyTorch itself does."""

    def find_spec(self, fullname: str, *_: object) -> None:
        """Find nothing, so that others look."""
        if fullname == _COMPILER and self in sys.meta_path:
            sys.meta_path.remove(self)
            importlib.import_module(f"{_PACKAGE}.{_SHAPES}")
