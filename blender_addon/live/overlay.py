# SPDX-License-Identifier: GPL-3.0-or-later
"""Draws the session's pictures: over the camera view, in the Image Editor, and the cache bar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import bpy
from bpy_extras.view3d_utils import location_3d_to_region_2d

from .. import picture_editors
from ..draw_handlers import DrawHandlers
from ..engine.shared import live_protocol as messages
from . import control, drawing, settings, timings
from .drawing import Box
from .pictures import ShownPicture
from .session import Session

_BAR = 5.0
_FRESH, _STALE, _EMPTY = (0.25, 0.7, 0.35, 0.9), (0.8, 0.6, 0.2, 0.9), (0.1, 0.1, 0.1, 0.5)
_SHOWS = {
    messages.CARRIED: "paint carried along",
    messages.NETWORK: "learning",
    messages.FINAL: "all is learnt",
}


def caption(session: Session, frame: int, picture: ShownPicture | None) -> str:
    """Return what is shown, in a few words."""
    if frame not in session.shot.manifest.frames:
        return f"Frame {frame} is not in the shot"
    if picture is None or picture.shown.frame != frame:
        return f"Frame {frame}: {session.describe()}"
    return f"Frame {frame}: {_SHOWS[picture.shown.shows]}  ·  {session.describe()}"


def camera_box(region: Any, space: Any, scene: Any) -> Box | None:
    """Return where the frame of the scene's camera is in a region, None in other views."""
    camera = scene.camera
    view = space.region_3d
    shown = space.camera if space.use_local_camera else camera
    if view.view_perspective != "CAMERA" or camera is None or shown != camera:
        return None
    if camera.type != "CAMERA":
        return None
    matrix = camera.matrix_world.normalized()
    corners = [
        location_3d_to_region_2d(region, view, matrix @ corner)
        for corner in camera.data.view_frame(scene=scene)
    ]
    if any(corner is None for corner in corners):
        return None
    across, up = [each.x for each in corners], [each.y for each in corners]
    return Box(min(across), min(up), max(across), max(up))


@timings.measured("draw viewport overlay")
def _draw_view() -> None:
    session = control.session()
    context = bpy.context
    if session is None or context.scene != session.scene.find():
        return
    scene: Any = context.scene
    space: Any = context.space_data
    region: Any = context.region
    if _draw_painted_viewport(session, context.area, region):
        return
    if not settings.of_session().overlay or not space.overlay.show_overlays:
        return
    box = camera_box(region, space, scene)
    if box is None:
        return
    frame = scene.frame_current
    picture = session.pictures.get(frame)
    if picture is not None:
        drawing.picture(picture.texture, box, settings.preferences().opacity)
    scale = drawing.ui_scale()
    middle = (box.left + box.right) / 2
    text = caption(session, frame, picture)
    width = box.right - box.left
    drawing.text(text, middle, box.top - 24 * scale, width - 8 * scale, centred=True)


def _draw_painted_viewport(session: Session, area: Any, region: Any) -> bool:
    texture = session.view.texture
    if not session.paints_viewport or area != session.view.area():
        return False
    if texture is not None:
        drawing.picture(texture, Box(0, 0, region.width, region.height))
    if session.view.sentence:
        drawing.text(session.view.sentence, 8, 8, region.width - 16)
    return True


@timings.measured("draw image editor")
def _draw_image() -> None:
    session = control.session()
    space: Any = bpy.context.space_data
    if session is None or not picture_editors.LIVE.is_shown_in(space):
        return
    scene = session.scene.find()
    if scene is None:
        return
    frame = scene.frame_current
    picture = session.pictures.get(frame)
    # The picture before stays until the next is ready.
    shown = session.pictures.last = picture or session.pictures.last
    region: Any = bpy.context.region
    view = region.view2d
    box = Box(*view.view_to_region(0, 0, clip=False), *view.view_to_region(1, 1, clip=False))
    if shown is not None:
        drawing.picture(shown.texture, box)
    scale = drawing.ui_scale()
    text = caption(session, frame, picture)
    drawing.text(text, 8 * scale, (_BAR + 8) * scale, region.width - 16 * scale)
    frames = session.shot.frames
    step = region.width / max(1, len(frames))
    places = {frame: index * step for index, frame in enumerate(frames)}
    _draw_bar(session, lambda frame: places[frame], step, frame)


@timings.measured("draw timeline")
def _draw_timeline() -> None:
    session = control.session()
    if session is None or bpy.context.scene != session.scene.find():
        return
    region: Any = bpy.context.region
    view = region.view2d
    width = view.view_to_region(1, 0, clip=False)[0] - view.view_to_region(0, 0, clip=False)[0]
    _draw_bar(
        session,
        lambda frame: view.view_to_region(frame - 0.5, 0, clip=False)[0],
        width,
        None,
    )


def _draw_bar(session: Session, left_of: Any, width: float, current: int | None) -> None:
    """Draw which frames are ready: green up to date, orange from before the last change."""
    height = _BAR * drawing.ui_scale()
    known = set(session.shot.frames)

    def boxes(frames: Iterable[int]) -> Iterator[Box]:
        for frame in frames:
            if frame in known:
                left = left_of(frame)
                yield Box(left, 0, left + max(1.0, width - 0.5), height)

    drawing.rectangles(boxes(known), _EMPTY)
    drawing.rectangles(boxes(session.ready(fresh=False)), _STALE)
    drawing.rectangles(boxes(session.ready(fresh=True)), _FRESH)
    if current is not None and current in known:
        left = left_of(current)
        drawing.rectangles([Box(left, 0, left + max(2.0, width), height)], (1, 1, 1, 0.8))


_handlers = DrawHandlers(
    "The live picture cannot be drawn",
    (bpy.types.SpaceView3D, _draw_view),
    (bpy.types.SpaceImageEditor, _draw_image),
    (bpy.types.SpaceDopeSheetEditor, _draw_timeline),
)


def register() -> None:
    _handlers.add()


def unregister() -> None:
    _handlers.remove()
