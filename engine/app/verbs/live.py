# SPDX-License-Identifier: GPL-3.0-or-later
"""The verb ``live``: a live session without Blender.

For people who paint in another program: it watches ``keys/``, takes in each save of a painting, and
writes the picture of one frame.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import os
import queue
import time
from pathlib import Path

import numpy as np

from ...images.pictures import write_picture
from ...live.session import live
from ...shared import live_protocol as messages
from ...shared.checked import Digest, from_data
from ...shared.durations import format_seconds
from ...shared.errors import Cancelled, PaintoverError
from ...shared.files import cannot_write, digest_file, write_bytes
from ...shared.live_files import PictureSlots
from ...shared.places import (
    FOLDERS_OF_A_SHOT,
    check_place,
    is_among_files,
    real_path,
    real_place,
)
from ...shared.protocol import Event, Request
from ...shared.reading import read_json
from ...shared.shot import Shot
from ...shared.temporary import temporary_file
from ..terminal import Terminal

_IN_WORDS = {
    messages.CARRIED: "your paint, carried to it",
    messages.NETWORK: "what is learnt so far",
    messages.FINAL: "all that is learnt",
}


_FIELDS = ("style", "frame", "output", "seconds", "device", "share", "seed")


def run(options: argparse.Namespace, terminal: Terminal) -> None:
    """Run a live session. Raises PaintoverError and Cancelled."""
    watch(options.shot, terminal, **{name: getattr(options, name) for name in _FIELDS})


def watch(
    folder: Path,
    terminal: Terminal,
    *,
    style: str,
    frame: int | None,
    output: Path | None,
    seconds: float,
    device: str,
    share: float,
    seed: int,
) -> None:
    """Run a session until it is stopped, then write the style.

    Args:
        folder: the shot folder.
        terminal: shows the state; Ctrl+C reaches it.
        style: name of the style.
        frame: the frame to show; None: the unpainted one nearest to the middle of the shot.
        output: the picture to write; None: ``live/NNNN.png`` in the shot folder.
        seconds: end after so many; 0: when it is stopped.
        device, share, seed: as in ``Live``.

    Raises:
        PaintoverError: no shot, no frames, no such frame, or the picture cannot or must not be
            written.
        Cancelled: it was stopped; the style is written if anything was learnt.
    """
    shot = Shot.open(folder)
    shot.check_frames()
    number = _frame_to_show(shot) if frame is None else frame
    if number not in shot.manifest.frames:
        raise PaintoverError(
            f"{folder} has no frame {number}; it has {shot.frames[0]} to {shot.frames[-1]}."
        )
    path = output or shot.live_path(number)
    if path.suffix.lower() not in (".png", ".exr"):
        raise PaintoverError(f"The picture {path} must be a PNG or an EXR file; name it so.")
    check_place(path)
    outputs = _Outputs(shot)
    if output:
        outputs.check(output)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_file(path.with_suffix(".raw")) as raw:
            manifest = shot.manifest
            place = messages.LivePictures(
                str(raw), manifest.width, manifest.height, floats=True, bottom_first=False
            )
            slots = PictureSlots.make(place)
            with contextlib.closing(slots):
                request = messages.Live(
                    0, str(folder), place, number, style, device=device, seed=seed, share=share
                )
                link = _Watching(terminal, slots, path, seconds, outputs if output else None)
                terminal.finished(
                    f"Watching {folder / 'keys'}; frame {number} is written to {path}. Ctrl+C ends "
                    f'it and writes the style "{style}".'
                )
                with contextlib.suppress(Cancelled):
                    live(request, link)
    except OSError as error:
        raise cannot_write(path, error) from error
    if terminal.cancelled():
        raise Cancelled


class _Outputs:
    """Which pictures sessions of a shot have written elsewhere, and may replace.

    The file ``live/outputs.json`` has their paths, with the digest of what was written last, and
    of what it has replaced: a session that is killed may have left either.
    """

    def __init__(self, shot: Shot) -> None:
        self._folder = shot.folder
        self._path = shot.live_path(0).with_name("outputs.json")

    def check(self, path: Path) -> None:
        """Raise PaintoverError if a picture must not be written.

        That is one among the files of a shot, and one that is there and that no session has
        written, or somebody has changed since.
        """
        place = real_place(path)
        own = [real_path(self._folder / name) for name in FOLDERS_OF_A_SHOT if name != "live"]
        if is_among_files(place) or any(map(place.is_relative_to, own)):
            raise PaintoverError(
                f"{path} is among the files of a shot; choose an --output elsewhere."
            )
        if not self.may_replace(path):
            raise PaintoverError(
                f"{path} is there already and is not as live has written it; choose another "
                "--output, or move the file away."
            )

    def may_replace(self, path: Path) -> bool:
        """Return whether nothing is there, or what a session has written and nobody changed."""
        place = real_place(path)
        return not os.path.lexists(place) or digest_file(place) in self._known().get(str(place), [])

    def note(self, path: Path, picture: Path) -> None:
        """Note a picture before it is there.

        Args:
            path: where it is to be.
            picture: its temporary file.

        Raises:
            PaintoverError: the note cannot be written.
        """
        place, known = real_place(path), self._known()
        here = digest_file(place)
        before = [one for one in known.get(str(place), []) if one == here]
        known[str(place)] = [*before, digest_file(picture)]
        write_bytes(self._path, json.dumps(known, indent=1).encode())

    def _known(self) -> dict[str, list[str]]:
        """Return path → digests, as all sessions have noted them by now."""
        try:
            found = from_data(dict[str, Digest | list[Digest]], read_json(self._path))
        except (OSError, ValueError):
            return {}
        # An earlier version noted one digest.
        return {path: [one] if isinstance(one, str) else one for path, one in found.items()}


def _frame_to_show(shot: Shot) -> int:
    painted = set(shot.painted_keys())
    frames = [frame for frame in shot.frames if frame not in painted] or shot.frames
    middle = shot.frames[len(shot.frames) // 2]
    return min(frames, key=lambda frame: abs(frame - middle))


class _Watching:
    """The link of a session to a terminal and a picture.

    When it is to end, it first asks for the style.

    Args:
        terminal: shows the state.
        slots: have the pictures.
        path: of the picture to write.
        seconds: end after so many; 0: when it is stopped.
        outputs: knows the picture if it is outside of the shot.
    """

    def __init__(
        self,
        terminal: Terminal,
        slots: PictureSlots,
        path: Path,
        seconds: float,
        outputs: _Outputs | None,
    ) -> None:
        self.inbox: queue.SimpleQueue[Request | None] = queue.SimpleQueue()
        self._terminal, self._slots, self._path, self._outputs = terminal, slots, path, outputs
        self._end = time.monotonic() + seconds if seconds else float("inf")
        self._asked = self._ended = False
        self._shows, self._said = "", ("", "")
        self._has_learnt = self._is_in_the_way = False

    def cancelled(self) -> bool:
        """Return whether the session should end: it was told to, and the style is written."""
        is_over = self._terminal.cancelled() or time.monotonic() >= self._end
        if is_over and not self._has_learnt:
            return True
        if is_over and not self._asked:
            self._asked = True
            self.inbox.put(messages.LiveFinish(0))
        return self._ended

    def warned(self, sentence: str) -> None:
        """Print a warning."""
        self._terminal.warned(sentence)

    def send(self, event: Event) -> None:
        """Show an event."""
        if isinstance(event, messages.LiveShown):
            self._write(event)
        elif isinstance(event, messages.LiveState):
            self._has_learnt |= event.steps > 0
            self._say(event)
        elif isinstance(event, messages.LiveFinished):
            self._ended = True
            if event.path:
                self._terminal.finished(f"Wrote {event.path}; stylize paints the shot with it.")
            else:
                self._terminal.warned(event.sentence)

    def _write(self, event: messages.LiveShown) -> None:
        if self._outputs and not self._outputs.may_replace(self._path):
            if not self._is_in_the_way:
                self._terminal.warned(
                    f"{self._path} was changed while live wrote it, so it stays as it is; move it "
                    "away to see frames there again."
                )
            self._is_in_the_way = True
            return
        self._is_in_the_way = False
        place = self._slots.place
        pixels = np.array(self._slots.pixels(event.slot), np.float32)
        ready = functools.partial(self._outputs.note, self._path) if self._outputs else None
        write_picture(self._path, pixels.reshape(place.height, place.width, 4), ready=ready)
        if event.shows != self._shows:
            self._shows = event.shows
            self._terminal.finished(f"Frame {event.frame} shows {_IN_WORDS[event.shows]}.")

    def _say(self, event: messages.LiveState) -> None:
        said = (event.state, event.sentence)
        if event.state == messages.LEARNING:
            text = f"learning {format_seconds(event.seconds)}, step {event.steps}"
            self._terminal.progress("live", min(event.learnt, 0.99), -1.0, text)
        elif said != self._said and event.state == messages.WAITING:
            self._terminal.finished("All is learnt; waiting for paint.")
        elif said != self._said and event.state == messages.PAUSED:
            self._terminal.finished(event.sentence or "Paused.")
        self._said = said
