# SPDX-License-Identifier: GPL-3.0-or-later
"""Compiles loops over pixels to machine code. The only module that uses Numba.

Numba caches compiled functions beside their source, or in the user's cache folder if that is
read-only. If neither can be written, functions are compiled anew in each process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., object])


def compiled(function: _Function) -> _Function:
    """Compile a function of arrays and numbers at its first call, for each set of argument types.

    The function releases the GIL. Division by zero gives infinity or NaN as in NumPy. It may only
    call compiled functions of the same file or ones that never change, since Numba's cache does not
    notice changes in other files.
    """
    try:
        made = njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # no folder for the cache is writable
        made = njit(nogil=True, error_model="numpy")(function)
    return cast(_Function, made)


def inlined(function: _Function) -> _Function:
    """Inline a function into the compiled functions of the same file that call it.

    Numba counts references to arrays at each call; in a loop over pixels, that would take longer
    than most computations.
    """
    made = njit(inline="always", error_model="numpy")(function)
    return cast(_Function, made)
