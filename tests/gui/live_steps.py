# SPDX-License-Identifier: GPL-3.0-or-later
"""Steps of a live session in a real window, for tests, the demo and the benchmarks.

The .blend has a captured shot with a keyframe at its first frame.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import numpy as np
import window

ADDON = "bl_ext.user_default.paintover"
BLEND = Path(bpy.data.filepath)
SHOT = BLEND.parent / "paintover" / BLEND.stem
KEY = SHOT / "keys/0001.png"
WAIT = 240.0
"""Longest wait for the engine, in seconds; it starts and compiles what it needs meanwhile."""


def part(name: str):
    return sys.modules[f"{ADDON}.{name}"]


def session():
    return part("live.control").session()


def invoke(operator, area=None, **options) -> None:
    """Start an operator as a button in an area does."""
    region = window.region("WINDOW", area) if area else None
    with bpy.context.temp_override(window=window.window(), area=area, region=region):
        operator("INVOKE_DEFAULT", **options)


def picture_of(frame: int) -> np.ndarray:
    """Return the stylized picture of a frame: (height, width, 4), bottom row first."""
    place = session().pictures.place
    data = session().pictures.copy(frame)
    assert data is not None, f"no picture of frame {frame}"
    return np.frombuffer(data, np.float32).reshape(place.height, place.width, 4).copy()


def values(image) -> np.ndarray:
    pixels = np.empty(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(image.size[1], image.size[0], 4)


def shows(frame: int, change: int) -> bool:
    """Return whether a frame's picture shows a change of the paint, and is at hand."""
    told = session().pictures.told(frame)
    at_hand = session().pictures.copy(frame) is not None
    return told is not None and told.change >= change and at_hand


def wait_for_change(frame: int, before: int, what: str) -> window.Steps:
    """Wait until a frame's picture shows more changes of the paint than before."""
    yield from window.wait_for(lambda: shows(frame, before + 1), WAIT, what)


def last_change(frame: int) -> int:
    told = session().pictures.told(frame)
    return told.change if told else 0


def arrange(frame: int = 1) -> window.Steps:
    """Put an Image Editor with the painting of a frame beside a camera view."""
    viewport = window.area("VIEW_3D")
    viewport.spaces.active.region_3d.view_perspective = "CAMERA"
    with bpy.context.temp_override(window=window.window(), area=viewport):
        bpy.ops.screen.area_split(direction="VERTICAL", factor=0.35)
    areas = [area for area in window.window().screen.areas if area.type == "VIEW_3D"]
    narrow = min(areas, key=lambda area: area.width)
    wide = max(areas, key=lambda area: area.width)
    wide.ui_type = "IMAGE_EDITOR"
    yield from window.settle()
    invoke(bpy.ops.paintover.keyframe_open, wide, frame=frame)
    yield from window.settle()
    assert narrow.type == "VIEW_3D"


def editor():
    """Return the Image Editor with a painting."""
    return next(
        area
        for area in window.window().screen.areas
        if area.type == "IMAGE_EDITOR" and area.spaces.active.ui_mode == "PAINT"
    )


def middle(area) -> tuple[int, int]:
    canvas = window.region("WINDOW", area)
    return canvas.x + canvas.width // 2, canvas.y + canvas.height // 2


def fit() -> window.Steps:
    """Show all of the painting, with nothing over it."""
    space = editor().spaces.active
    space.show_region_ui = space.show_region_toolbar = space.show_region_asset_shelf = False
    yield from window.settle()
    invoke(bpy.ops.image.view_all, editor(), fit_view=True)
    yield from window.settle()


def set_colour(colour: tuple[float, float, float]) -> None:
    """Choose the colour of the brush in the Image Editor, RGB, 0..1."""
    paint = bpy.context.scene.tool_settings.image_paint
    for settings in (paint.unified_paint_settings, paint.brush):
        settings.color = colour


def stroke(dx: int, dy: int = 0) -> window.Steps:
    """Paint a short stroke near the middle of the painting, by mouse."""
    x, y = middle(editor())
    yield from window.drag((x + dx - 12, y + dy), (x + dx + 12, y + dy), moves=4)


def painted_box(before: np.ndarray, after: np.ndarray) -> tuple[slice, slice]:
    """Return the rows and columns that a stroke has changed."""
    rows, columns = np.nonzero(np.abs(after - before).max(axis=2) > 1 / 255)
    assert rows.size, "the stroke has painted nothing"
    return slice(rows.min(), rows.max() + 1), slice(columns.min(), columns.max() + 1)


def turn_on() -> window.Steps:
    part("live.settings").preferences().low_priority = False
    invoke(bpy.ops.paintover.live)
    assert session() is not None
    yield from window.wait_for(lambda: session().state, 120, "the engine")
    yield from window.settle()
