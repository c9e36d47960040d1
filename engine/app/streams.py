# SPDX-License-Identifier: GPL-3.0-or-later
"""Standard streams that nobody reads, or that are not there: what is printed is dropped.

Who stops reading, such as ``head``, must not stop a job; nor must a start without a terminal, or a
name that the encoding of a stream lacks, such as that of a pipe of Windows: it is printed in
escapes.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

_NOBODY = (errno.EPIPE, errno.EINVAL)
"""Errors of writing where nobody reads; the second is that of Windows."""


class _Outlet(io.FileIO):
    """A stream of bytes that leads nowhere once nobody reads it."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data)
        except OSError as error:
            if error.errno not in _NOBODY:
                raise
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.fileno())
            os.close(nowhere)
            return len(data)


def keep_streams() -> None:
    """Let the standard output and the standard error be written to, whoever reads them."""
    for name, number in (("stdout", 1), ("stderr", 2)):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        elif stream is getattr(sys, f"__{name}__") and stream.fileno() == number:
            stream.flush()
            kept = io.TextIOWrapper(
                io.BufferedWriter(_Outlet(number, "wb", closefd=False)),
                encoding=stream.encoding,
                errors="backslashreplace",
                line_buffering=True,
            )
            setattr(sys, name, kept)


def end_with_input(stop: Callable[[], None]) -> None:
    """Call a function when the standard input closes, as it does when the parent has ended."""

    def read() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1 << 10):
                pass
        stop()

    threading.Thread(target=read, daemon=True).start()
