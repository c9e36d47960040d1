# SPDX-License-Identifier: GPL-3.0-or-later
"""The installed extension comes and goes without a trace, and never loads the engine's packages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import addon_utils
import bpy
import pytest
from conftest import MODULE, ROOT


def _traces() -> dict[str, Any]:
    """Everything that an add-on may leave in Blender."""
    handlers: Any = bpy.app.handlers
    names = [name for name in dir(handlers) if isinstance(getattr(handlers, name), list)]
    return {
        "classes": sorted(name for name in dir(bpy.types) if name.startswith("PAINTOVER")),
        "operators": dir(bpy.ops.paintover),
        "handlers": {name: len(getattr(handlers, name)) for name in names},
        "scene": hasattr(bpy.types.Scene, "paintover"),
        "manager": hasattr(bpy.types.WindowManager, "paintover"),
        "keymaps": len(bpy.context.window_manager.keyconfigs.addon.keymaps),
    }


def test_installed_from_the_zip(addon: ModuleType) -> None:
    assert addon.__name__ == MODULE
    installed = Path(str(addon.__file__)).parent
    assert ROOT not in installed.parents
    assert (installed / "engine" / "app" / "worker.py").is_file()


def test_enabled_twice_and_disabled_twice_leaves_nothing(addon: ModuleType) -> None:
    with_addon = _traces()
    assert with_addon["scene"] and with_addon["classes"]
    for _ in range(2):
        addon_utils.disable(MODULE)
        without = _traces()
        assert not without["classes"] and not without["operators"]
        assert not without["scene"] and not without["manager"]
        assert without["keymaps"] == with_addon["keymaps"]
        addon_utils.enable(MODULE, default_set=True)
        assert _traces() == with_addon
    assert without["handlers"]["save_pre"] == with_addon["handlers"]["save_pre"] - 3


def test_reloaded_twice(addon: ModuleType) -> None:
    import importlib

    before = _traces()
    for _ in range(2):
        addon_utils.disable(MODULE)
        old = sys.modules[f"{MODULE}.jobs"]
        importlib.reload(sys.modules[MODULE])
        assert sys.modules[f"{MODULE}.jobs"] is not old
        addon_utils.enable(MODULE, default_set=True)
        assert _traces() == before


def test_timer_is_gone_when_disabled(part: Callable[[str], Any]) -> None:
    watcher = part("ui.watcher")
    assert bpy.app.timers.is_registered(watcher._tick)
    addon_utils.disable(MODULE)
    try:
        assert not bpy.app.timers.is_registered(watcher._tick)
    finally:
        addon_utils.enable(MODULE, default_set=True)


_IMPORTS = """
import os, sys
os.environ["BLENDER_USER_RESOURCES"] = sys.argv[1]
import bpy
before = set(sys.modules)
bpy.ops.extensions.package_install_files(
    filepath=sys.argv[2], repo="user_default", enable_on_install=True
)
heavy = {"torch", "numpy", "OpenImageIO", "cv2", "scipy", "safetensors"}
print("HEAVY", sorted(heavy & (set(sys.modules) - before)))
print("THERE", "bl_ext.user_default.paintover" in sys.modules, flush=True)
os._exit(0)  # as in conftest: Blender 4.5 hangs at times when it ends
"""


def test_enabling_loads_no_heavy_package(archive: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-c", _IMPORTS, str(tmp_path), str(archive)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "HEAVY []" in done.stdout, done.stdout + done.stderr
    assert "THERE True" in done.stdout


def test_settings_are_saved_in_the_blend(scene: Any, part: Callable[[str], Any]) -> None:
    scene.paintover.style = "ink"
    scene.paintover.use_custom_range = True
    scene.paintover.frame_start, scene.paintover.frame_end = 5, 9
    bpy.ops.wm.save_mainfile()
    path = bpy.data.filepath
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=path)
    again: Any = bpy.context.scene
    assert again.paintover.style == "ink"
    assert part("properties").frames(again) == [5, 6, 7, 8, 9]


def test_shot_folder_lies_beside_the_blend(scene: Any, part: Callable[[str], Any]) -> None:
    folder = part("properties").shot_folder(scene)
    assert folder == Path(bpy.data.filepath).parent / "paintover" / "my shot é"
    scene.paintover.folder = "//elsewhere"
    assert part("properties").shot_folder(scene) == Path(bpy.data.filepath).parent / "elsewhere"


def test_unsaved_blend_asks_to_be_saved(addon: ModuleType, part: Callable[[str], Any]) -> None:
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    with pytest.raises(RuntimeError, match=r"Save the \.blend first"):
        bpy.ops.paintover.run()


def test_engine_python_is_the_one_of_the_environment(part: Callable[[str], Any]) -> None:
    python = part("engine_process.environment").find()
    assert str(python.path) == os.environ["PAINTOVER_ENGINE_PYTHON"]
