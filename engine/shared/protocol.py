# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages between Blender and the engine's worker: one JSON object per line.

The add-on writes requests to the worker's standard input and reads events from its standard
output. Pixels of live pictures go through a memory-mapped file, see ``LivePicture``.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from typing import Annotated, Any, ClassVar

from . import live_protocol, messages
from .checked import (
    Frame,
    Length,
    Range,
    UnknownFieldError,
    WrongDataError,
    from_data,
    parse_json,
)
from .errors import PaintoverError
from .frame_lists import LARGEST_FRAME
from .live_protocol import LIVE_EVENTS, LIVE_REQUESTS, LivePictures
from .names import one_line
from .training_settings import Value, check_types

PROTOCOL_VERSION = 2
Request = messages.Request
Event = messages.Event
WATCHED = ("result", "render", "painting")
"""What the slots of ``Train.watch`` show: a frame as the network paints it, as it was captured, and
the painting of the nearest keyframe. The header of each tells its frame."""
UNPAINTED_FRAME = live_protocol.UNPAINTED_FRAME
UNPAINTED_NOTHING = live_protocol.UNPAINTED_NOTHING
MOST_LINE = 8 << 20
"""Most bytes of a message."""
_Frames = Annotated[list[Frame], Length(0, 2 * LARGEST_FRAME + 1)]
_Side = Annotated[int, Range(1, 16384)]


@dataclasses.dataclass(frozen=True)
class LivePicture:
    """Memory-mapped file for a live picture; the add-on makes it, the worker writes to it.

    Layout: ``HEADER`` (sequence number, width, height; little-endian uint32), then the pixels:
    (height, width, 4) uint8 RGBA, display-referred, straight alpha, top row first. The sequence
    number is odd while the worker writes and even when the picture is complete.
    """

    HEADER: ClassVar[struct.Struct] = struct.Struct("<III")

    path: str
    frame: Frame
    width: _Side
    height: _Side
    light: float = 0.5
    """As in ``Stylize``."""
    unpainted: str = UNPAINTED_FRAME
    """As in ``Stylize``."""

    @property
    def size(self) -> int:
        """Size of the file in bytes."""
        return self.HEADER.size + self.width * self.height * 4


@dataclasses.dataclass(frozen=True)
class ImportPictures(Request):
    """Make a shot from pictures or a movie (``python -m engine import``)."""

    shot: str
    """Here and below: path of the shot folder."""
    input: str
    """Folder of the frames, or a movie."""
    painted: str = ""
    """Folder of paintings; empty: none."""
    mask: str = ""
    """Folder of masks of the paintings, or a movie; mattes if it has one for every frame; empty:
    none."""
    guides: dict[str, str] = dataclasses.field(default_factory=dict)
    """Name of a guide → folder of its pictures, or a movie."""
    fps: Annotated[float, Range(0, 1e6)] = 0.0
    """Frames per second; 0: those of the movie, or of pictures."""
    fps_of_pictures: Annotated[float, Range(1e-6, 1e6)] = 24.0
    """Frames per second of pictures, which tell none."""


@dataclasses.dataclass(frozen=True)
class Train(Request):
    """Train a style on the paintings of a shot (``python -m engine train``)."""

    shot: str
    style: str = "style"
    seconds: float = 0.0
    """Of the whole job, reading the shot included; at least half of them are for learning."""
    steps: int = 0
    """If ``seconds`` and ``steps`` are 0, the default time budget applies."""
    resume: bool = False
    from_style: str = ""
    """Name or file of a style to begin with; empty: begin anew."""
    keys: _Frames = dataclasses.field(default_factory=list)
    """Empty: all painted keyframes."""
    network: str = "fast"
    guides: list[str] = dataclasses.field(default_factory=list)
    """Empty: all useful guides that the shot has."""
    device: str = "auto"
    seed: Annotated[int, Range(0, 1 << 53)] = 0
    settings: dict[str, Value] = dataclasses.field(default_factory=dict)
    """Fields of ``TrainingSettings`` to override; the rest is what suits the network."""
    live: LivePicture | None = None
    watch: LivePictures | None = None
    """Receives large pictures, in the slots ``WATCHED``, while ``TrainShow`` asks for them."""


@dataclasses.dataclass(frozen=True)
class TrainRequest(Request):
    """A request to the running training; ``job`` is that of its ``Train``."""


@dataclasses.dataclass(frozen=True)
class TrainShow(TrainRequest):
    """Show another frame from now on. Only the latest request counts."""

    frame: Frame
    large: bool = False
    """Whether also ``Train.watch`` is filled."""


@dataclasses.dataclass(frozen=True)
class TrainKeep(TrainRequest):
    """End the training now, as if its time were over; what it has learnt becomes the style."""


@dataclasses.dataclass(frozen=True)
class Stylize(Request):
    """Stylize frames (``python -m engine stylize``)."""

    shot: str
    style: str = "style"
    frames: _Frames = dataclasses.field(default_factory=list)
    """Empty: every frame of the shot."""
    format: str = "png"
    """``png`` or ``exr``."""
    depth: int = 8
    """Bits per channel of PNG: 8 or 16."""
    force: bool = False
    """Also write frames that are up to date."""
    device: str = "auto"
    light: float = 0.5
    """0..1, for pixels with projected paint: 0 copies the paint, 1 lets the network repaint it in
    the light of the frame, 0.5 mixes both as trained."""
    unpainted: str = UNPAINTED_FRAME
    """What shows where the paintings are transparent, and outside the mattes: ``frame`` or
    ``nothing``."""
    on_farm: bool = False
    """Refuse a style whose arithmetic this machine lacks; other machines paint the same shot."""


@dataclasses.dataclass(frozen=True)
class Preview(Request):
    """Project the paintings to frames, without training (``python -m engine preview``)."""

    shot: str
    style: str = "preview"
    """Name of the folder in ``out/``; it must not be the name of a trained style."""
    keys: _Frames = dataclasses.field(default_factory=list)
    """Empty: all painted keyframes."""
    frames: _Frames = dataclasses.field(default_factory=list)
    """Empty: every frame of the shot."""
    format: str = "png"
    """``png`` or ``exr``."""
    depth: int = 8
    """Bits per channel of PNG: 8 or 16."""
    force: bool = False
    """Also write frames that are up to date."""
    unpainted: str = UNPAINTED_FRAME
    """As in ``Stylize``."""


@dataclasses.dataclass(frozen=True)
class Sweep(Request):
    """Search for the training settings of a shot (``python -m engine sweep``)."""

    shot: str
    style: str = ""
    """Name of the sweep and of its style; empty: one that is free, or to go on with."""
    minutes: Annotated[float, Range(0.01, 1e5)] = 10.0
    """Of the whole job, with the training of the style."""
    trials: Annotated[int, Range(0, 1e6)] = 0
    """Number of trials; 0: as many as fit into the time."""
    trial_seconds: Annotated[float, Range(0, 1e6)] = 0.0
    trial_steps: Annotated[int, Range(0, 1e9)] = 0
    """If both are 0, the time suits ``minutes``, or is that of the sweep to go on with."""
    train_style: bool = True
    """Whether to train a style with the best settings in the end …"""
    train_seconds: Annotated[float, Range(0, 1e6)] = 0.0
    """… for so many seconds; 0: what suits ``minutes``."""
    paper: bool = False
    """Search along the four axes of the published method, for the network ``paper``."""
    keys: _Frames = dataclasses.field(default_factory=list)
    """Empty: all painted keyframes."""
    device: str = "auto"
    seed: Annotated[int, Range(0, 1 << 53)] = 0


@dataclasses.dataclass(frozen=True)
class Suggest(Request):
    """Find which frame to paint next (``python -m engine suggest``)."""

    shot: str
    keys: _Frames = dataclasses.field(default_factory=list)
    """Frames to count as painted; empty: the painted keyframes."""


@dataclasses.dataclass(frozen=True)
class Cancel(Request):
    """Stop this job after the file that it is writing."""


@dataclasses.dataclass(frozen=True)
class Ready(Event):
    """The worker has started and accepts requests."""

    device: str
    """Name of the device that ``auto`` chooses: ``CPU (2 threads, bf16)``."""
    engine_version: str


@dataclasses.dataclass(frozen=True)
class Progress(Event):
    """Progress of a job, at most ten times a second."""

    step: str
    """``import``, ``train``, ``stylize``, ``preview``, ``sweep`` or ``suggest``."""
    fraction: float
    """0..1."""
    seconds_left: float
    """Below 0: unknown."""
    text: str
    """Short text for the user: ``Frame 12 of 30`` or ``Step 420, sharpness still improving``."""


@dataclasses.dataclass(frozen=True)
class FrameDone(Event):
    """A stylized frame is written."""

    frame: int
    path: str


@dataclasses.dataclass(frozen=True)
class Picture(Event):
    """A live picture is complete in the memory-mapped file."""

    frame: int
    sequence: int


@dataclasses.dataclass(frozen=True)
class Warned(Event):
    """A warning for the user; the job continues."""

    sentence: str


@dataclasses.dataclass(frozen=True)
class Done(Event):
    """The job succeeded. ``result`` is JSON data, such as ``{"frames": 30, "skipped": 12}``."""

    result: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Cancelled(Event):
    """The job was cancelled; finished files stay."""


@dataclasses.dataclass(frozen=True)
class Failed(Event):
    """The job failed: a sentence for the user, and the traceback."""

    sentence: str
    detail: str = ""


REQUESTS: dict[str, type[Request]] = {
    kind.__name__: kind
    for kind in (
        *(ImportPictures, Train, TrainShow, TrainKeep, Stylize, Preview, Sweep, Suggest, Cancel),
        *LIVE_REQUESTS,
    )
}
EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        *(Ready, Progress, FrameDone, Picture, Warned, Done, Cancelled, Failed),
        *LIVE_EVENTS,
    )
}


def encode(message: Request | Event) -> str:
    """Return a message as a line of JSON, newline included."""
    data = {"version": PROTOCOL_VERSION, "kind": type(message).__name__}
    return json.dumps({**data, **dataclasses.asdict(message)}) + "\n"


def decode_request(line: str) -> Request:
    """Parse a request. Raises PaintoverError if this version does not know it."""
    message = _decode(line, REQUESTS)
    assert isinstance(message, Request)
    return message


def decode_event(line: str) -> Event:
    """Parse an event. Raises PaintoverError if this version does not know it."""
    message = _decode(line, EVENTS)
    assert isinstance(message, Event)
    return message


def job_of_line(line: str) -> int:
    """Return the job that a message names, 0 if none can be read, to answer what is refused."""
    try:
        job = parse_json(line)["job"]
    except (ValueError, KeyError, AttributeError, TypeError):
        return 0
    return job if type(job) is int and job > 0 else 0


def _decode(line: str, kinds: dict[str, Any]) -> Any:
    try:
        data = parse_json(line)
        version, kind = data.pop("version"), data.pop("kind")
    except (ValueError, KeyError, AttributeError, TypeError):
        shown = one_line(line.strip()[:80]).encode("ascii", "backslashreplace").decode()
        raise PaintoverError(
            f"Not a message of Paintover: {shown!r}; install the add-on and the engine from one "
            "release."
        ) from None
    if version != PROTOCOL_VERSION:
        raise PaintoverError(
            f"The add-on and the engine speak different versions ({str(version)[:20]!r}, "
            f"{PROTOCOL_VERSION}); install both from one Paintover release."
        )
    if not isinstance(kind, str) or kind not in kinds:
        raise PaintoverError(f"Unknown message {str(kind)[:80]!r}; update Paintover.")
    try:
        message = from_data(kinds[kind], data)
    except UnknownFieldError as error:
        raise PaintoverError(
            f"Unknown field {error.name[:80]!r} in message {kind!r}; update Paintover."
        ) from None
    except WrongDataError as error:
        raise PaintoverError(
            f"A field is missing or wrong in message {kind!r} "
            f"({one_line(str(error))[:200]}); install the add-on and the engine from one release."
        ) from None
    if isinstance(message, Train):
        check_types({**message.settings})
    return message
