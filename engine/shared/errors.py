# SPDX-License-Identifier: GPL-3.0-or-later
"""Exceptions of Paintover."""


class PaintoverError(Exception):
    """An error that the user can fix.

    Its text is shown as it is: one sentence that says what is wrong and what to do.
    """


class DamagedError(PaintoverError):
    """A file is damaged; the error that it was raised from tells where, for logs."""


class NoShotError(PaintoverError):
    """A folder holds no shot yet."""


class LaterVersionError(PaintoverError):
    """A file was written by a later Paintover; it must stay as it is."""


class Cancelled(Exception):
    """The user or the farm asked to stop; what is finished stays valid.

    Args:
        resumes: whether a training has saved a state to resume from.
    """

    def __init__(self, *, resumes: bool = False) -> None:
        super().__init__()
        self.resumes = resumes


def is_out_of_memory(error: BaseException) -> bool:
    """Tell whether an error means that memory ran out, on the host or on a device.

    PyTorch raises ``OutOfMemoryError``, a ``RuntimeError``, on GPUs, and a plain ``RuntimeError``
    in its CPU allocator. Both are recognised without importing it.
    """
    if isinstance(error, MemoryError):
        return True
    if not isinstance(error, RuntimeError):
        return False
    text = str(error)
    is_named_so = type(error).__name__ == "OutOfMemoryError"
    return is_named_so or "out of memory" in text or "can't allocate memory" in text
