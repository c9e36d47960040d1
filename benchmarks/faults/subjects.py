# SPDX-License-Identifier: GPL-3.0-or-later
"""A valid file of every kind that Paintover reads again, in a small shot, and how it is read."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from engine.app.job_list import STATUS, logs_of, read_list, recall, write_status
from engine.app.verbs.info import describe, describe_in_words
from engine.images.pictures import write_picture
from engine.jobs.import_note import NOTE_NAME, note_moves
from engine.jobs.import_note import noted as noted_moves
from engine.jobs.train import train
from engine.motion.track_cache import TrackCache
from engine.networks.style_file import load_style
from engine.shared import protocol
from engine.shared.claims import Claims, holder_of
from engine.shared.coverage_records import (
    SURFACE,
    Coverage,
    Suggestion,
    read_coverage,
    write_coverage,
)
from engine.shared.errors import PaintoverError
from engine.shared.flicker_records import Flicker, read_flickers, unsteady_frames, write_flicker
from engine.shared.identity import identity
from engine.shared.journal import JOURNAL_NAME
from engine.shared.manifest import MANIFEST_NAME, Camera, Colour, FrameRecord, Manifest
from engine.shared.out_records import OutRecord
from engine.shared.pictures.digests import digest_picture
from engine.shared.reporter import Silent
from engine.shared.shot import Shot
from engine.shared.trainings.kept import Training
from engine.shared.trainings.kept import describe as describe_training
from engine.shared.trainings.record import read_record as read_training
from engine.sweep.judge import Scores
from engine.sweep.record import RECORD, SweepRecord, read_record, write_record
from engine.sweep.report import results
from engine.sweep.space import SHOT, axes
from engine.sweep.study import JOURNAL, SweepStudy
from engine.sweep.trial import Outcome
from engine.training.resume import load_run

from .packing import resume_json, style_json, with_resume_json, with_style_json

WIDTH, HEIGHT = 48, 32
_STYLE = "ink"
_RECORD = SweepRecord(SHOT, {1: "abc"}, ["edges"], 2, 0.0, "")
_AXES = axes(SHOT, ["edges"])


@dataclasses.dataclass(frozen=True)
class Subject:
    """A kind of file.

    Attributes:
        kind: its name in tables.
        folder: the shot that it is in.
        path: the valid file.
        read: reads it as Paintover does, and returns what was read as JSON data.
        unpack: returns the JSON in the file's content; None: it has none.
        pack: returns the content with other JSON.
        rewritten: names of other files that reading may write, such as caches.
    """

    kind: str
    folder: Path
    path: Path
    read: Callable[[], Any]
    unpack: Callable[[bytes], str] | None = None
    pack: Callable[[bytes, str], bytes] | None = None
    rewritten: tuple[str, ...] = ()


def make_subjects(folder: Path) -> list[Subject]:
    """Make the files in an empty folder, one shot with all of them."""
    shot = make_shot(folder / "shot")
    request = protocol.Train(0, str(shot.folder), _STYLE, steps=2, network="small", device="cpu")
    train(dataclasses.replace(request, settings={"patch": 12, "batch": 1}), Silent())
    _write_records(shot)
    shot.note_frame(2)
    tracks = TrackCache(shot, 1, Silent())
    tracks.track(2)
    resume = shot.style_folder(_STYLE) / "resume.safetensors"
    flicker = shot.out_record_path(_STYLE, 2).with_name("0002.flicker.json")
    track = next(shot.cache_folder("tracks").glob("0002.*"))
    return [
        _json("shot.json", shot, shot.folder / MANIFEST_NAME, lambda: _shot(shot)),
        Subject(
            "style",
            shot.folder,
            shot.style_path(_STYLE),
            lambda: _style(shot),
            style_json,
            with_style_json,
        ),
        Subject(
            "resume state",
            shot.folder,
            resume,
            lambda: _resume(shot),
            resume_json,
            with_resume_json,
        ),
        _json("record of a frame", shot, shot.out_record_path(_STYLE, 2), lambda: _record(shot)),
        _json("flicker of a frame", shot, flicker, lambda: _flicker(shot)),
        Subject("tracks", shot.folder, track, lambda: _tracks(shot), rewritten=("0002",)),
        Subject(
            "journal",
            shot.folder,
            shot.folder / JOURNAL_NAME,
            lambda: _shot(shot),
            lambda content: content.split(b"\n")[1].decode(),
            lambda content, text: content.split(b"\n")[0] + b"\n" + text.encode() + b"\n",
        ),
        _message(shot, folder / "request.json"),
        *_sweep(shot),
        _training(shot),
        _coverage(shot),
        _import_note(shot),
        _claim(shot),
        _list(shot, folder / "jobs.txt"),
    ]


def _json(kind: str, shot: Shot, path: Path, read: Callable[[], Any]) -> Subject:
    """Return a file that is JSON and nothing else."""
    return Subject(kind, shot.folder, path, read, _text, _new)


def _training(shot: Shot) -> Subject:
    path = next(shot.trainings_folder(_STYLE).glob("*.json"))

    def read() -> Any:
        record = read_training(path)
        return [describe_training(Training(path.stem, record)), dataclasses.asdict(record)]

    return _json("record of a training", shot, path, read)


def _coverage(shot: Shot) -> Subject:
    found = Coverage(0.5, {1: 1.0, 2: 0.25}, [1], [Suggestion(2, 0.1, False)], [3], SURFACE)
    write_coverage(shot, found)

    def read() -> Any:
        coverage = read_coverage(shot)
        return coverage and [coverage.sentence(), coverage.as_data()]

    return _json("coverage", shot, shot.cache_folder("coverage") / "coverage.json", read)


def _import_note(shot: Shot) -> Subject:
    note_moves(shot.folder, {shot.image_path(1): shot.image_path(1)})

    def read() -> Any:
        return {str(path): known for path, known in noted_moves(shot.folder).items()}

    return _json("note of an import", shot, shot.folder / NOTE_NAME, read)


def _claim(shot: Shot) -> Subject:
    path = shot.cache_folder("claims") / "train.claim"
    with Claims() as claims:
        claims.take(path)
        data = path.read_bytes()
    path.write_bytes(data)
    return _json("claim", shot, path, lambda: str(holder_of(path)))


def _list(shot: Shot, path: Path) -> Subject:
    """Return what is known of a list of jobs."""
    path.write_text("status shot\ninfo shot\n", encoding="utf-8")

    def read() -> Any:
        jobs = read_list(path)
        recall(jobs, logs_of(path))
        return [job.as_data() for job in jobs]

    write_status(logs_of(path), read_list(path))
    return _json("status of a list", shot, logs_of(path) / STATUS, read)


def _sweep(shot: Shot) -> list[Subject]:
    """Return the journal and the record of a sweep with two trials, and reading them."""
    folder = shot.sweep_folder(_STYLE)
    folder.mkdir(parents=True)
    write_record(folder, _RECORD)
    study = SweepStudy(folder, 1, _AXES)
    study.begin([{"batch": 4}])
    for score in (2.0, 1.0):
        trial = study.ask()
        trial.suggest_int("batch", 2, 16, log=True)
        study.tell(trial, Outcome(Scores(score, 0.0, None), 2, 1.0))
    study.note_style("abc", 1)
    study.close()
    return [
        Subject(
            "journal of a sweep",
            shot.folder,
            folder / JOURNAL,
            lambda: _study(folder),
            _lines,
            _with_lines,
        ),
        _json("record of a sweep", shot, folder / RECORD, lambda: _sweep_record(folder)),
    ]


def _study(folder: Path) -> Any:
    """Read a journal, in a copy of its folder, as it is also written to."""
    with tempfile.TemporaryDirectory() as place:
        copied = Path(place)
        shutil.copyfile(folder / JOURNAL, copied / JOURNAL)
        try:
            study = SweepStudy(copied, 1, _AXES)
            try:
                found = results(_STYLE, copied, _RECORD, study, "", "")
                return [found.table(), found.data, study.styles]
            finally:
                study.close()
        except PaintoverError as error:
            raise type(error)(str(error).replace(str(copied), str(folder))) from error


def _sweep_record(folder: Path) -> Any:
    record = read_record(folder)
    assert record
    return [record.trial_in_words, record.other_than(_RECORD), dataclasses.asdict(record)]


def _lines(content: bytes) -> str:
    return f"[{','.join(content.decode().splitlines())}]"


def _with_lines(content: bytes, text: str) -> bytes:
    """Return a journal of the items of a list, or of a text that is none."""
    try:
        items = json.loads(text)
    except (ValueError, RecursionError):
        return _new(content, text)
    lines = items if isinstance(items, list) else [items]
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def make_shot(folder: Path, frames: int = 3) -> Shot:
    """Make a shot of a disc that moves, with a painting of its first frame."""
    shot = Shot(folder, Manifest(WIDTH, HEIGHT, 1, frames))
    manifest = shot.manifest
    manifest.source = {"kind": "blender", "scene": "Scene", "views": [], "settings": {"abc": {}}}
    manifest.passes = {"image": "Combined", "alpha": "Combined"}
    manifest.colour = Colour(exposure=0.5)
    manifest.owner = {"blend": "../shot.blend", "scene": "Scene"}
    manifest.weights, manifest.blank_keys = {1: {1: 1.0, 3: 0.5}}, {2: "abc"}
    manifest.removed_keys = [3]
    for frame in range(1, frames + 1):
        write_picture(shot.image_path(frame), picture(frame))
        camera = Camera([float(number) for number in range(16)], name="Camera")
        digest = digest_picture(shot.image_path(frame))
        manifest.frames[frame] = FrameRecord(digest, "", "abc", camera)
    shot.save()
    write_picture(shot.key_path(1), 1 - picture(1)[..., :3])
    return shot


def picture(frame: int) -> Any:
    """Return a frame of the shot, (H, W, 4) float32, 0..1."""
    y, x = np.mgrid[:HEIGHT, :WIDTH].astype(np.float32)
    inside = np.hypot(x - 16 - 2 * frame, y - 16) < 10
    colours = np.stack([x / WIDTH, y / HEIGHT, 0.5 + 0.5 * np.sin(x)], axis=2)
    return np.dstack([colours * inside[..., None], np.ones_like(x)]).astype(np.float32)


def _write_records(shot: Shot) -> None:
    for frame in (1, 2):
        write_picture(shot.out_path(_STYLE, frame), picture(frame))
        record = OutRecord(f"{frame:04d}.png", "abc", "def", "ghi")
        shot.write_out_record(_STYLE, frame, record)
    write_flicker(shot, _STYLE, 2, Flicker(1.5, 0.5))


def _shot(shot: Shot) -> Any:
    identity(shot.folder)
    data = describe(shot.folder)
    return [describe_in_words(data), dataclasses.asdict(Shot.open(shot.folder).manifest)]


def _style(shot: Shot) -> Any:
    describe_in_words(describe(shot.style_path(_STYLE)))
    network, header, *_ = load_style(shot.style_path(_STYLE))
    largest = max(float(value.abs().max()) for value in network.parameters())
    return [dataclasses.asdict(header), largest]


def _resume(shot: Shot) -> Any:
    saved = load_run(shot.style_folder(_STYLE))
    saved.network()
    return [dataclasses.asdict(saved.header), dataclasses.asdict(saved.numbers), saved.seconds]


def _record(shot: Shot) -> Any:
    record = shot.read_out_record(_STYLE, 2)
    return None if record is None else dataclasses.asdict(record)


def _flicker(shot: Shot) -> Any:
    found = read_flickers(shot, _STYLE)
    return [unsteady_frames(found), {str(n): dataclasses.asdict(one) for n, one in found.items()}]


def _tracks(shot: Shot) -> Any:
    track = TrackCache(shot, 1, Silent()).track(2)
    return [track.at.shape[:2] == (HEIGHT, WIDTH), float(track.presence.max())]


def _message(shot: Shot, path: Path) -> Subject:
    live = protocol.LivePicture(str(path), 1, 8, 8)
    request = protocol.Train(1, str(shot.folder), settings={"patch": 12}, keys=[1], live=live)
    path.write_text(protocol.encode(request), encoding="utf-8")

    def read() -> Any:
        line = path.read_bytes().decode("utf-8", "replace")
        try:
            return dataclasses.asdict(protocol.decode_request(line))
        except PaintoverError as error:
            raise type(error)(f"{path.name}: {error}") from error

    return _json("request", shot, path, read)


def _text(content: bytes) -> str:
    return content.decode()


def _new(_: bytes, text: str) -> bytes:
    return text.encode()
