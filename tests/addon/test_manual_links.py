# SPDX-License-Identifier: GPL-3.0-or-later
"""F1 on every button and every setting opens a page of the manual that is there."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any
from urllib.parse import unquote, urlsplit

import bpy
import pytest
from bl_operators import wm

PAGES = {
    "paintover.capture": "capture.html",
    "paintover.keyframe_add": "keyframes.html",
    "paintover.keyframe_take_back": "keyframes.html",
    "paintover.suggestion_take": "keyframes.html",
    "paintover.train": "train.html",
    "paintover.training_take": "train.html",
    "paintover.stylize": "stylize.html",
    "paintover.compose": "compositor.html",
    "paintover.live": "live-painting.html",
    "paintover.sweep": "sweep.html",
    "paintover.engine_install": "install.html",
    "PAINTOVER_PG_scene.light": "stylize.html",
    "PAINTOVER_PG_scene.folder": "settings.html",
    "PAINTOVER_PG_matte.source": "mattes.html",
    "PAINTOVER_PG_keyframe.weight": "keyframes.html",
    "PAINTOVER_PG_live.overlay": "live-painting.html",
    "PAINTOVER_preferences.package_index": "install.html",
}


IN_PREFERENCES = "PAINTOVER_preferences."
HAS_PREFERENCES = bpy.app.version >= (5, 0, 0)
"""Whether Blender looks for settings of preferences at all; 4.5 says that it does not find them."""


def opened(doc_id: str) -> tuple[Path, str]:
    """Return the file and the anchor that Blender opens for a button, as F1 asks for it."""
    rna_id = wm._wm_doc_get_id(doc_id, do_url=False)
    url = urlsplit(wm.WM_OT_doc_view_manual._lookup_rna_url(rna_id, verbose=False) or "")
    assert url.scheme == "file", doc_id
    return Path(unquote(url.path)), url.fragment


def is_there(doc_id: str) -> bool:
    path, anchor = opened(doc_id)
    return path.is_file() and (not anchor or f'id="{anchor}"' in path.read_text("utf-8"))


def ours(addon: ModuleType) -> list[type]:
    """Return the add-on's registered classes."""
    modules = [m for name, m in list(sys.modules.items()) if addon.__name__ in name]
    classes = {cls for module in modules for _, cls in inspect.getmembers(module, inspect.isclass)}
    return [cls for cls in classes if getattr(cls, "is_registered", False)]


def test_every_operator_and_setting_has_a_page(addon: ModuleType) -> None:
    ids = [f"paintover.{name}" for name in dir(bpy.ops.paintover)]
    groups = (bpy.types.PropertyGroup, bpy.types.AddonPreferences)
    for cls in ours(addon):
        if issubclass(cls, groups):
            names = set(cls.bl_rna.properties.keys()) - {"rna_type", "name", "bl_idname"}
            ids += [f"{cls.__name__}.{name}" for name in names]
    if not HAS_PREFERENCES:
        ids = [one for one in ids if not one.startswith(IN_PREFERENCES)]
    assert len(ids) > 90
    assert [one for one in ids if not is_there(one)] == []


@pytest.mark.parametrize("doc_id", PAGES)
def test_it_is_the_right_page(addon: ModuleType, doc_id: str) -> None:
    if doc_id.startswith(IN_PREFERENCES) and not HAS_PREFERENCES:
        pytest.skip("Blender 4.5 opens no manual for settings of preferences")
    assert opened(doc_id)[0].name == PAGES[doc_id]


def test_pages_are_whole(part: Callable[[str], Any]) -> None:
    """The pages of the zip need no network, and all their links lead somewhere."""
    folder = part("manual_links").FOLDER
    for path in folder.glob("*.html"):
        text = path.read_text("utf-8")
        for quote in ('href="', 'src="'):
            for address in [rest.partition('"')[0] for rest in text.split(quote)[1:]]:
                page, _, anchor = address.partition("#")
                if "://" in page:
                    assert quote == 'href="', address
                    continue
                target = folder / page if page else path
                assert target.exists(), (path.name, address)
                assert not anchor or f'id="{anchor}"' in target.read_text("utf-8"), address
