# SPDX-License-Identifier: GPL-3.0-or-later
"""The live picture in the panel: a frame, stylized during training."""

from __future__ import annotations

import contextlib
from pathlib import Path

from .. import jobs, user_folders
from ..drawn_icons import DrawnIcons
from ..engine.shared import protocol
from ..engine.shared.files import cannot_write
from ..engine.shared.shot import Shot
from ..engine.shared.temporary import remove_leftovers, temporary_file

_LONGEST_SIDE = 256
_icons = DrawnIcons()


class LivePicture:
    """The file that the engine writes live pictures to, and their display in the panel.

    Args:
        shot: the shot in training.
        current: the current frame; the unpainted frame nearest to it is shown first.
        light: as ``protocol.Stylize.light``.
        unpainted: as ``protocol.Stylize.unpainted``.
    """

    def __init__(self, shot: Shot, current: int, light: float, unpainted: str) -> None:
        painted = shot.painted_keys()
        frames = [frame for frame in shot.frames if frame not in painted] or shot.frames
        width, height = shot.manifest.width, shot.manifest.height
        scale = min(1.0, _LONGEST_SIDE / max(width, height))
        self._file = contextlib.ExitStack()
        self._path = self._make_file(user_folders.cache_folder("live"))
        self.place = protocol.LivePicture(
            path=str(self._path),
            frame=min(frames, key=lambda frame: abs(frame - current)),
            width=max(1, round(width * scale)),
            height=max(1, round(height * scale)),
            light=light,
            unpainted=unpainted,
        )
        try:
            self._path.write_bytes(bytes(self.place.size))
        except OSError as error:
            self._file.close()
            raise cannot_write(self._path, error) from error
        _icons.clear()

    def _make_file(self, folder: Path) -> Path:
        """Make a file that no other Blender uses; those of Blenders that crashed are deleted."""
        remove_leftovers(folder)
        path = folder / "picture.raw"
        try:
            return self._file.enter_context(temporary_file(path))
        except OSError as error:
            raise cannot_write(path, error) from error

    def show(self, frame: int) -> None:
        """Show the last picture in the file, which is of a frame, unless it is being written."""
        place = self.place
        header = place.HEADER.size
        data = self._path.read_bytes()
        reread = _header(self._path, header)
        if data[:header] != reread or place.HEADER.unpack(reread)[0] % 2:
            return
        rows = [
            data[start : start + place.width * 4]
            for start in range(header, place.size, place.width * 4)
        ]
        _icons.clear()
        _icons.add(str(frame), place.width, place.height, b"".join(reversed(rows)))
        jobs.redraw()

    def close(self) -> None:
        """Delete the file and clear the picture."""
        _icons.clear()
        self._file.close()


def _header(path: Path, size: int) -> bytes:
    with path.open("rb") as file:
        return file.read(size)


def current() -> tuple[int, int] | None:
    """Return the frame of the live picture and its icon id, or None."""
    return next(((int(name), icon) for name, icon in _icons.ids().items()), None)


def register() -> None:
    _icons.open()


def unregister() -> None:
    _icons.close()
