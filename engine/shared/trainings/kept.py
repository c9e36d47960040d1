# SPDX-License-Identifier: GPL-3.0-or-later
"""The trainings of a style that are kept: listed, and taken back.

``styles/NAME/trainings/TRAINING.json`` is the record of a training, ``TRAINING.safetensors`` the
style that it has written and ``TRAINING.resume.safetensors`` the state that it continues from.
These are second names of the style's own files where the drive knows such, so they cost no space
while they are in use.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import re
import time
from collections.abc import Iterable
from pathlib import Path

from ..claims import Claims, is_held, refusal
from ..dates import bounded, date_stamp
from ..durations import format_seconds
from ..errors import PaintoverError
from ..files import digest_file, give_name, read_by_state
from ..places import check_place
from ..shot import Shot
from ..style_header import read_style_header, refuse_later_style
from .record import (
    FINISHED,
    INTERRUPTED,
    RUNNING,
    STOPPED,
    TrainingRecord,
    figures,
    read_record,
    thinned,
    write_record,
)

MOST_KEPT = 5
"""Most trainings of a style that are kept …"""
MOST_KEPT_BYTES = 512 << 20
"""… and the most bytes of their files. The style in use and the best one are never deleted."""
MOST_RECORDS, MOST_RECORD_BYTES = 64, 2 << 20
"""Most records of a style that are read, the newest, and their bytes; usually there are few."""
PREVIOUS_NAME = "previous.safetensors"
"""File in ``styles/NAME/``: the style that the present one has replaced."""
RESUME_NAME = "resume.safetensors"
"""File in ``styles/NAME/``: the state that the last training continues from."""
BEST, PREVIOUS = "best", "previous"
"""Names that ``chosen`` knows besides those of trainings."""
_NAME = re.compile(r"[0-9]{8}-[0-9]{6}(-[0-9]{1,4})?")


@dataclasses.dataclass(frozen=True)
class Training:
    """One training of a style."""

    name: str
    record: TrainingRecord
    is_kept: bool = False
    """Whether its style is there, to be taken back."""
    is_in_use: bool = False
    """Whether the style is as this training has written it."""
    is_best: bool = False
    """Whether its held-out figure is the lowest of those that can be compared with the last."""


@dataclasses.dataclass(frozen=True)
class Trainings:
    """The trainings of a style, newest first, and sentences about records that cannot be read."""

    trainings: tuple[Training, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def kept(self) -> tuple[Training, ...]:
        """Those that can be taken back."""
        return tuple(one for one in self.trainings if one.is_kept)

    @property
    def last(self) -> Training | None:
        """The newest, which may be running; None if there is none."""
        return self.trainings[0] if self.trainings else None

    @property
    def in_use(self) -> Training | None:
        """The one that has written the style; None if it is not known."""
        return next((one for one in self.trainings if one.is_in_use), None)


NO_TRAININGS = Trainings()


def record_path(shot: Shot, style: str, name: str) -> Path:
    """Return the path of a training's record."""
    return shot.trainings_folder(style) / f"{name}.json"


def kept_path(shot: Shot, style: str, name: str) -> Path:
    """Return the path of the style that is kept of a training."""
    return shot.trainings_folder(style) / f"{name}.safetensors"


def _kept_state_path(shot: Shot, style: str, name: str) -> Path:
    return shot.trainings_folder(style) / f"{name}.{RESUME_NAME}"


def free_training_name(shot: Shot, style: str, began: float) -> str:
    """Return a name for a training that began at a time: its date, and a number if needed."""
    date = date_stamp(began)
    taken = _names(shot.trainings_folder(style))
    names = (date, *(f"{date}-{number}" for number in range(2, 10_000)))
    return next(name for name in names if f"{name}.json" not in taken)


def read_trainings(shot: Shot, style: str) -> Trainings:
    """Read the newest trainings of a style. Records that cannot be read are told in a sentence.

    Raises:
        PaintoverError: the name of the style is not allowed.
    """
    folder = shot.trainings_folder(style)
    names = _names(folder)
    records: dict[str, TrainingRecord] = {}
    notes: list[str] = []
    for file in _newest_records(folder, names):
        name = file.removesuffix(".json")
        found = _read(folder / file)
        if isinstance(found, TrainingRecord):
            records[name] = found
        elif found:
            notes.append(found)
    _mark_interrupted(records, shot.training_claim_path(style))
    kept = {name for name in records if records[name].style and f"{name}.safetensors" in names}
    return Trainings(tuple(_marked(records, kept, _digest(shot.style_path(style)))), tuple(notes))


def _newest_records(folder: Path, names: Iterable[str]) -> list[str]:
    """Return the names of the newest records, the oldest first; someone may have made very many."""
    listed = [name for name in names if name.endswith(".json") and _NAME.fullmatch(name[:-5])]
    left, found = MOST_RECORD_BYTES, list[str]()
    for name in sorted(listed)[: -MOST_RECORDS - 1 : -1]:
        with contextlib.suppress(OSError):
            left -= (folder / name).stat().st_size
        if left < 0:
            break
        found.append(name)
    return found[::-1]


def _mark_interrupted(records: dict[str, TrainingRecord], claim: Path) -> None:
    """Change the state of those that say that they run, but whose process is gone."""
    running = sorted(
        (name for name, record in records.items() if record.state == RUNNING),
        key=lambda name: (records[name].began, name),
    )
    if running and is_held(claim):
        running.pop()
    for name in running:
        records[name] = dataclasses.replace(records[name], state=INTERRUPTED)


def _read_or_say(path: Path) -> TrainingRecord | str:
    try:
        return read_record(path)
    except PaintoverError as error:
        return str(error)


_NOTHING: TrainingRecord | str = ""
_read = read_by_state(_read_or_say, _NOTHING)


def _marked(records: dict[str, TrainingRecord], kept: set[str], digest: str) -> Iterable[Training]:
    """Yield the trainings, newest first."""
    order = sorted(records, key=lambda name: (records[name].began, name), reverse=True)
    in_use = next((name for name in order if digest and records[name].style == digest), "")
    last = next((records[name].judged for name in order if name in kept), "")
    comparable = {
        name: figure
        for name in order
        if name in kept
        and (figure := records[name].held_out) is not None
        and last == records[name].judged != ""
    }
    best = min(comparable, key=lambda name: comparable[name]) if len(comparable) > 1 else ""
    for name in order:
        yield Training(name, records[name], name in kept, name == in_use, name == best)


def keep_training(shot: Shot, style: str, name: str, record: TrainingRecord) -> None:
    """Keep the style that a training has written, its state and its record; old ones are deleted.

    Args:
        shot: the shot.
        style: name of the style.
        name: of the training.
        record: its record; the digest is added to it.

    Raises:
        PaintoverError: a file cannot be written.
    """
    path = kept_path(shot, style, name)
    give_name(shot.style_path(style), path)
    state = shot.style_folder(style) / RESUME_NAME
    if state.is_file():
        give_name(state, _kept_state_path(shot, style, name))
    write_record(record_path(shot, style, name), dataclasses.replace(record, style=_digest(path)))
    delete_old_trainings(shot, style)


def keep_present_style(shot: Shot, style: str) -> str:
    """Keep the style that is there, if no training has kept it; its record is made from its header.

    Returns:
        The name of the training; "" if there is no style, or it cannot be read.

    Raises:
        PaintoverError: a file cannot be written.
    """
    path = shot.style_path(style)
    if not path.is_file():
        return ""
    there = read_trainings(shot, style).in_use
    if there is not None and there.is_kept:
        return there.name
    try:
        header = read_style_header(path)
    except PaintoverError:
        return ""
    began = bounded(path.stat().st_mtime - header.seconds)
    record = TrainingRecord(
        began,
        FINISHED if header.finished else STOPPED,
        header.network,
        header.trained_on,
        "",
        min((figure for _, figure in figures(header.curve)), default=None),
        header.steps,
        header.seconds,
        thinned(header.curve),
    )
    name = free_training_name(shot, style, began)
    kept = kept_path(shot, style, name)
    give_name(path, kept)
    record = dataclasses.replace(record, style=_digest(kept))
    write_record(record_path(shot, style, name), record)
    return name


def keep_previous(path: Path, folder: Path) -> None:
    """Give the style in a file, if there is one, a second name: ``previous.safetensors``.

    Args:
        path: of the style.
        folder: ``styles/NAME``.

    Raises:
        PaintoverError: it cannot be written.
    """
    if path.is_file():
        give_name(path, folder / PREVIOUS_NAME)


def chosen(shot: Shot, style: str, name: str) -> Training:
    """Return a kept training.

    Args:
        shot: the shot.
        style: name of the style.
        name: of the training; ``best``, or ``previous`` for the newest that is not in use.

    Raises:
        PaintoverError: there is none.
    """
    found = read_trainings(shot, style)
    fits = {
        BEST: [one for one in found.kept if one.is_best],
        PREVIOUS: [one for one in found.kept if not one.is_in_use],
    }.get(name, [one for one in found.kept if one.name == name])
    if fits:
        return fits[0]
    there = ", ".join(one.name for one in found.kept)
    if not there:
        raise PaintoverError(
            f'No training of the style "{style}" is kept in {shot.folder}; train it first.'
        )
    if name == BEST:
        raise PaintoverError(
            f'No two trainings of the style "{style}" are of the same paintings, so none is the '
            f"best; choose one of {there}."
        )
    if name == PREVIOUS:
        raise PaintoverError(
            f'The only training of the style "{style}" that is kept is in use; train again to have '
            "another."
        )
    raise PaintoverError(
        f'The style "{style}" has no kept training {name[:80]}; choose one of {there}.'
    )


def take_back(shot: Shot, style: str, name: str) -> Training:
    """Let the style be as a kept training has written it, and continue from that one's state.

    The style that is there is kept first.

    Args:
        shot: the shot.
        style: name of the style.
        name: as for ``chosen``.

    Returns:
        The training.

    Raises:
        PaintoverError: there is no such training, the style is being trained, or a file is damaged
            or cannot be written.
    """
    training = chosen(shot, style, name)
    with contextlib.closing(Claims()) as claims:
        holder = claims.take(shot.training_claim_path(style))
        if holder is not None:
            raise refusal(f'The style "{style}" is being trained', holder)
        kept = kept_path(shot, style, training.name)
        read_style_header(kept)
        if _digest(kept) != training.record.style:
            raise PaintoverError(
                f"{kept} is damaged: it is not as the training has written it; choose another one."
            )
        path, folder = shot.style_path(style), shot.style_folder(style)
        refuse_later_style(path)
        check_place(folder / RESUME_NAME)
        keep_present_style(shot, style)
        keep_previous(path, folder)
        state = _kept_state_path(shot, style, training.name)
        if state.is_file():
            give_name(state, folder / RESUME_NAME)
        else:  # else Continue would go on from another training than the style's
            (folder / RESUME_NAME).unlink(missing_ok=True)
        give_name(kept, path)
    return training


def describe(training: Training) -> str:
    """Return a kept training in a few words: ``28 Nov 20:16, 1 min 00 s, in use, best``."""
    record = training.record
    marks = {
        "stopped": record.state == STOPPED,
        "interrupted": record.state == INTERRUPTED,
        "in use": training.is_in_use,
        "best": training.is_best,
    }
    parts = [describe_date(record.began), format_seconds(record.seconds)]
    return ", ".join(parts + [word for word, holds in marks.items() if holds])


def describe_date(began: float) -> str:
    """Return the local date and time of a training: ``28 Nov 20:16``."""
    date = time.localtime(began)
    return f"{date.tm_mday} {_MONTHS[date.tm_mon - 1]} {date.tm_hour:02}:{date.tm_min:02}"


_MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def delete_old_trainings(shot: Shot, style: str) -> None:
    """Delete the oldest trainings beyond the bounds, and records of which no style is kept."""
    found = read_trainings(shot, style).trainings
    kept = [one for one in found if one.is_kept]
    lost = [one for one in found[1:] if not one.is_kept]
    sizes = {one.name: _size(shot, style, one.name) for one in kept}
    may_go = [one for one in kept[1:] if not (one.is_in_use or one.is_best)]
    while may_go and (len(sizes) > MOST_KEPT or sum(sizes.values()) > MOST_KEPT_BYTES):
        oldest = may_go.pop()
        del sizes[oldest.name]
        lost.append(oldest)
    for one in lost:
        for path in _files(shot, style, one.name):
            with contextlib.suppress(OSError, PaintoverError):
                check_place(path)
                path.unlink(missing_ok=True)


def _files(shot: Shot, style: str, name: str) -> tuple[Path, ...]:
    """Return the files of a training, its record last."""
    state = _kept_state_path(shot, style, name)
    return state, kept_path(shot, style, name), record_path(shot, style, name)


def _size(shot: Shot, style: str, name: str) -> int:
    return sum(path.stat().st_size for path in _files(shot, style, name) if path.is_file())


def _digest(path: Path) -> str:
    try:
        return digest_file(path)
    except OSError:
        return ""


def _names(folder: Path) -> set[str]:
    try:
        return {entry.name for entry in os.scandir(folder)}
    except OSError:
        return set()
