# SPDX-License-Identifier: GPL-3.0-or-later
"""State of a shot: which steps are up to date, and which keyframes are painted."""

from __future__ import annotations

import dataclasses
import time
from pathlib import Path
from typing import Any

import bpy

from . import compositor, mattes, properties, shot_folders
from .capture import settings as capture
from .engine.shared.coverage_records import Coverage, coverage_digest, read_coverage
from .engine.shared.errors import NoShotError, PaintoverError
from .engine.shared.flicker_records import read_flickers, unsteady_frames
from .engine.shared.frame_lists import counted, name_frames
from .engine.shared.freshness import Step, StepState, out_state, style_state
from .engine.shared.keyframes.names import describe_unused
from .engine.shared.keyframes.versions import Version, versions_of
from .engine.shared.keyframes.weights import changed
from .engine.shared.pictures import sizes
from .engine.shared.pictures.header_bounds import check_before_loading
from .engine.shared.places import is_folder
from .engine.shared.shot import Shot
from .engine.shared.shot_paths import OUT_SUFFIXES
from .engine.shared.style_header import PROJECTION, read_style_header
from .engine.shared.trainings.kept import NO_TRAININGS, Trainings, read_trainings
from .keyframes import images as keyframe_images
from .keyframes import weights as keyframe_weights

SAME_RATE = 0.005
"""Frames per second by which two frame rates may differ and be the same."""

SETTLED_NS = 2_000_000_000
"""Age from which on a file counts as written. Blender keeps thumbnails by the second."""

STEPS = ("capture", "keyframe", "train", "stylize", "compose")

NOT_PAINTED, PAINTED, CHANGED, UNSAVED, WRONG_SIZE, DAMAGED = (
    "Not painted yet",
    "Painted",
    "Out of date",
    "Not saved yet",
    "Wrong size",
    "Cannot be read",
)
TO_CAPTURE = "to capture"
"""How the state of the step capture ends where frames are missing."""
_UNUSABLE = (NOT_PAINTED, WRONG_SIZE, DAMAGED)


@dataclasses.dataclass(frozen=True)
class Snapshot:
    """State of a shot at one moment."""

    steps: dict[str, StepState]
    keyframes: dict[int, str]
    """Frame → one of ``NOT_PAINTED``, ``PAINTED``, ``CHANGED``, ``UNSAVED``, ``WRONG_SIZE``,
    ``DAMAGED``."""
    shot: Shot | None = None
    unsteady: tuple[int, ...] = ()
    """Stylized frames that flicker more than the rest of the shot."""
    unused: str = ""
    """Which pictures in ``keys/`` are not used, as ``describe_unused`` tells it."""
    uses_paint: bool = True
    """Whether light and weights apply to the style; True if there is none yet."""
    gone: str = ""
    """Sentence that the shot folder has vanished, or ""."""
    owner: str = ""
    """Sentence that the shot belongs to another scene or .blend, or ""."""
    differs: str = ""
    """Sentence that the scene differs from its imported pictures, or ""."""
    trainings: Trainings = NO_TRAININGS
    """Those that are kept of the style, and the one that runs."""
    stylized: dict[str, tuple[int, ...]] = dataclasses.field(default_factory=dict)
    """File format, as in ``scene.paintover.format`` → the stylized frames."""
    masked: tuple[int, ...] = ()
    """Keyframes with a mask."""
    versions: dict[int, tuple[Version, ...]] = dataclasses.field(default_factory=dict)
    """Keyframe → its earlier paintings, the latest first."""
    pictures: dict[int, tuple[Path, int]] = dataclasses.field(default_factory=dict)
    """Keyframe → its painting, and when that was written, in ns; 0: a moment ago."""
    stylized_at: int = 0
    """When a stylized frame was written or deleted last, as its file system tells it, in ns."""
    coverage: Coverage | None = None
    """What the paintings show of the shot, perhaps as it was before; None: not known."""
    looks_like: str = ""
    """Digest of what ``coverage`` depends on, as it is now."""

    @property
    def is_whole(self) -> bool:
        """Whether all frames are captured, so that one can speak of the whole shot."""
        has_frames = self.shot is not None and bool(self.shot.frames)
        return has_frames and not self.steps["capture"].why.endswith(TO_CAPTURE)

    @property
    def coverage_is_fresh(self) -> bool:
        """Whether ``coverage`` is that of the shot as it is now."""
        return self.coverage is not None and self.coverage.made_from == self.looks_like


EMPTY = Snapshot(dict.fromkeys(STEPS, StepState(Step.NOTHING)), {})


def look(scene: bpy.types.Scene) -> Snapshot:
    """Return the state of the scene's shot. Raises PaintoverError if it can have no folder yet."""
    folder = properties.shot_folder(scene)
    known = Shot.open(folder) if Shot.exists(folder) else None
    snapshot = look_at_files(Query.of(scene, known))
    change = capture_change(scene, snapshot.shot) if snapshot.shot is not None else ""
    return with_scene(scene, snapshot, change)


@dataclasses.dataclass(frozen=True)
class Query:
    """Everything in the scene that the state of the files depends on."""

    folder: Path
    style: str
    frames: range
    light: float
    unpainted: str
    weights: dict[int, dict[int, float]]
    """The scene's weights of keyframes: keyframe → frame → weight."""
    had_shot: bool = False
    """Whether the folder had a shot once."""

    @classmethod
    def of(cls, scene: bpy.types.Scene, known: Shot | None) -> Query:
        settings = properties.of(scene)
        folder = properties.shot_folder(scene)
        return cls(
            folder,
            settings.style,
            properties.frame_range(scene),
            settings.light,
            settings.unpainted,
            keyframe_weights.sampled(scene, known.frames)
            if known and known.folder == folder
            else {},
            bool(settings.shot_id),
        )


def look_at_files(query: Query) -> Snapshot:
    """Return the state of the files; uses no Blender data, so it can run in a thread."""
    try:
        return _look_at_files(query)
    except OSError as error:
        why = f"Cannot read {query.folder}: {error.strerror or error}; check its permissions."
        return _without_shot(Step.OUT_OF_DATE, why)
    except PaintoverError as error:
        return _without_shot(Step.OUT_OF_DATE, str(error))


def _without_shot(step: Step, why: str) -> Snapshot:
    return Snapshot({**EMPTY.steps, "capture": StepState(step, why)}, {})


def _look_at_files(query: Query) -> Snapshot:
    try:
        shot = Shot.open(query.folder)
    except PaintoverError as error:
        if query.had_shot and not is_folder(query.folder):
            why = f"The shot folder {query.folder} is gone"
            return Snapshot({**EMPTY.steps, "capture": StepState(Step.NOTHING, why)}, {}, gone=why)
        if isinstance(error, NoShotError):
            return _without_shot(Step.NOTHING, "Not captured yet")
        return _without_shot(Step.OUT_OF_DATE, str(error))
    keyframes, unused = _keyframe_states(shot, query.style), describe_unused(shot)
    looks_like = coverage_digest(shot)  # with the weights that the engine reads
    shot.manifest.weights = changed(shot.manifest.weights, query.weights)
    unsteady: list[int] = []
    try:
        trained = style_state(shot, query.style)
        stylized = out_state(shot, query.style, query.light, query.unpainted)
        if stylized.step is not Step.NOTHING:
            unsteady = unsteady_frames(read_flickers(shot, query.style))
    except PaintoverError as error:
        trained = stylized = StepState(Step.NOTHING, str(error))
    steps = {
        "capture": _capture_state(shot, query.frames),
        "keyframe": _keyframe_step(keyframes),
        "train": trained,
        "stylize": stylized,
        "compose": StepState(Step.NOTHING),
    }
    uses_paint = _uses_paint(shot, query.style)
    stylized_files = {
        suffix.removeprefix("."): tuple(_out_frames(shot, query.style, suffix))
        for suffix in OUT_SUFFIXES
    }
    return Snapshot(
        steps,
        keyframes,
        shot,
        tuple(unsteady),
        unused,
        uses_paint,
        trainings=_trainings(shot, query.style),
        stylized=stylized_files,
        coverage=read_coverage(shot),
        looks_like=looks_like,
        masked=tuple(frame for frame in keyframes if shot.key_mask_path(frame).is_file()),
        versions={frame: tuple(versions_of(shot, frame)) for frame in keyframes},
        pictures={frame: _picture(shot, frame) for frame in keyframes},
        stylized_at=_changed_at(shot, query.style),
    )


def _picture(shot: Shot, frame: int) -> tuple[Path, int]:
    """Return a painting and when it was written.

    0 if it may be written in that second again, or if Blender must not load it.
    """
    path = shot.key_path(frame)
    try:
        modified = path.stat().st_mtime_ns
        check_before_loading(path, shot.manifest.size)
    except (OSError, PaintoverError):
        return path, 0
    return path, modified if time.time_ns() - modified > SETTLED_NS else 0


def _trainings(shot: Shot, style: str) -> Trainings:
    try:
        return read_trainings(shot, style)
    except PaintoverError:
        return NO_TRAININGS  # the style's name is not allowed, as the steps say


def _out_frames(shot: Shot, style: str, suffix: str) -> list[int]:
    try:
        return shot.out_frames(style, suffix)
    except PaintoverError:
        return []  # the style's name is not allowed, as the steps say


def _changed_at(shot: Shot, style: str) -> int:
    """Return when a file was renamed into the folder of a style's frames last, in ns; else 0."""
    try:
        return shot.out_path(style, 0).parent.stat().st_mtime_ns
    except (OSError, PaintoverError):
        return 0


def _uses_paint(shot: Shot, style: str) -> bool:
    try:
        return PROJECTION in read_style_header(shot.style_path(style)).guides
    except PaintoverError:
        return True  # there is no style yet


def _capture_state(shot: Shot, frames: range) -> StepState:
    missing = len(frames) - sum(frame in frames for frame in shot.frames)
    # Of pictures there is nothing to render, whatever the scene's range is.
    if missing and shot.manifest.source.get("kind") != "pictures":
        return StepState(
            Step.OUT_OF_DATE, f"{missing} of {counted(len(frames), 'frame')} {TO_CAPTURE}"
        )
    files = shot.missing_files()
    if not files and mattes.is_captured(shot.manifest.matte):
        files = [shot.matte_path(frame) for frame in shot.missing_mattes()]
    if files:
        return StepState(Step.OUT_OF_DATE, f"{files[0].name} is missing")
    return StepState(Step.UP_TO_DATE, f"Frames {name_frames(shot.frames)}")


def _keyframe_states(shot: Shot, style: str) -> dict[int, str]:
    try:
        trained_on = read_style_header(shot.style_path(style)).trained_on
    except PaintoverError:
        trained_on = {}
    painted = shot.painted_keys()
    states = {}
    for frame in shot.key_frames():
        size = sizes.painting_size(shot.key_path(frame))
        if frame not in painted:
            state = NOT_PAINTED
        elif size == sizes.DAMAGED:
            state = DAMAGED
        elif size not in (None, (shot.manifest.width, shot.manifest.height)):
            state = WRONG_SIZE
        elif frame in trained_on and trained_on[frame] != shot.key_digest(frame):
            state = CHANGED
        else:
            state = PAINTED
        states[frame] = state
    return states


def _keyframe_step(keyframes: dict[int, str]) -> StepState:
    painted = [frame for frame, state in keyframes.items() if state not in _UNUSABLE]
    unusable = [frame for frame, state in keyframes.items() if state in (WRONG_SIZE, DAMAGED)]
    if unusable:
        return StepState(
            Step.OUT_OF_DATE, f"Frame {name_frames(unusable)}: {keyframes[unusable[0]].lower()}"
        )
    if not painted:
        why = "Not painted yet" if keyframes else "No keyframe yet"
        return StepState(Step.NOTHING, why)
    return StepState(Step.UP_TO_DATE, f"Painted: {name_frames(painted)}")


def with_scene(scene: Any, snapshot: Snapshot, change: str) -> Snapshot:
    """Add the state in Blender: the compositor, unsaved paint, and ``capture_change``."""
    shot = snapshot.shot
    settings = properties.of(scene)
    stylized = snapshot.stylized.get(settings.format)
    composed = compositor.state(scene, shot, settings.style, stylized)
    steps = {**snapshot.steps, "compose": composed}
    if shot is None:
        return dataclasses.replace(snapshot, steps=steps)
    dirty = keyframe_images.unsaved(shot)
    keyframes = {
        frame: UNSAVED if _is_unsaved(shot, frame, state, dirty) else state
        for frame, state in snapshot.keyframes.items()
    }
    steps["keyframe"] = _keyframe_step(keyframes)
    if steps["capture"].step is Step.UP_TO_DATE and change:
        steps["capture"] = StepState(Step.OUT_OF_DATE, change)
    if steps["train"].step is Step.UP_TO_DATE and UNSAVED in keyframes.values():
        steps["train"] = StepState(Step.OUT_OF_DATE, "There is new paint")
    return dataclasses.replace(
        snapshot,
        steps=steps,
        keyframes=keyframes,
        owner=shot_folders.describe_owner(scene),
        differs=_difference(scene, shot),
    )


def _is_unsaved(shot: Shot, frame: int, state: str, dirty: list[str]) -> bool:
    """Return whether a keyframe has unsaved paint, or a painted one an unsaved mask."""
    has_mask = shot.key_mask_path(frame).name in dirty and state in (PAINTED, CHANGED)
    return has_mask or shot.key_path(frame).name in dirty


def _difference(scene: Any, shot: Shot) -> str:
    """Return the sentence that an imported shot has another size, range or rate than the scene."""
    manifest = shot.manifest
    if manifest.source.get("kind") != "pictures":
        return ""
    width, height = properties.render_size(scene)
    first, last = scene.frame_start, scene.frame_end
    rate, rate_of_scene = manifest.fps, properties.frame_rate(scene)
    # Pictures tell no rate, so that of their shot is as good as the scene's.
    same_rate = manifest.source.get("rate") != "movie" or abs(rate - rate_of_scene) < SAME_RATE
    if same_rate and (width, height, first, last) == (
        *(manifest.width, manifest.height),
        *(manifest.frame_start, manifest.frame_end),
    ):
        return ""
    rates = ("", "") if same_rate else (f", {rate:.5g} fps", f", {rate_of_scene:.5g} fps")
    return (
        f"The shot is {manifest.width}×{manifest.height}, frames {manifest.frame_start} to "
        f"{manifest.frame_end}{rates[0]}; the scene is {width}×{height}, frames {first} to {last}"
        f"{rates[1]}"
    )


def capture_change(scene: Any, shot: Shot) -> str:
    """Return why the captured frames do not fit the scene any more, "" if they do."""
    if shot.manifest.source.get("kind") != "blender":
        return ""
    if _settings_changed(scene, shot):
        return "The render settings have changed"
    try:
        matte = mattes.choice(scene)
    except PaintoverError as error:
        return str(error).rstrip(".")
    wanted, used = matte.name if matte else "", shot.manifest.matte
    fits = used == wanted or (not wanted and not mattes.is_captured(used))
    return "" if fits else "Other parts are to be painted: capture the mattes"


def _settings_changed(scene: Any, shot: Shot) -> bool:
    """Return whether the render settings differ from those of captured frames."""
    try:
        layer = capture.layer_to_render(scene)
    except PaintoverError:
        return True
    current = capture.current_digests(capture.settings_now(scene, layer), shot.manifest, scene)
    wanted = properties.frame_range(scene)
    records = shot.manifest.frames.items()
    return any(record.settings not in current for frame, record in records if frame in wanted)
