# SPDX-License-Identifier: GPL-3.0-or-later
"""The messages of a live session: the engine learns while the artist paints.

``Live`` starts the session as a job; the other requests here carry that job's number and are
answered while it runs. Pixels go through files that the add-on makes, see ``live_files``.
``docs/live.md`` tells who sends what, and when.
"""

from __future__ import annotations

import dataclasses
from typing import Annotated

from .checked import Frame, Length, OneOf, Range
from .frame_lists import LARGEST_FRAME
from .messages import Event, Number, Request

UNPAINTED_FRAME, UNPAINTED_NOTHING = "frame", "nothing"
CARRIED, NETWORK, FINAL = "carried", "network", "final"
"""What a shown picture is: paint carried along the surface or the motion, without the network; the
network's, which still learns; or the network's, which has learnt all that is painted."""
KINDS = (CARRIED, NETWORK, FINAL)
CARRYING, LEARNING, WAITING, PAUSED = "carrying", "learning", "waiting", "paused"
"""States of a session: it takes a stroke in and carries it; it learns; it has learnt all and waits
for paint at rest; it was told to pause, or pauses itself and says why."""
STATES = (CARRYING, LEARNING, WAITING, PAUSED)
MOST_SLOTS = 4096
"""Most pictures of a file of pictures."""

_Side = Annotated[int, Range(1, 16384)]
_Frames = Annotated[list[Frame], Length(0, 2 * LARGEST_FRAME + 1)]
_Share = Annotated[float, Range(0, 1)]
_Unpainted = Annotated[str, OneOf((UNPAINTED_FRAME, UNPAINTED_NOTHING))]


@dataclasses.dataclass(frozen=True)
class LivePictures:
    """A memory-mapped file of shown pictures (``live_files.PictureSlots``); the add-on makes it."""

    path: str
    width: _Side
    """Of the pictures, in pixels; those of another size than the shot are scaled."""
    height: _Side
    slots: Annotated[int, Range(1, MOST_SLOTS)] = 1
    """Pictures that the file holds: as many frames are kept for playback."""
    floats: bool = True
    """float32, 0..1, as Blender's images and textures take them; else uint8."""
    bottom_first: bool = True
    """Whether the bottom row comes first, as in Blender's images."""


@dataclasses.dataclass(frozen=True)
class Live(Request):
    """Start a live session; ``Cancel`` ends it. Its state is kept in ``styles/STYLE/live``."""

    shot: str
    pictures: LivePictures
    """Receives the pictures of frames."""
    frame: Frame
    """The frame at the playhead."""
    style: str = "style"
    """Its state goes on from where the last session of this style ended."""
    view: LivePictures | None = None
    """Receives pictures of the viewport, in its only slot; None: no viewport mode."""
    network: str = "fast"
    device: str = "auto"
    seed: Number = 0
    light: _Share = 0.5
    """As in ``Stylize``."""
    unpainted: _Unpainted = UNPAINTED_FRAME
    """As in ``Stylize``."""
    share: Annotated[float, Range(0.05, 1)] = 1.0
    """Most of the time that the engine computes, 0..1: the rest is left to other programs."""
    low_priority: bool = True
    """Whether other programs come first where the processor is busy."""
    keep: bool = True
    """Whether to go on from the state on disk, if there is one that fits."""


@dataclasses.dataclass(frozen=True)
class LiveRequest(Request):
    """A request to the running session; ``job`` is that of its ``Live``."""


@dataclasses.dataclass(frozen=True)
class LivePaint(LiveRequest):
    """The canvas of a keyframe has changed: a stroke ended, or was undone.

    Send it whenever the pixels may have changed. The engine finds the changed tiles itself. From
    now on the canvas counts instead of the file in ``keys/``, until that file changes.
    """

    change: Number
    """Increases with each change; pictures tell the last one that they show."""
    frame: Frame
    path: str
    """File of the canvas (``live_files.Canvas``), of the shot's size."""
    linear: bool = False
    """Whether the pixels are scene-linear with premultiplied alpha, as in Blender's float images;
    else display-referred with straight alpha, as in its byte images."""


@dataclasses.dataclass(frozen=True)
class LiveRevert(LiveRequest):
    """The unsaved strokes of a keyframe are discarded: the file in ``keys/`` counts again."""

    change: Number
    frame: Frame


@dataclasses.dataclass(frozen=True)
class LiveReload(LiveRequest):
    """Files have changed: a painting was saved, a keyframe added or removed, a mask or weight set.

    The session looks at ``keys/`` and ``shot.json`` twice a second anyway; this only spares the
    wait.
    """

    change: Number


@dataclasses.dataclass(frozen=True)
class LiveShow(LiveRequest):
    """Show a frame, and go on showing it as it gets better. Only the latest request counts."""

    number: Number
    """Increases with each request; the answer carries it."""
    frame: Frame


@dataclasses.dataclass(frozen=True)
class LiveRange(LiveRequest):
    """Keep the pictures of these frames ready, from the shown frame on, in this order, in a loop.

    Without frames only shown frames are kept.
    """

    frames: _Frames = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True)
class LiveSettings(LiveRequest):
    """Change the settings of the session; all fields count."""

    paused: bool = False
    """Nothing is computed until a request with False comes, but for ``LiveFinish``; frames that are
    ready are shown."""
    share: Annotated[float, Range(0.05, 1)] = 1.0
    """As in ``Live``."""
    low_priority: bool = True
    """As in ``Live``."""
    light: _Share = 0.5
    """As in ``Stylize``."""
    unpainted: _Unpainted = UNPAINTED_FRAME
    """As in ``Stylize``."""


@dataclasses.dataclass(frozen=True)
class LiveView(LiveRequest):
    """Stylize a picture of the viewport, into the session's ``view``. Only the latest counts."""

    number: Number
    path: str
    """File of the picture (``live_files.Canvas``), of the size of ``view`` or larger."""
    linear: bool = False
    """As in ``LivePaint``."""


@dataclasses.dataclass(frozen=True)
class LiveFinish(LiveRequest):
    """Write what was learnt as a style that ``Stylize`` uses; answered by ``LiveFinished``.

    Save the paintings first: a style is of files. The session goes on.
    """

    style: str = ""
    """Empty: the session's."""


@dataclasses.dataclass(frozen=True)
class LiveState(Event):
    """The state of the session: at every change, and twice a second while it computes."""

    state: Annotated[str, OneOf(STATES)]
    seconds: float
    """Of learning since the last change of the paint."""
    steps: int
    """Training steps so far."""
    cpu: float
    """Processors that the engine has used since the last event: 0 at rest, 2 for two."""
    change: int
    """The last ``LivePaint.change`` or so that is taken in."""
    sentence: str = ""
    """Why it pauses by itself, or what is missing; empty: all is well."""
    learnt: float = 0.0
    """Share of the learning that is done, 0..1."""


@dataclasses.dataclass(frozen=True)
class LiveShown(Event):
    """A picture of a frame is complete in a slot of ``Live.pictures``."""

    number: int
    """Of the ``LiveShow`` that it answers; 0: kept ready for playback, not asked for."""
    frame: int
    slot: int
    sequence: int
    """As in the slot's header, see ``live_files``."""
    shows: Annotated[str, OneOf(KINDS)]
    change: int
    """The last change of the paint that the picture shows."""
    seconds: float
    """Of learning since that change."""


@dataclasses.dataclass(frozen=True)
class LiveCache(Event):
    """Which frames are kept ready, of the range and of those shown before it; at most four times a
    second."""

    fresh: list[int]
    """Frames whose pictures are up to date."""
    stale: list[int]
    """Frames whose pictures show earlier paint, or an earlier state of the network."""


@dataclasses.dataclass(frozen=True)
class LiveViewed(Event):
    """A stylized picture of the viewport is complete in ``Live.view``; or there is none."""

    number: int
    sequence: int
    """0: there is no picture; ``sentence`` tells why."""
    sentence: str = ""
    """What the viewport cannot give to the style, or why there is no picture."""


@dataclasses.dataclass(frozen=True)
class LiveFinished(Event):
    """The style is written, or not."""

    style: str
    path: str
    """Empty: it is not written; ``sentence`` tells why."""
    sentence: str = ""


LIVE_REQUESTS: tuple[type[Request], ...] = (
    *(Live, LivePaint, LiveRevert, LiveReload, LiveShow, LiveRange, LiveSettings),
    *(LiveView, LiveFinish),
)
LIVE_EVENTS: tuple[type[Event], ...] = (
    *(LiveState, LiveShown, LiveCache, LiveViewed, LiveFinished),
)
