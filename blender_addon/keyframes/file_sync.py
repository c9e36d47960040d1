# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a painting in Blender is that of its file, also if it is packed into the .blend.

The files of the shot are what is learnt. Each image notes the digest of its file when both were
last the same, which is saved in the .blend.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

from ..engine.shared.pictures.digests import digest_data, digest_picture
from ..engine.shared.pictures.header_bounds import check_before_loading

_SAME = "paintover_file"

_packed: dict[int, tuple[tuple[int, int], str]] = {}
"""Session id of an image → its packed file, by address and size, and its digest."""


def has_new_paint(image: Any) -> bool:
    """Return whether an image has paint that its file lacks: not saved, or only packed."""
    return bool(image.is_dirty) or _is_painted_in_pack(image)


def _is_painted_in_pack(image: Any) -> bool:
    packed, same = image.packed_file, image.get(_SAME, "")
    if not packed or not same:
        return False
    state = packed.as_pointer(), packed.size
    known = _packed.get(image.session_uid)
    if known is None or known[0] != state:
        known = _packed[image.session_uid] = state, digest_data(bytes(packed.data))
    return bool(known[1] != same)


def file_has_changed(image: Any, path: Path) -> bool:
    """Return whether another program may have changed the file since both were the same."""
    try:
        return differs(image, digest_picture(path))
    except OSError:  # it must not be read
        return True


def differs(image: Any, digest: str) -> bool:
    """Return whether a file with this digest may be another than the image was read from.

    Of an image that is not noted, such as one from Blender's own Open, that is not known.
    """
    return digest not in ("", image.get(_SAME, ""))


def is_noted(image: Any) -> bool:
    """Return whether it is known which file the image was read from."""
    return bool(image.get(_SAME, ""))


def is_of_blender(image: Any) -> bool:
    """Return whether Blender's own Open has loaded the image, and nothing was painted on it yet."""
    is_own = image.library is None and image.packed_file is None
    return is_own and not image.is_dirty and not is_noted(image)


def reread(image: Any, path: Path, frame: tuple[int, int] | None = None) -> None:
    """Show the file again; a packed image stays packed, with what the file holds now.

    Args:
        image: the image.
        path: its file.
        frame: as in ``check_before_loading``.

    Raises:
        PaintoverError: Blender must not load the file; the image is unchanged.
    """
    check_before_loading(path, frame)
    packed = image.packed_file is not None
    if packed:
        image.unpack(method="REMOVE")
    image.reload()
    if packed:
        image.pack()
    note_same(image, path)
    image.update_tag()


def note_same(image: Any, path: Path) -> None:
    """Note that image and file are the same now. A file that must not be read is not noted."""
    if image.library is None:
        with suppress(OSError):
            image[_SAME] = digest_picture(path)
