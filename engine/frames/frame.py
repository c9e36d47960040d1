# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads one frame of a shot: its picture and its passes by meaning, checked and cleaned."""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from ..images.colour.srgb import encode_srgb
from ..images.exr_layers import opened_layers
from ..images.given_pictures import why_not_plain
from ..images.pictures import Picture, picture_size, read_picture
from ..images.types import BoolArray, FloatArray
from ..images.window import Window
from ..shared.errors import PaintoverError
from ..shared.frame_lists import format_frames
from ..shared.manifest import FrameRecord
from ..shared.passes import OBJECT_AOV, SURFACE_AOV, split_channel
from ..shared.pictures.digests import is_picture
from ..shared.shot import Shot
from . import pass_cleaning as cleaning
from .matte import read_matte
from .object_ids import objects_from_index, objects_from_random

MATTE = "matte"
"""Stands for the shot's matte in ``read_frame(wanted=)``."""
EXTRA_GUIDE = "guide:"
"""Prefix for extra guide folders in ``read_frame(wanted=)`` and in the names of guides."""

AROUND_BANDS = 16
"""Rows read above and below a band, since cleaning uses neighbouring pixels."""

_COMPONENTS = {
    "alpha": "A",
    "motion": "XYZW",
    "normal": "XYZ",
    "depth": "Z",
    "albedo": "RGB",
    "surface": "RGB",
}
_HELPERS = {
    "motion": ("depth", "object"),
    "object": ("depth",),
    "surface": ("object", "depth"),
    "normal": (),
}
"""Further passes that cleaning a pass needs."""


@dataclasses.dataclass
class Frame:
    """One frame, top row first. A pass that the shot lacks, or that was not read, is None.

    Attributes:
        number: the frame's number.
        image: (H, W, 3) float32, 0..1, display-referred, straight alpha.
        alpha: (H, W) float32, 0..1, coverage; 1 where the picture has no alpha.
        motion: (H, W, 4) float32, pixels, x right, y down: offsets to the same point in the
            previous frame, then in the next; NaN where unknown.
        normal: (H, W, 3) float32, −1..1, world space; 0 on the background.
        depth: (H, W) float32, scene units along the view axis; infinity on the background.
        albedo: (H, W, 3) float32, 0..1, display-referred.
        object: (H, W) int32, stable id from 1; 0 on the background, −1 where several objects share
            the pixel or the object is unknown.
        surface: (H, W, 3) float32, rest-position coordinates; NaN where unknown.
        guides: name of an extra guide folder → (H, W, 3) float32, 0..1.
        matte: (H, W) float32, 0..1, how much of the pixel is painted; None: all.
        notes: sentences that say why a pass is not used.
        window: the part of the frame that the arrays show; None means all.
        unfiltered: (H, W, 3) float32, the picture as the shot has it, where ``image`` is filtered
            over time; None: ``image`` is not filtered.
    """

    number: int
    image: FloatArray
    alpha: FloatArray
    motion: FloatArray | None = None
    normal: FloatArray | None = None
    depth: FloatArray | None = None
    albedo: FloatArray | None = None
    object: npt.NDArray[np.int32] | None = None
    surface: FloatArray | None = None
    guides: dict[str, FloatArray] = dataclasses.field(default_factory=dict)
    matte: FloatArray | None = None
    notes: list[str] = dataclasses.field(default_factory=list)
    window: Window | None = None
    unfiltered: FloatArray | None = None

    @property
    def picture(self) -> FloatArray:
        """(H, W, 3) float32, 0..1, the picture as the shot has it."""
        return self.image if self.unfiltered is None else self.unfiltered

    @property
    def subject(self) -> BoolArray:
        """(H, W) bool: the pixels that show something, inside the matte."""
        shown: BoolArray = self.alpha > 0.5
        return shown if self.matte is None else shown & (self.matte > 0.5)

    def lean(self) -> Frame:
        """Return a copy with only the passes that projection reads."""
        nothing: dict[str, Any] = dict.fromkeys(("motion", "normal", "depth", "albedo"))
        return dataclasses.replace(self, **nothing, guides={})

    def cut(self, window: Window) -> Frame:
        """Return the part of the frame in a window that lies inside its own."""
        inside = window.within(self.window or Window.whole(*self.alpha.shape))
        changes: dict[str, Any] = {
            field.name: np.ascontiguousarray(value[inside])
            for field in dataclasses.fields(self)
            if isinstance(value := getattr(self, field.name), np.ndarray)
        }
        changes["guides"] = {
            name: np.ascontiguousarray(guide[inside]) for name, guide in self.guides.items()
        }
        return dataclasses.replace(self, **changes, window=window)


def read_frame(
    shot: Shot,
    frame: int,
    wanted: Collection[str] | None = None,
    around: int | None = None,
    part: Window | None = None,
) -> Frame:
    """Read a frame's picture and passes.

    Args:
        shot: the shot.
        frame: its number.
        wanted: meanings of passes, ``guide:NAME`` for extra guides, and ``MATTE``, which is left
            out where the shot has none; None reads all that the shot has. Picture and alpha are
            always read.
        around: read only the window of pixels that are not fully transparent, grown by this many
            pixels; None, or a picture without alpha: the whole frame.
        part: read only this window.

    Raises:
        PaintoverError: the frame is not in the shot; a file is missing, damaged, or of another size
            than the shot; the picture contains NaN; or a pass that the shot lists is missing.
    """
    record = _record(shot, frame)
    if wanted is None:
        wanted = [*shot.manifest.passes, MATTE]
        wanted += [EXTRA_GUIDE + name for name in shot.manifest.guides]
    picture = _read_image(shot, frame, around, part)
    result = _read_parts(shot, frame, record, set(wanted), picture)
    if MATTE in wanted and shot.manifest.matte:
        result.matte = np.ascontiguousarray(read_matte(shot, frame)[picture.window.inside])
    return result


def _read_parts(
    shot: Shot, frame: int, record: FrameRecord, wanted: set[str], picture: Picture
) -> Frame:
    """Read the passes and guides that belong to a picture, band by band if it is large."""
    parts = list(picture.window.parts(AROUND_BANDS))
    if len(parts) == 1:
        return _read_part(shot, frame, record, wanted, picture)
    nothing = np.zeros(picture.window.shape, np.float32)
    whole = Frame(frame, picture.rgb, nothing, window=picture.window)
    for core, band in parts:
        read = _read_part(shot, frame, record, wanted, picture.cut(band))
        _copy(read.cut(core), whole, core)
    return whole


def seen_part(shot: Shot, frame: int, around: int | None) -> Window:
    """Return the window that ``read_frame`` reads with the same arguments; same errors."""
    _record(shot, frame)
    return _read_image(shot, frame, around).window


def _read_image(shot: Shot, frame: int, around: int | None, part: Window | None = None) -> Picture:
    path = shot.image_path(frame)
    _check_there(frame, path)
    _check_plain(shot, frame, path)
    _check_size(shot, frame, path, picture_size(path))
    return read_picture(path, around, part)


def _check_plain(shot: Shot, frame: int, path: Path) -> None:
    """Raise PaintoverError if a frame was replaced by a picture that must be converted first.

    Frames of other displays than sRGB hold the display's own values, so nothing is checked there.
    """
    if "srgb" not in shot.manifest.colour.display.lower():
        return
    if is_picture(path, _record(shot, frame).image):
        return
    if reason := why_not_plain(path):
        raise PaintoverError(
            f"{path} was replaced and {reason}, which is heeded only in import; import it again, "
            "or save it upright and in sRGB."
        )


def _record(shot: Shot, frame: int) -> FrameRecord:
    record = shot.manifest.frames.get(frame)
    if record is None:
        raise PaintoverError(
            f"{shot.folder} has no frame {frame}, only {format_frames(shot.frames)}; capture it."
        )
    return record


def _read_part(
    shot: Shot, frame: int, record: FrameRecord, wanted: set[str], picture: Picture
) -> Frame:
    """Read the passes and guides that belong to a picture, in its window."""
    window = picture.window
    raw = _read_passes(shot, frame, record, wanted, picture.alpha is None, window)
    shape = picture.pixels.shape[:2]
    alpha = picture.alpha
    if alpha is None:
        alpha = raw["alpha"][..., 0] if "alpha" in raw else np.ones(shape, np.float32)
    result = Frame(frame, picture.rgb, cleaning.coverage(alpha), window=window)
    for name in shot.manifest.guides:
        if EXTRA_GUIDE + name in wanted:
            path = shot.guide_path(name, frame)
            _check_there(frame, path)
            _check_size(shot, frame, path, picture_size(path))
            guide = read_picture(path, part=window)
            result.guides[name] = guide.rgb
    _fill(result, shot, raw, wanted)
    return result


def _copy(part: Frame, whole: Frame, window: Window) -> None:
    """Copy a band of a frame into the whole; a pass that other bands lack is unknown there."""
    assert whole.window is not None
    inside = window.within(whole.window)

    def copied(target: Any, values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        if target is None:
            shape = (*whole.alpha.shape, *values.shape[2:])
            fill = np.nan if values.dtype.kind == "f" else 0
            target = np.full(shape, fill, values.dtype)
        target[inside] = values
        result: npt.NDArray[Any] = target
        return result

    for field in dataclasses.fields(part):
        if isinstance(values := getattr(part, field.name), np.ndarray):
            setattr(whole, field.name, copied(getattr(whole, field.name), values))
    for name, guide in part.guides.items():
        whole.guides[name] = copied(whole.guides.get(name), guide)
    whole.notes += [note for note in part.notes if note not in whole.notes]


def _fill(frame: Frame, shot: Shot, raw: dict[str, FloatArray], wanted: set[str]) -> None:
    """Clean raw passes and set them in the frame."""
    depth = objects = None
    share = cleaning.surface_share(raw[SURFACE_AOV][..., 3]) if SURFACE_AOV in raw else frame.alpha
    if "depth" in raw:
        depth = cleaning.depth(raw["depth"][..., 0], cleaning.far_depth(shot, frame.number))
    if OBJECT_AOV in raw and SURFACE_AOV in raw:
        objects = objects_from_random(raw[OBJECT_AOV][..., 0], share, depth)
    elif "object" in raw:
        objects = objects_from_index(raw["object"][..., 0])
    if "normal" in raw:
        frame.normal = cleaning.bounded(raw["normal"], -1, 1)
    if "albedo" in raw:
        frame.albedo = encode_srgb(cleaning.bounded(raw["albedo"], 0, 1))
    if "surface" in wanted and "surface" in raw:
        frame.surface = cleaning.surface(raw["surface"], share, objects)
    if "motion" in wanted and "motion" in raw:
        assert frame.window is not None
        background = frame.alpha <= 0
        if depth is not None:
            background |= np.isinf(depth)
        frame.motion, reason = cleaning.motion(
            raw["motion"], shot, frame.number, background, frame.window
        )
        frame.notes += [reason] if reason else []
    frame.depth = depth if "depth" in wanted else None
    frame.object = objects if "object" in wanted else None


def _check_there(frame: int, path: Path) -> None:
    if not path.is_file():
        raise PaintoverError(
            f"Frame {frame} is missing: there is no {path}; capture or import it again."
        )


def _check_size(shot: Shot, frame: int, path: Path, size: tuple[int, int]) -> None:
    width, height = size
    if (width, height) != (shot.manifest.width, shot.manifest.height):
        raise PaintoverError(
            f"{path} is {width}×{height}, but the shot is {shot.manifest.width}×"
            f"{shot.manifest.height}; capture or import frame {frame} again."
        )


def _read_passes(
    shot: Shot,
    frame: int,
    record: FrameRecord,
    wanted: set[str],
    wants_alpha: bool,
    window: Window,
) -> dict[str, FloatArray]:
    """Read raw passes (H, W, C), by meaning; the two AOVs by their own names."""
    names = shot.manifest.passes
    meanings = {meaning for meaning in wanted if meaning in _COMPONENTS or meaning == "object"}
    for meaning in tuple(meanings):
        meanings.update(_HELPERS.get(meaning, ()))
    if not wants_alpha:
        meanings.discard("alpha")
    elif "alpha" in names:
        meanings.add("alpha")
    meanings &= set(names)
    path = shot.passes_path(frame)
    if not meanings or not record.passes:
        return {}
    _check_there(frame, path)
    with opened_layers(path) as file:
        _check_size(shot, frame, path, file.size)
        found = _find_channels(file.names, shot.manifest.source.get("view_layer"))
        chosen: dict[str, list[str]] = {}
        for meaning in meanings:
            components = found.get(names[meaning])
            if components is None:
                if meaning in wanted:
                    raise PaintoverError(
                        f'{path} lacks the pass "{names[meaning]}"; capture frame {frame} again.'
                    )
                continue
            order = _COMPONENTS.get(meaning, "")
            channels = [components[c] for c in order if c in components]
            chosen[meaning] = (
                channels if len(channels) == len(order) > 0 else [*components.values()]
            )
        if names.get("object") == OBJECT_AOV and SURFACE_AOV in found and "object" in chosen:
            chosen[OBJECT_AOV] = chosen.pop("object")
        if SURFACE_AOV in found and {OBJECT_AOV, "surface"} & set(chosen):
            surface = found[SURFACE_AOV]
            chosen[SURFACE_AOV] = [surface[c] for c in "RGBA" if c in surface]
        is_whole = window.shape == (window.height, window.width)
        return file.read(chosen, None if is_whole else window)


def _find_channels(channels: Iterable[str], view_layer: str | None) -> dict[str, dict[str, str]]:
    """Return pass → component → full channel name.

    If several view layers have a pass, it is taken from the first.

    Args:
        channels: full names of the channels.
        view_layer: name of the only view layer to use; None uses all.
    """
    found: dict[str, dict[str, str]] = {}
    layer_of: dict[str, str] = {}
    for channel in channels:
        parts = split_channel(channel)
        if parts is None:
            continue
        layer, name, component = parts
        if view_layer and layer not in ("", view_layer):
            continue
        if layer_of.setdefault(name, layer) == layer:
            found.setdefault(name, {})[component] = channel
    return found
