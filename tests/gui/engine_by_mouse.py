# SPDX-License-Identifier: GPL-3.0-or-later
"""For ``blender --python``: the engine is installed by clicks, first through a proxy that refuses.

Blender's Python is one that the engine does not run in, so uv brings its own.
"""

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import bpy
import window
from bl_ext.user_default.paintover.engine_process import environment
from bl_ext.user_default.paintover.engine_setup import builds, places, plan, record, status

PICTURES = Path(os.environ["PAINTOVER_PICTURES"])
GIVEN = json.loads(Path(os.environ["PAINTOVER_SETUP"]).read_text())


def picture(name: str) -> None:
    window.screenshot(str(PICTURES / f"engine-{name}.png"))


def session() -> object:
    return bpy.context.window_manager.paintover


def test() -> window.Steps:
    os.environ["LD_LIBRARY_PATH"] = GIVEN["libraries"]  # for Pythons that are not in one piece
    builds.LOCKS = Path(GIVEN["locks"])
    builds.OWN_PYTHON = GIVEN["python"]
    preferences = environment.preferences()
    preferences.package_index = f"{GIVEN['index']}/simple"
    preferences.torch_index = f"{GIVEN['index']}/whl"
    preferences.build = "cpu"
    bpy.context.preferences.system.use_online_access = True
    assert plan.base_python().path == ""
    yield from window.ready()
    yield from window.sidebar("Paintover")
    yield 1.0
    assert status.look().kind is status.Kind.MISSING
    picture("missing")

    yield from window.press_button("paintover.engine_diagnostics")
    yield from window.wait_for(lambda: "Paintover " in clipboard(), 30, "diagnostics")
    assert "Engine missing" in clipboard() and str(Path.home()) not in clipboard()

    # The sentence stays until the next try.
    yield from window.press_button("paintover.engine_install")
    yield from window.wait_for(status.failure, 60, "the refusal of the proxy")
    yield from window.click(300, 300)  # away from Blender's own report, which goes
    yield 1.0
    assert "proxy of this network asks for a name" in status.failure()
    picture("failed")

    Path(GIVEN["go"]).touch()
    yield 0.5
    yield from window.press_button("paintover.engine_install")
    yield from window.wait_for(lambda: " MB of " in session().text, 60, "the download")
    yield 2.0
    picture("downloading")
    yield from window.wait_for(lambda: not session().title, 450, "the installation")
    yield from window.settle()
    assert status.failure() == "", status.failure()
    found = status.look()
    assert found.kind is status.Kind.READY and "steps a second" in found.text, found
    assert record.installed().python == GIVEN["python"]
    assert (places.folder() / "python").is_dir()
    assert Path.home() in places.folder().parents
    yield 1.0
    picture("ready")


def clipboard() -> str:
    return str(bpy.context.window_manager.clipboard)


window.run(test, limit=600)
