# SPDX-License-Identifier: GPL-3.0-or-later
"""Loops over pixels as machine code. The only module that uses Numba.

What is compiled is kept beside its source, or in the user's cache folder where that cannot be
written, so that it is compiled once on a machine; where neither can be written, once a process.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from numba import njit

_Function = TypeVar("_Function", bound=Callable[..., object])


def compiled(function: _Function) -> _Function:
    """Compile a function of arrays and numbers for each kind of arguments, at the first call.

    Division by zero gives infinity or NaN as in NumPy. Other threads go on meanwhile. Compiled
    functions call only those of their own file, since a change of another goes unnoticed where
    they are kept, or such as never change.
    """
    try:
        made = njit(nogil=True, cache=True, error_model="numpy")(function)
    except RuntimeError:  # there is nowhere to keep it
        made = njit(nogil=True, error_model="numpy")(function)
    return cast(_Function, made)


def inlined(function: _Function) -> _Function:
    """Make a part of compiled functions of the same file, put in where they call it.

    Where arrays are handed over for every pixel, counting who holds them takes longer than most
    of what is computed.
    """
    made = njit(inline="always", error_model="numpy")(function)
    return cast(_Function, made)
