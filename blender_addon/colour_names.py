# SPDX-License-Identifier: GPL-3.0-or-later
"""Names of color spaces, displays and views in the OpenColorIO configuration that Blender uses.

Studios bring their own configuration, such as one for ACES, in which Blender's names are missing.
Within a session the configuration never changes, so what was found is kept.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import re
from typing import Any

import bpy

from .engine.shared.errors import PaintoverError

_SRGB = (
    "srgb",
    "srgbtexture",
    "utilitysrgbtexture",
    "srgbencodedrec709srgb",
    "srgbencodedrec709",
    "srgbrec709scene",
)
_LINEAR = (
    "linearrec709",
    "linearrec709srgb",
    "linearsrgb",
    "utilitylinearsrgb",
    "utilitylinearrec709",
    "linrec709scene",
    "linrec709",
    "linsrgb",
)
_RAW = ("noncolor", "raw", "utilityraw", "data")
_SRGB_DISPLAYS = ("srgb", "srgbdisplay", "srgbmonitor", "aces")
_PLAIN_VIEWS = ("standard", "untonemapped", "video", "film")
_DISPLAYS_AND_SPACES = {
    "displayp3": ("displayp3",),
    "rec1886": ("rec1886", "rec709"),
    "rec2020": ("rec2020",),
    "rec2100pq": ("rec2100pq",),
    "rec2100hlg": ("rec2100hlg",),
}
"""Displays, and the color spaces of pictures whose codes they show unchanged, as plain names."""


@dataclasses.dataclass(frozen=True)
class PlainOutput:
    """How a picture goes through Blender so that the codes of its file come out unchanged."""

    space: str
    """Color space of the picture as an image of Blender."""
    display: str
    view: str
    linear_space: str
    """Color space of the same picture with the sRGB curve undone; "" if there is none."""


def srgb() -> str:
    """Return the color space of pictures in sRGB codes.

    Raises:
        PaintoverError: the configuration has none.
    """
    return _needed(_SRGB, "pictures in sRGB")


def linear() -> str:
    """Return the color space of linear pictures with the primaries of sRGB.

    Raises:
        PaintoverError: the configuration has none.
    """
    return _needed(_LINEAR, "linear pictures in Rec.709; choose PNG instead of OpenEXR")


def of_painting(display: str, *, is_linear: bool) -> str | None:
    """Return the color space in which a painting is shown, or None: as Blender takes it.

    Args:
        display: the display that its shot was captured for.
        is_linear: whether it is an OpenEXR picture.
    """
    if is_linear:
        return _find(_spaces(), _LINEAR)
    return space_of_display(display) or _find(_spaces(), _SRGB)


@functools.cache
def scene_linear() -> str:
    """Return the name of the scene-linear color space, for images and nodes."""
    probe: Any = bpy.data.images.new("paintover_probe", 1, 1, float_buffer=True)
    try:
        return str(probe.colorspace_settings.name)
    finally:
        bpy.data.images.remove(probe)


def is_srgb_display(display: str) -> bool:
    """Return whether a display shows sRGB."""
    return _plain(display) in _SRGB_DISPLAYS


def space_of_display(display: str) -> str | None:
    """Return the color space of pictures whose codes a display shows unchanged, or None."""
    if is_srgb_display(display):
        return _find(_spaces(), _SRGB)
    return _find(_spaces(), _DISPLAYS_AND_SPACES.get(_plain(display), ()))


@functools.cache
def plain_output() -> PlainOutput:
    """Return the color space, display and view that write the codes of sRGB pictures unchanged.

    Raises:
        PaintoverError: the configuration has none.
    """
    scenes: Any = bpy.data.scenes
    probe = scenes.new("paintover_probe")
    try:
        display = _find(_offered(probe.display_settings, "display_device"), _SRGB_DISPLAYS)
        if display:
            probe.display_settings.display_device = display
            views = _offered(probe.view_settings, "view_transform")
            view, space = _find(views, _PLAIN_VIEWS), _find(_spaces(), _SRGB)
            if view and space:
                return PlainOutput(space, display, view, _find(_spaces(), _LINEAR) or "")
        # Unchanged numbers through a view that changes none; right for opaque pictures.
        display = probe.display_settings.display_device
        view = _find(_offered(probe.view_settings, "view_transform"), ("raw",))
        space = _find(_spaces(), _RAW)
    finally:
        scenes.remove(probe)
    if view and space:
        return PlainOutput(space, display, view, "")
    raise PaintoverError(
        "Blender's OpenColorIO configuration has no view that leaves pictures unchanged, such as "
        "Standard, Un-tone-mapped or Raw; use a configuration with one."
    )


def _needed(wanted: tuple[str, ...], what: str) -> str:
    name = _find(_spaces(), wanted)
    if name is None:
        raise PaintoverError(
            f"Blender's OpenColorIO configuration has no color space for {what}; "
            "use a configuration with one."
        )
    return name


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def _find(names: list[str], wanted: tuple[str, ...]) -> str | None:
    """Return the first of the names, in the order of ``wanted``, however it is punctuated."""
    known = {_plain(name): name for name in reversed(names)}
    return next((known[name] for name in wanted if name in known), None)


@functools.cache
def _spaces_of_session() -> tuple[str, ...]:
    settings: Any = bpy.types.ColorManagedInputColorspaceSettings
    return tuple(item.identifier for item in settings.bl_rna.properties["name"].enum_items)


def _spaces() -> list[str]:
    return list(_spaces_of_session())


def _offered(owner: Any, name: str) -> list[str]:
    """Return the values of an enumeration that depends on its owner.

    Blender tells them only in the error message for a value that is none of them.
    """
    try:
        setattr(owner, name, "?")
    except TypeError as error:
        _, _, values = str(error).partition(" not found in ")
        return list(ast.literal_eval(values)) if values else []
    return []
