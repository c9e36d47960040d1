# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that users choose and files tell, safe in file names on every system."""

from __future__ import annotations

import re
import unicodedata

from .errors import PaintoverError

NAME = r"(?!.*[. ]\Z)[^\W_][\w .-]{0,199}"
"""Pattern of the name of a style or of a guide."""
MATTE_NAME = r"([^\W_][\w -]{0,199})?"
"""Pattern of the name of the mattes; "" for none."""
_MOST_BYTES = 200
"""Most bytes of a name as UTF-8: file systems have 255 for a file, with all that we add."""
_STYLE_FILE = ".safetensors"
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def check_name(name: str, kind: str) -> str:
    """Return a name that is safe in file names on every system.

    Args:
        name: what the user typed.
        kind: what it names, for the message: ``style`` or ``guide``.

    Raises:
        PaintoverError: the name has other characters than letters, digits, spaces, ``.``, ``-``
            and ``_``, is too long, does not begin with a letter or a digit, ends with a dot or a
            space, or is that of a style's file or of a device in Windows.
    """
    name = unicodedata.normalize("NFC", name)  # macOS may give an accent apart from its letter
    if name.lower().endswith(_STYLE_FILE):
        raise PaintoverError(
            f'"{one_line(name)[:80]}" is the name of a file; leave out {_STYLE_FILE}.'
        )
    if not re.fullmatch(NAME, name):
        raise PaintoverError(
            f'"{one_line(name)[:80]}" cannot be the name of a {kind}; use letters, digits, spaces, '
            '"-" and "_".'
        )
    if len(name.encode()) > _MOST_BYTES:
        raise PaintoverError(f'"{name[:40]}…" is too long for the name of a {kind}; shorten it.')
    if re.fullmatch(r"(con|prn|aux|nul|(com|lpt)[0-9])( *\..*)?", name, re.I):
        raise PaintoverError(
            f'"{name}" cannot be the name of a {kind}, as Windows keeps it for devices; choose '
            "another."
        )
    return name


def is_name(name: str) -> bool:
    """Return whether ``check_name`` allows a name."""
    try:
        check_name(name, "")
    except PaintoverError:
        return False
    return True


def one_line(text: str) -> str:
    """Return text as one line: line breaks and other control characters become a space.

    Names of files and of things in a scene may hold them. Printed as they are, they would begin
    lines of their own, which a farm takes for its commands.
    """
    return _CONTROL.sub(" ", text)
