# SPDX-License-Identifier: GPL-3.0-or-later
"""Finds the picture among the layers, parts and views of an EXR of any renderer."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from ...shared.errors import PaintoverError

_COMPONENTS = {"red": "R", "green": "G", "blue": "B", "alpha": "A"}
_COMPONENTS |= {name.lower(): name for name in ("R", "G", "B", "A", "Y", "X", "Z", "RY", "BY")}
_BEAUTY = (
    *("composite", "combined", "beauty", "rgba", "rgb", "bty", "ci", "c", "cf", "main", "master"),
    *("final", "image", "color", "colour", "default", "render"),
)
"""Names of the layer with the whole picture, best first."""
_CRYPTOMATTE = re.compile(r"crypto_?(?:matte|object|material|asset)\d*$|(?:^|\.)crypto\d*$", re.I)
"""Names of layers whose colours are no picture."""
_COMPOSITE = "composite.combined"
"""Blender's layer with what its compositor made, beside the ``Combined`` of each view layer."""
_SHOWN = 8
"""Most names of layers in a sentence."""


@dataclasses.dataclass
class _Layer:
    """The channels of one layer: component, such as ``R`` → index in the part."""

    name: str
    part: int
    header: Any
    view: str
    channels: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def rank(self) -> int | None:
        """Place among the layers with the whole picture; None: not known to be one."""
        name = self.name.lower()
        last = "composite" if name == _COMPOSITE else name.rpartition(".")[2]
        if not name:
            return -1
        if last in _BEAUTY:
            return _BEAUTY.index(last)
        return len(_BEAUTY) if "beauty" in last or "finalimage" in last else None

    def indices(self) -> list[int]:
        """Return the indices of Y or R, G, B, and of A."""
        colours = "RGB" if "R" in self.channels else "Y"
        return [self.channels[name] for name in (*colours, "A") if name in self.channels]


@dataclasses.dataclass(frozen=True)
class ExrColours:
    """The picture in an EXR.

    Attributes:
        part: number of the part.
        header: its header (``ImageSpec``).
        indices: of the channels Y or R, G, B, and A if there is one.
        notes: what was left out, as ends of sentences about the file.
    """

    part: int
    header: Any
    indices: list[int]
    notes: tuple[str, ...] = ()


def find_colours(path: Path, headers: Sequence[Any]) -> ExrColours:
    """Choose the layer with the whole picture: the one without a name, or a beauty layer.

    Upper and lower case and full names (``red``) count alike. A layer that is the only one with
    colours is taken whatever its name. Of several views the first is taken.

    Raises:
        PaintoverError: there are no colours; no layer is known to be the whole picture; the
            colours are stored as luminance and chroma, or as whole numbers; or names are not UTF-8.
    """
    layers = _read_layers(path, headers)
    with_colours = [layer for layer in layers if _has_colours(layer)]
    pictures = [layer for layer in with_colours if not _CRYPTOMATTE.search(layer.name)]
    if not pictures:
        raise PaintoverError(
            f"{path} holds only the Cryptomatte {with_colours[0].name}, which is no picture; "
            "export the picture with it, or make a black-and-white matte of it."
        )
    with_colours = pictures
    notes = []
    views = list(dict.fromkeys([layer.view for layer in with_colours if layer.view]))
    if views:
        if len(views) > 1:
            notes.append(f"holds the views {', '.join(views)}, of which only {views[0]} is used")
        with_colours = [layer for layer in with_colours if layer.view in ("", views[0])]
    whole = [layer for layer in with_colours if layer.rank is not None]
    if not whole and len(with_colours) > 1:
        shown = _shown([layer.name for layer in with_colours])
        raise PaintoverError(
            f"{path} has the layers {shown}, but none with the whole picture (named beauty, rgba, "
            "Combined, or without a name); export the picture with it."
        )
    best = min(whole, key=lambda layer: layer.rank or 0) if whole else with_colours[0]
    rivals = [layer for layer in whole if layer.rank == best.rank]
    if len(rivals) > 1:
        names = [layer.name or "no name" for layer in rivals]
        notes.append(f"has several pictures ({', '.join(names)}); only the first is used")
    if "A" not in best.channels:
        best.channels |= _plain_alpha(layers, best)
    used = [best, *rivals]
    others = {layer.name for layer in layers if layer.name and layer not in used}
    if others:
        notes.append(f"has further layers ({_shown(others)}), which are not used")
    formats = list(best.header.channelformats) or [best.header.format]
    if any(str(formats[index % len(formats)]).startswith("u") for index in best.indices()):
        raise PaintoverError(f"{path} stores colors as whole numbers; save it as half or float.")
    return ExrColours(best.part, best.header, best.indices(), tuple(notes))


def find_mask(path: Path, headers: Sequence[Any]) -> ExrColours:
    """Choose the channels of a mask: the only one that there is, or else as ``find_colours``."""
    channels = [(part, name) for part, header in enumerate(headers) for name in header.channelnames]
    if len(channels) != 1:
        return find_colours(path, headers)
    part = channels[0][0]
    return ExrColours(part, headers[part], [0])


def _read_layers(path: Path, headers: Sequence[Any]) -> list[_Layer]:
    """Return the layers, of which some have colours."""
    try:
        layers = _layers(headers)
    except UnicodeDecodeError as error:
        raise PaintoverError(
            f"{path} has layers whose names are not in UTF-8; rename them in plain letters."
        ) from error
    if any(_has_colours(layer) for layer in layers):
        return layers
    if any({"Y", "RY"} <= set(layer.channels) for layer in layers):
        raise PaintoverError(
            f"{path} stores brightness and color apart (luminance and chroma); save it as RGB."
        )
    raise PaintoverError(f"{path} has no colors (channels R, G, B); save it as an RGB picture.")


def _shown(names: Collection[str]) -> str:
    """Return the first names of layers for a sentence."""
    return ", ".join(sorted(names)[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")


def _layers(headers: Sequence[Any]) -> list[_Layer]:
    plain_parts = [
        part
        for part, header in enumerate(headers)
        if any("." not in name and _component(name) in ("R", "Y") for name in header.channelnames)
    ]
    multi_view = list(headers[0].getattribute("multiView") or ())
    views = [*multi_view, *[header.get_string_attribute("view") for header in headers]]
    found: dict[tuple[int, str], _Layer] = {}
    for part, header in enumerate(headers):
        part_name = header.get_string_attribute("oiio:subimagename") if len(plain_parts) > 1 else ""
        part_view = header.get_string_attribute("view") or (multi_view or [""])[0]
        for index, name in enumerate(header.channelnames):
            layer, _, last = name.rpartition(".")
            component = _component(last)
            if not component:
                continue
            layer, view = _without_view(layer or part_name, views)
            key = part, f"{layer}.{view}"
            found.setdefault(key, _Layer(layer, part, header, view or part_view))
            found[key].channels.setdefault(component, index)
    return list(found.values())


def _component(name: str) -> str:
    return _COMPONENTS.get(name.lower(), "")


def _without_view(layer: str, views: Sequence[str]) -> tuple[str, str]:
    """Split the name of a view off the name of a layer."""
    segments = layer.split(".")
    for view in views:
        if view and view in segments:
            segments.remove(view)
            return ".".join(segments), view
    return layer, ""


def _has_colours(layer: _Layer) -> bool:
    names = set(layer.channels)
    return {"R", "G", "B"} <= names or ("Y" in names and not names & {"X", "Z", "RY", "BY"})


def _plain_alpha(layers: Sequence[_Layer], best: _Layer) -> dict[str, int]:
    """Return the alpha without a layer's name that belongs to the picture too."""
    for layer in layers:
        if layer.part == best.part and not layer.name and "A" in layer.channels:
            return {"A": layer.channels["A"]}
    return {}
