# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of a captured shot: what the scene says, and what its frames have."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import bpy

from .. import properties, stereo, versions
from ..engine.shared.errors import DamagedError, NoShotError, PaintoverError
from ..engine.shared.manifest import Camera, FrameRecord, Manifest
from ..engine.shared.shot import Shot
from . import cameras, settings
from .plan import keep_note

_DIGEST = "0" * 32
LONGEST_RECORD = FrameRecord(
    image=_DIGEST,
    passes=_DIGEST,
    settings=_DIGEST,
    camera=Camera([-1.2345678901234567e-05] * 16, name="0" * 63),
    matte=_DIGEST,
    copies=dict.fromkeys(
        ("mattes/matte", "mattes/objects-01234567", "mattes/collection-01234567"), _DIGEST
    ),
)
"""As long as the record of a frame may be."""


def shot_now(
    scene: bpy.types.Scene,
    layer: bpy.types.ViewLayer,
    folder: Path,
    wanted: list[int],
    before: Shot | None,
) -> Shot:
    """Return the shot with a manifest for this capture; nothing is saved yet.

    Args:
        scene: the scene.
        layer: the view layer to render.
        folder: the shot folder.
        wanted: the frames to capture.
        before: the shot as it is, None if there is none.

    Raises:
        PaintoverError: the shot was imported from pictures.
    """
    width, height = properties.render_size(scene)
    manifest = Manifest(width, height, min(wanted), max(wanted))
    manifest.source = {
        "kind": "blender",
        "blend": Path(bpy.data.filepath).name,
        "blender": bpy.app.version_string,
        "engine": scene.render.engine,
        "scene": scene.name,
        "view_layer": layer.name,
    }
    if stereo.rendered(scene):
        manifest.source["views"] = stereo.captured(scene)
    manifest.fps = properties.frame_rate(scene)
    manifest.colour = settings.colour_now(scene)
    if before:
        old = before.manifest
        if old.frames and old.source.get("kind") != "blender":
            raise PaintoverError(
                f"{folder} has a shot that was imported from pictures; choose another shot folder "
                "for this scene."
            )
        manifest.frames, manifest.passes = dict(old.frames), dict(old.passes)
        manifest.guides, manifest.removed_keys = old.guides, old.removed_keys
        manifest.weights, manifest.blank_keys = old.weights, old.blank_keys
        manifest.id, manifest.owner, manifest.matte = old.id, old.owner, old.matte
        keep_note(manifest.source, old.source)
        if (old.width, old.height) != (width, height):
            manifest.frames = {}
    shot = Shot(folder, manifest)
    shot.goes_on_from(before)
    return shot


def shot_before(folder: Path) -> Shot | None:
    """Return the shot that a folder has, None if there is none or its manifest is damaged.

    Raises:
        PaintoverError: a later version of Paintover wrote it, or it cannot be read.
    """
    try:
        return Shot.open(folder)
    except (NoShotError, DamagedError):
        return None  # capture all frames again, as the sentence of a damaged one says


def settings_in_use(before: Shot | None) -> dict[str, Any]:
    """Return the render settings of the frames of a shot, by their digest."""
    known = before.manifest.source.get("settings") if before else None
    used = {record.settings for record in before.manifest.frames.values()} if before else set()
    return {digest: known[digest] for digest in used & known.keys()} if known else {}


def add_frame(shot: Shot, frame: int, record: FrameRecord, meanings: dict[str, str]) -> list[str]:
    """Add a frame to a shot; frames with other passes leave it.

    Args:
        shot: the shot.
        frame: the frame.
        record: what was rendered.
        meanings: of its passes, as ``passes.meanings``.

    Returns:
        Sentences about what is wrong in the passes.
    """
    sentences = []
    manifest = shot.manifest
    if frame in manifest.frames:  # its guides and mattes stay
        record.copies = {**manifest.frames[frame].copies, **record.copies}
    manifest.frames[frame] = record
    alike = {
        number: other
        for number, other in manifest.frames.items()
        if other.settings == record.settings
    }
    known = [other.camera for other in alike.values() if other.camera]
    if versions.orthographic_motion_is_wrong(
        manifest.source.get("engine", "")
    ) and cameras.orthographic_camera_moves(known):
        meanings.pop("motion", None)
        sentences.append(
            "The Vector pass of Cycles is wrong if an orthographic camera moves, so motion is "
            "estimated from the pictures; use EEVEE, or Blender 5.2 or later, for exact motion."
        )
    if record.camera is None:
        sentences.append(
            "The camera is panoramic, custom or no camera object, so the motion of the background "
            "is not known."
        )
    # The manifest lists the passes of all frames, so drop frames with other passes.
    if manifest.passes and {**manifest.passes, "motion": ""} != {**meanings, "motion": ""}:
        manifest.frames = alike
    manifest.passes = meanings
    numbers = manifest.frames.keys()
    manifest.frame_start, manifest.frame_end = min(numbers), max(numbers)
    return sentences
