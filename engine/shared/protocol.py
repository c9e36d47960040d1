# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests and events between Blender and the engine's worker: one JSON object a line.

The add-on writes requests to the worker's standard input and reads events from its standard
output. Pixels of live pictures go through a memory-mapped file that the add-on owns (see
``LivePicture``). Shared by both sides, so it needs nothing but the standard library.
"""

from __future__ import annotations

import dataclasses
import json
import struct
from typing import Any, ClassVar, get_type_hints

from .errors import PaintoverError
from .training_settings import Value, check_types

PROTOCOL_VERSION = 2


@dataclasses.dataclass(frozen=True)
class LivePicture:
    """Where the worker puts a live picture: a memory-mapped file made by the add-on.

    Layout: ``HEADER`` (sequence number, width, height; little-endian uint32), then height × width
    × 4 bytes RGBA, display-referred, straight alpha, top row first. The sequence number is odd
    while the worker writes and even when the picture is whole.
    """

    HEADER: ClassVar[struct.Struct] = struct.Struct("<III")

    path: str
    frame: int
    width: int
    height: int
    light: float = 0.5
    """As in ``Stylize``."""

    @property
    def size(self) -> int:
        """Bytes that the file must have."""
        return self.HEADER.size + self.width * self.height * 4


@dataclasses.dataclass(frozen=True)
class Request:
    """What the add-on asks for; ``job`` is a number that the events carry back."""

    job: int


@dataclasses.dataclass(frozen=True)
class ImportPictures(Request):
    """Make a shot of folders of pictures (``python -m engine import``)."""

    shot: str
    input: str
    painted: str = ""
    mask: str = ""
    guides: dict[str, str] = dataclasses.field(default_factory=dict)
    fps: float = 24.0


@dataclasses.dataclass(frozen=True)
class Train(Request):
    """Learn the paintings of a shot (``python -m engine train``)."""

    shot: str
    style: str = "style"
    seconds: float = 0.0
    steps: int = 0
    """Zero for both means the default time budget."""
    resume: bool = False
    from_style: str = ""
    keys: list[int] = dataclasses.field(default_factory=list)
    """Empty: all painted keyframes."""
    network: str = "fast"
    guides: list[str] = dataclasses.field(default_factory=list)
    """Empty: all that the shot has."""
    device: str = "auto"
    seed: int = 0
    settings: dict[str, Value] = dataclasses.field(default_factory=dict)
    """Fields of ``TrainingSettings`` to override; the rest is what suits the network."""
    live: LivePicture | None = None


@dataclasses.dataclass(frozen=True)
class Stylize(Request):
    """Stylize frames (``python -m engine stylize``)."""

    shot: str
    style: str = "style"
    frames: list[int] = dataclasses.field(default_factory=list)
    """Empty: every frame of the shot."""
    format: str = "png"
    """``png`` or ``exr``."""
    depth: int = 8
    """Bits a channel of PNG: 8 or 16."""
    force: bool = False
    """Do frames again that are up to date."""
    device: str = "auto"
    light: float = 0.5
    """0..1: where paint can be carried along the surface, 0 keeps it as it was painted, 1 paints
    anew in the light of the frame; 0.5 is as learnt."""


@dataclasses.dataclass(frozen=True)
class Preview(Request):
    """Paint frames by the keyframes alone, without training (``python -m engine preview``)."""

    shot: str
    style: str = "preview"
    """Name of the folder under ``out/``; no trained style may have it."""
    keys: list[int] = dataclasses.field(default_factory=list)
    """Empty: all painted keyframes."""
    frames: list[int] = dataclasses.field(default_factory=list)
    """Empty: every frame of the shot."""
    format: str = "png"
    """``png`` or ``exr``."""
    depth: int = 8
    """Bits a channel of PNG: 8 or 16."""
    force: bool = False
    """Do frames again that are up to date."""


@dataclasses.dataclass(frozen=True)
class Cancel(Request):
    """Stop the job of this number as soon as what is begun is whole."""


@dataclasses.dataclass(frozen=True)
class Event:
    """What the worker reports; ``job`` is 0 where no job is meant."""

    job: int


@dataclasses.dataclass(frozen=True)
class Ready(Event):
    """The worker has loaded and takes requests."""

    device: str
    """The device that ``auto`` means, in words: ``CPU (2 threads, bf16)``."""
    engine_version: str


@dataclasses.dataclass(frozen=True)
class Progress(Event):
    """How far a job is, several times a second at most."""

    step: str
    """``import``, ``train``, ``stylize`` or ``preview``."""
    fraction: float
    """0..1."""
    seconds_left: float
    """Below zero: not known yet."""
    text: str
    """Short, for people: ``Frame 12 of 30`` or ``Step 420, held-out loss 0.081``."""


@dataclasses.dataclass(frozen=True)
class FrameDone(Event):
    """A stylized frame is in its place."""

    frame: int
    path: str


@dataclasses.dataclass(frozen=True)
class Picture(Event):
    """A live picture is whole in the memory-mapped file."""

    frame: int
    sequence: int


@dataclasses.dataclass(frozen=True)
class Warned(Event):
    """Something the user should know; the job goes on."""

    sentence: str


@dataclasses.dataclass(frozen=True)
class Done(Event):
    """The job ended well. ``result`` is plain data, such as ``{"frames": 30, "skipped": 12}``."""

    result: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Cancelled(Event):
    """The job ended because it was told to; what is finished stays."""


@dataclasses.dataclass(frozen=True)
class Failed(Event):
    """The job ended with an error: one sentence for the user, the traceback for the log."""

    sentence: str
    detail: str = ""


REQUESTS: dict[str, type[Request]] = {
    kind.__name__: kind for kind in (ImportPictures, Train, Stylize, Preview, Cancel)
}
EVENTS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (Ready, Progress, FrameDone, Picture, Warned, Done, Cancelled, Failed)
}


def encode(message: Request | Event) -> str:
    """Return a message as one line of JSON, with its newline."""
    data = {"version": PROTOCOL_VERSION, "kind": type(message).__name__}
    return json.dumps({**data, **dataclasses.asdict(message)}) + "\n"


def decode_request(line: str) -> Request:
    """Read a request. Raises PaintoverError for what this version does not know."""
    message = _decode(line, REQUESTS)
    assert isinstance(message, Request)
    return message


def decode_event(line: str) -> Event:
    """Read an event. Raises PaintoverError for what this version does not know."""
    message = _decode(line, EVENTS)
    assert isinstance(message, Event)
    return message


def _decode(line: str, kinds: dict[str, Any]) -> Any:
    try:
        data = json.loads(line)
        version, kind = data.pop("version"), data.pop("kind")
    except (ValueError, KeyError, AttributeError, TypeError):
        raise PaintoverError(f"Not a message of Paintover: {line.strip()[:200]!r}.") from None
    if version != PROTOCOL_VERSION:
        raise PaintoverError(
            f"The add-on and the engine speak different versions ({version}, {PROTOCOL_VERSION}); "
            "install both from one Paintover release."
        )
    if not isinstance(kind, str) or kind not in kinds:
        raise PaintoverError(f"Unknown message {kind!r}; update Paintover.")
    known = get_type_hints(kinds[kind])
    for name in data:
        if name not in known:
            raise PaintoverError(f"Unknown field {name!r} in message {kind!r}; update Paintover.")
    try:
        if data.get("live") is not None:
            data["live"] = LivePicture(**data["live"])
        message = kinds[kind](**data)
        if isinstance(message, Train):
            check_types({**message.settings})
    except TypeError:
        raise PaintoverError(f"A field is missing or wrong in message {kind!r}.") from None
    return message
