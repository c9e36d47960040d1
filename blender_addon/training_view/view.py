# SPDX-License-Identifier: GPL-3.0-or-later
"""The large picture of a training: which frame it shows, and its textures."""

from __future__ import annotations

import contextlib
import dataclasses
from typing import Any

import bpy
from bpy.app.handlers import persistent

from .. import jobs, logs
from ..engine.shared import protocol
from ..engine.shared.errors import PaintoverError
from ..engine.shared.live_files import PictureSlots
from ..engine.shared.live_protocol import LivePictures
from ..engine.shared.shot import Shot
from ..engine_process import client as engine_client
from ..handlers import Handlers
from ..live.files import LiveFiles
from ..live.pictures import fitting_size, make_texture
from ..picture_editors import TRAINING

_log = logs.logger(__name__)

ALL = "ALL"
SLOTS = {name.upper(): slot for slot, name in enumerate(protocol.WATCHED)}
"""What can be shown → slot of the engine's file."""
_FIT_SECONDS = 0.2
_ORDER = ("RENDER", "PAINTING", "RESULT")


@dataclasses.dataclass
class Pane:
    """One of the pictures that stand side by side."""

    what: str
    frame: int
    texture: Any | None


class TrainingView:
    """The large picture of a training, while it runs and afterwards.

    Args:
        shot: that is trained.
        frame: to show first.

    Raises:
        PaintoverError: no folder can be written.
    """

    def __init__(self, shot: Shot, frame: int) -> None:
        self.shot, self.frame = shot, frame
        self.is_running = True
        self._files = LiveFiles()
        width, height = fitting_size(shot.manifest.width, shot.manifest.height, 0)
        self.place = LivePictures(
            str(self._files.make("training.raw")), width, height, slots=len(protocol.WATCHED)
        )
        self._slots = PictureSlots.make(self.place)
        self._files.close_with(contextlib.closing(self._slots))
        self._textures: dict[int, tuple[int, Any]] = {}

    def show(self, frame: int) -> None:
        """Show a frame of the shot, that nearest to the given one, from the next picture on."""
        self.frame = min(self.shot.frames, key=lambda one: (abs(one - frame), one))
        self.ask()

    def ask(self) -> None:
        """Ask the engine for the frame, and for large pictures if an editor shows them."""
        if not self.is_running:
            return
        client = engine_client.running()
        if client is not None:
            show = protocol.TrainShow(0, self.frame, large=TRAINING.is_shown())
            try:
                client.tell(show)
            except PaintoverError as error:
                _log.info("%s", error)  # which the job tells too

    def panes(self, what: str) -> list[Pane]:
        """Return what to draw, with textures; in a draw handler only."""
        return [self._pane(name) for name in (_ORDER if what == ALL else (what,))]

    def _pane(self, what: str) -> Pane:
        slot = SLOTS[what]
        header = self._slots.header(slot)
        known = self._textures.get(slot)
        if header.sequence and (known is None or known[0] != header.sequence):
            texture = make_texture(self._slots, slot)
            if texture is not None:
                known = self._textures[slot] = (header.sequence, texture)
        return Pane(what, header.frame, known[1] if known else None)

    def close(self) -> None:
        """Free the textures and delete the file."""
        self._textures.clear()
        self._files.close()


_view: TrainingView | None = None


def current() -> TrainingView | None:
    """Return the view of the training that runs or ran last, None if it was closed."""
    return _view


def is_training() -> bool:
    """Return whether a training runs that can be watched."""
    return _view is not None and _view.is_running


def columns() -> int:
    """Return how many pictures stand side by side."""
    return len(_ORDER) if settings().pictures == ALL else 1


def begin(shot: Shot, frame: int) -> TrainingView:
    """Begin to watch a training. Raises PaintoverError if no folder can be written."""
    global _view  # noqa: PLW0603 - one training in a Blender process
    if _view is not None:
        _view.close()
    _view = TrainingView(shot, frame)
    settings().frame = _view.frame
    return _view


def end() -> None:
    """The training has ended; its last picture stays where it is shown."""
    if _view is None:
        return
    _view.is_running = False
    if bpy.app.background or not TRAINING.is_shown():
        close()


def picture_came() -> None:
    """Draw the picture that the engine has finished."""
    TRAINING.redraw()


def toggle(area: Any) -> None:
    """Show the large picture in an Image Editor, or no longer.

    Args:
        area: where it was asked for; it is shown there if it is an Image Editor without painting.
    """
    if _view is None:
        return
    if TRAINING.is_shown():
        TRAINING.close()
        if not _view.is_running:
            close()
    else:
        TRAINING.open_beside(_view.shot, columns(), other=area)
        _fit_soon()
    if _view is not None:
        _view.ask()
    jobs.redraw()


def frame_chosen(chosen: Any, _: bpy.types.Context) -> None:
    """The user has set the frame to show."""
    if _view is not None and chosen.frame != _view.frame:
        _view.show(chosen.frame)
        if chosen.frame != _view.frame:
            chosen.frame = _view.frame


def pictures_chosen(_settings: Any, _: bpy.types.Context) -> None:
    """The user has set what the large picture shows."""
    if _view is not None:
        TRAINING.set_columns(_view.shot, columns())
        _fit_soon()


def _fit_soon() -> None:
    """Fit the picture into its editor when that has its size, which a new one has not yet."""
    if not bpy.app.background:
        bpy.app.timers.register(TRAINING.fit, first_interval=_FIT_SECONDS)


def close() -> None:
    """Show no large picture any more."""
    global _view
    closed, _view = _view, None
    if closed is not None:
        if not bpy.app.background:
            TRAINING.close()
        closed.close()


def settings() -> Any:
    """Return what the user has chosen to see."""
    manager: Any = bpy.context.window_manager
    return manager.paintover_training


@persistent  # type: ignore[untyped-decorator]
def _close(*_: Any) -> None:
    close()


@persistent  # type: ignore[untyped-decorator]
def _after_load(*_: Any) -> None:
    TRAINING.remove_leftovers()


_HANDLERS = Handlers(
    load_pre=_close,
    load_post=_after_load,
    exit_pre=_close,
)


def register() -> None:
    _HANDLERS.add()


def unregister() -> None:
    close()
    _HANDLERS.remove()
