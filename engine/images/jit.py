# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiles loops over pixels to machine code. The only module that uses Numba.

Numba keeps compiled functions in the folder ``PAINTOVER_CACHE`` where that is set, else beside
their source, else in the user's cache folder. Where none of them can be written, they are kept in
the temporary folder, or compiled anew in each process, and a warning says so.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba import njit

from ..shared import caches

_Function = TypeVar("_Function", bound=Callable[..., object])

_log = logging.getLogger(__name__)

_NAME = "compiled-loops"
_config: Any = numba.config


def _use_named_folder() -> None:
    named = caches.named_folder(_NAME)
    if named is not None and not _config.CACHE_DIR:
        _config.CACHE_DIR = str(named)


_use_named_folder()


def compiled(function: _Function) -> _Function:
    """Compile a function of arrays and numbers at its first call, for each set of argument types.

    The function releases the GIL. Division by zero gives infinity or NaN as in NumPy. It may only
    call compiled functions of the same file or ones that never change, since Numba's cache does not
    notice changes in other files.
    """
    return _compiled(function, in_any_order=False)


def compiled_fast(function: _Function) -> _Function:
    """Compile as ``compiled``, but let sums be taken in any order, in vector registers.

    Results differ in the last digits between kinds of processors, never on the same kind.
    """
    return _compiled(function, in_any_order=True)


def _compiled(function: _Function, *, in_any_order: bool) -> _Function:
    fast = {"reassoc", "contract", "nsz"} if in_any_order else False
    made = _kept(function, fast)
    if made is None and _fall_back():
        made = _kept(function, fast)
    return made or cast(_Function, njit(nogil=True, error_model="numpy", fastmath=fast)(function))


def _kept(function: _Function, fast: set[str] | bool) -> _Function | None:
    """Compile a function that is kept on the disk; None where no folder for it can be written."""
    try:
        made = njit(nogil=True, cache=True, error_model="numpy", fastmath=fast)(function)
    except RuntimeError:
        return None
    return cast(_Function, made)


@functools.cache
def _fall_back() -> bool:
    """Let Numba keep compiled functions in the temporary folder; return whether there is one."""
    folder = caches.temporary_folder(_NAME)
    _config.CACHE_DIR = "" if folder is None else str(folder)
    _log.warning(caches.cannot_keep("Compiled loops", folder))
    return folder is not None


def inlined(function: _Function) -> _Function:
    """Inline a function into the compiled functions of the same file that call it.

    Numba counts references to arrays at each call; in a loop over pixels, that would take longer
    than most computations.
    """
    made = njit(inline="always", error_model="numpy")(function)
    return cast(_Function, made)
