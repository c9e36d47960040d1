# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user would do next: one sentence and one button, from the state of everything."""

from __future__ import annotations

import dataclasses
from typing import Any

import bpy

from . import new_results, properties, states
from .engine.shared.errors import PaintoverError
from .engine.shared.freshness import STOPPED, Step, StepState
from .engine.shared.shot import Shot
from .engine.shared.trainings.kept import RESUME_NAME
from .live import control

CAMERA = "camera"
"""As ``NextStep.operator``: a field to choose the scene's camera in."""


@dataclasses.dataclass(frozen=True)
class Facts:
    """What the next step depends on.

    Attributes:
        steps: state of each of ``states.STEPS``.
        keyframes: frame → its state, as in ``states.Snapshot``.
        frames: the captured frames.
        frame: the current frame.
        obstacle: sentence why there can be no shot yet, or "".
        is_saved: whether the .blend was saved once.
        has_camera: whether the scene has a camera, or needs none.
        is_live: whether a live session learns.
        can_continue: whether the last training left a state to go on from.
        has_new_result: whether nobody has looked at the stylized frames yet.
    """

    steps: dict[str, StepState]
    keyframes: dict[int, str] = dataclasses.field(default_factory=dict)
    frames: tuple[int, ...] = ()
    frame: int = 1
    obstacle: str = ""
    is_saved: bool = True
    has_camera: bool = True
    is_live: bool = False
    can_continue: bool = False
    has_new_result: bool = False


@dataclasses.dataclass(frozen=True)
class NextStep:
    """A sentence without a full stop, and a button.

    Values come into the texts after Blender has translated these.

    Attributes:
        sentence: what to do, with names of ``values`` in braces; "" if there is only a reason.
        operator: the button's operator, ``CAMERA``, or "" for none.
        icon: Blender's name of the button's icon.
        text: the button's text, with names of ``options`` in braces; "" for the operator's own.
        options: properties of the operator.
        reason: the sentence before it, on what is wrong or has changed, or "".
        values: of the sentence.
    """

    sentence: str
    operator: str = ""
    icon: str = "NONE"
    text: str = ""
    options: dict[str, Any] = dataclasses.field(default_factory=dict)
    reason: str = ""
    values: dict[str, Any] = dataclasses.field(default_factory=dict)


def facts(scene: Any, snapshot: states.Snapshot, obstacle: str) -> Facts:
    """Return the facts of a scene, its snapshot, and why there is none ("" if there is one)."""
    shot = snapshot.shot
    of_pictures = shot is not None and shot.manifest.source.get("kind") == "pictures"
    has_camera = bool(scene.camera) or any(mark.camera for mark in scene.timeline_markers)
    style = properties.of(scene).style
    return Facts(
        snapshot.steps,
        snapshot.keyframes,
        tuple(shot.frames) if shot is not None else (),
        scene.frame_current,
        obstacle,
        bool(bpy.data.filepath),
        has_camera or of_pictures,
        control.session() is not None,
        shot is not None and has_state(shot, style),
        shot is not None and new_results.has(shot, style),
    )


def has_state(shot: Shot, style: str) -> bool:
    """Return whether the last training of a style left a state to go on from."""
    try:
        return (shot.style_folder(style) / RESUME_NAME).is_file()
    except PaintoverError:
        return False  # the style's name is not allowed, as the steps say


def next_step(known: Facts) -> NextStep:
    """Return what to do next."""
    if known.obstacle:
        return _without_folder(known)
    if known.is_live:
        text = "Live learns while you paint. When you like the shot, keep what it has learnt"
        return NextStep(text, "paintover.live_finish", "CHECKMARK")
    for name, find in (
        ("capture", _capture),
        ("keyframe", _keyframe),
        ("train", _train),
        ("stylize", _stylize),
    ):
        if known.steps[name].step is not Step.UP_TO_DATE:
            return find(known)
    if known.has_new_result:
        return _look(known)
    if known.steps["compose"].step is not Step.UP_TO_DATE:
        return _compose(known)
    return NextStep(
        "All is up to date. Render the shot, or paint another frame",
        "render.render",
        "RENDER_ANIMATION",
        "Render Animation",
        {"animation": True, "use_viewport": True},
    )


def _without_folder(known: Facts) -> NextStep:
    if known.is_saved:
        return NextStep("", reason=known.obstacle.rstrip("."))
    text = "Save the file first. The shot gets a folder beside it"
    return NextStep(text, "wm.save_mainfile", "FILE_TICK", "Save File")


def _capture(known: Facts) -> NextStep:
    if not known.has_camera:
        text = (
            "The scene has no camera. Choose one, or add one; to paint over footage, import it "
            "under Source"
        )
        return NextStep(text, CAMERA)
    state, icon = known.steps["capture"], "RENDER_ANIMATION"
    if state.why.endswith(states.TO_CAPTURE):
        text = "{frames}: each frame is rendered once"
        return NextStep(text, "paintover.capture", icon, values={"frames": state.why})
    begun = state.step is Step.OUT_OF_DATE
    text = "Capture it again" if begun else "Capture the shot: each frame is rendered once"
    return NextStep(text, "paintover.capture", icon, reason=_reason(known, "capture"))


def _keyframe(known: Facts) -> NextStep:
    if not known.keyframes:
        text = "Go to the frame that shows the most of the shot, and make it a keyframe"
        frame = min(known.frames or (known.frame,), key=lambda each: abs(each - known.frame))
        options = {"frame": frame}
        return NextStep(text, "paintover.keyframe_add", "ADD", "Add Frame {frame}", options)
    unusable = [
        frame
        for frame, state in known.keyframes.items()
        if state in (states.WRONG_SIZE, states.DAMAGED)
    ]
    if unusable:
        options = {"frame": unusable[0]}
        text = "The painting of frame {frame}: {state}. Save it again in the size of the frames"
        return NextStep(
            text,
            "paintover.keyframe_open_in",
            "WINDOW",
            "Open in Program",
            options,
            values={**options, "state": known.keyframes[unusable[0]].lower()},
        )
    options = {"frame": min(known.keyframes, key=lambda each: (abs(each - known.frame), each))}
    text = "Paint on frame {frame}, here or in your paint program"
    return NextStep(
        text,
        "paintover.keyframe_open",
        "BRUSH_DATA",
        "Paint Frame {frame}",
        options,
        values=options,
    )


def _train(known: Facts) -> NextStep:
    state = known.steps["train"]
    if known.can_continue and state.why.startswith(STOPPED):
        text, operator = "Go on with the training", "paintover.train_continue"
    else:
        begun, operator = state.step is Step.OUT_OF_DATE, "paintover.train"
        text = "Train again" if begun else "Train: the engine learns your painting"
    return NextStep(text, operator, "MODIFIER", reason=_reason(known, "train"))


def _stylize(known: Facts) -> NextStep:
    begun = known.steps["stylize"].step is Step.OUT_OF_DATE
    text = "Stylize again" if begun else "Stylize: every frame is painted"
    reason = _reason(known, "stylize")
    return NextStep(text, "paintover.stylize", "RENDERLAYERS", reason=reason)


def _look(known: Facts) -> NextStep:
    text = "Every frame is painted. Look at them: Play shows them in an Image Editor"
    return NextStep(text, "paintover.result_play", "PLAY")


def _compose(known: Facts) -> NextStep:
    begun = known.steps["compose"].step is Step.OUT_OF_DATE
    text = "Send it again" if begun else "Send the painted frames to the compositor, and render"
    reason = _reason(known, "compose")
    return NextStep(text, "paintover.compose", "NODE_COMPOSITING", reason=reason)


def _reason(known: Facts, name: str) -> str:
    state = known.steps[name]
    return state.why if state.step is Step.OUT_OF_DATE else ""
