# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine in the panels: what it is, what to do about it, and what an installation takes."""

from __future__ import annotations

from typing import Any

import bpy

from .. import jobs
from ..engine_process import environment
from ..engine_setup import builds, faults, graphics_cards, places, plan, status
from ..engine_setup.status import Kind
from .text import draw_detail, draw_wrapped, filled, translated

_ICONS = {Kind.READY: "CHECKMARK", Kind.UNCHECKED: "QUESTION"}
_INSTALLS = (Kind.MISSING, Kind.UNFINISHED, Kind.OUTDATED)
_BUTTONS = {
    Kind.UNFINISHED: "Go On Installing",
    Kind.OUTDATED: "Update Engine",
}


def draw_first(layout: Any, context: Any) -> None:
    """Draw the engine above the steps, if it needs something from the user."""
    if jobs.busy():
        return
    found = status.look()
    if found.kind in _INSTALLS or found.kind is Kind.NO_GPU or status.failure():
        draw(layout.box(), context)


def draw(layout: Any, context: Any) -> None:
    """Draw the state of the engine, and the buttons for it."""
    found = status.look()
    icon = _ICONS.get(found.kind, "ERROR")
    draw_wrapped(layout, f"{translated(found.text)}.", icon, context)
    if status.failure():
        draw_wrapped(layout, status.failure(), "CANCEL", context)
    if jobs.busy():
        return
    if found.kind in _INSTALLS:
        _draw_installation(layout, context, found)
    else:
        _draw_installed(layout, context, found)
    layout.operator("paintover.engine_diagnostics", icon="COPYDOWN")


def _draw_installation(layout: Any, context: Any, found: status.Status) -> None:
    if environment.preferences():
        layout.prop(environment.preferences(), "build", text="For")
    build = status.chosen_build()
    if build is None:
        _draw_no_build(layout, context)
    else:
        _draw_sizes(layout, context, build)
        button = layout.row()
        button.scale_y = 1.4
        text = _BUTTONS.get(found.kind, "Install Engine")
        button.operator("paintover.engine_install", text=text, icon="IMPORT")
    if not bpy.app.online_access:
        text = "Online access is off: allow it in Preferences > System, or use a folder of wheels."
        draw_wrapped(layout, text, "INFO", context)
    other = layout.column(align=True)
    other.operator("paintover.engine_install_offline", icon="FILE_FOLDER")
    other.operator("paintover.engine_use_python", icon="FILE_SCRIPT")
    other.operator("paintover.engine_move", text="Choose Another Folder", icon="DISK_DRIVE")
    if status.bytes_there() or found.kind is Kind.OUTDATED:
        other.operator("paintover.engine_remove", icon="TRASH")


def _draw_no_build(layout: Any, context: Any) -> None:
    if not builds.here():
        text = filled(
            "There is no engine to download for this kind of machine ({machine}). "
            "Choose a Python that has PyTorch.",
            machine=builds.this_platform(),
        )
    elif environment.preference("build") in ("", "AUTO"):
        text = "Looking for graphics cards…"
    else:
        text = "This kind of machine has no such engine. Choose another one."
    draw_wrapped(layout, text, "INFO", context)


def _draw_sizes(layout: Any, context: Any, build: builds.Build) -> None:
    takes = status.sizes(build)
    there = status.bytes_there()
    lines = []
    advice = status.advised()
    if environment.preference("build") in ("", "AUTO") and advice:
        lines.append(" ".join(filter(None, (f"{translated(build.title)}.", advice.why))))
    sentence = {
        (True, False): "Downloads {size} from {hosts}.",
        (False, False): "Downloads about {size} from {hosts}.",
        (True, True): "Downloads {size} from {hosts}, of which {here} are here.",
        (False, True): "Downloads about {size} from {hosts}, of which {here} are here.",
    }[takes.is_exact, bool(there)]
    size, here = faults.megabytes(takes.download), faults.megabytes(there)
    hosts = ", ".join(plan.sources(build))
    lines.append(filled(sentence, size=size, hosts=hosts, here=here))
    size, folder = faults.megabytes(takes.disk), status.shortened(places.folder())
    lines.append(filled("Takes about {size} in {folder}.", size=size, folder=folder))
    if not plan.base_python().path:
        brings = "Brings Python {version} from github.com, about 30 MB."
        lines.append(filled(brings, version=builds.OWN_PYTHON))
    for line in lines:
        draw_detail(layout, line, context)


def _draw_installed(layout: Any, context: Any, found: status.Status) -> None:
    if found.build is not None:
        text = filled("For {machine}.", machine=translated(found.build.title))
        draw_detail(layout, text, context)
    if found.is_own:
        text = filled("In {folder}.", folder=status.shortened(places.folder()))
        draw_detail(layout, text, context)
    if found.kind is Kind.NO_GPU and found.build is not None:
        for build in graphics_cards.alternatives(found.build):
            size = faults.megabytes(status.sizes(build).download)
            text = filled(
                "Install for {machine}, {size}", machine=translated(build.title), size=size
            )
            button = layout.operator("paintover.engine_install", text=text, icon="IMPORT")
            button.build = build.name
    buttons = layout.column(align=True)
    buttons.operator("paintover.engine_check", icon="PLAY")
    if found.is_own:
        buttons.operator("paintover.engine_repair", icon="TOOL_SETTINGS")
        buttons.operator("paintover.engine_move", icon="DISK_DRIVE")
        buttons.operator("paintover.engine_remove", icon="TRASH")
    buttons.operator("paintover.engine_use_python", icon="FILE_SCRIPT")
