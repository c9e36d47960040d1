# SPDX-License-Identifier: GPL-3.0-or-later
"""The add-on as farms load it: from a script directory, with nothing writable but its own work."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, engine_runs

import build_addon

_STEPS = """
import os, sys
from pathlib import Path
folder, engine, way = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
import bpy
import addon_utils

if way == "script directory":
    place = bpy.context.preferences.filepaths.script_directories.new()
    place.name, place.directory = "farm", str(folder / "scripts")
    bpy.utils.refresh_script_paths()
    sys.path += [path for path in addon_utils.paths() if path not in sys.path]
addon_utils.enable("paintover")
assert "paintover" not in bpy.context.preferences.addons
import numpy as np
from paintover import command

bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
scene = bpy.context.scene
scene.frame_start, scene.frame_end = 1, 3
scene.render.engine = "CYCLES"
scene.render.resolution_x, scene.render.resolution_y = 96, 64
scene.render.compositor_device = "CPU"
scene.cycles.samples, scene.cycles.use_denoising = 1, False
bpy.ops.mesh.primitive_cube_add()
bpy.ops.object.light_add(type="SUN", rotation=(0.6, 0.3, 0))
bpy.ops.object.camera_add(location=(4, -4, 3), rotation=(1.1, 0, 0.785))
scene.camera = bpy.context.object
bpy.ops.wm.save_as_mainfile(filepath=str(folder / "shot.blend"))


def run(*words):
    code = command.main([*words, *sys.argv[4:]])
    assert code == 0, (words, code)


run("status")
run("capture")
run("keyframe", "add", "1")
image = bpy.data.images.load(str(folder / "paintover" / "shot" / "keys" / "0001.png"))
pixels = np.array(image.pixels[:])
pixels[::4] = 1 - pixels[::4]
image.pixels.foreach_set(pixels.astype(np.float32))
image.save()
if way == "script directory":
    run("preview")
else:
    run("train", "--seconds", "1")
    run("stylize")
    run("compose", "--save")
from paintover.engine_process import client

print("LOG", client.log_path().parent)
client.stop()
print("ALL DONE", flush=True)
os._exit(0)  # as in conftest: Blender 4.5 hangs at times when it ends
"""


def _run(
    tmp_path: Path, way: str, arguments: list[str], variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run all steps where neither the home folder nor Blender's user folder can be written."""
    package = tmp_path / "scripts" / "addons" / "paintover"
    build_addon.stage(package)
    shutil.rmtree(package / "engine")
    (package / "engine").symlink_to(ROOT / "engine")  # where compiled loops are found
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environment = {
        **os.environ,
        "HOME": "/dev/null/home",
        "XDG_CACHE_HOME": "/dev/null/cache",
        "BLENDER_USER_RESOURCES": "/dev/null/blender",
        "TMPDIR": str(temporary),
        **variables,
    }
    if way == "variable":
        environment["BLENDER_USER_SCRIPTS"] = str(tmp_path / "scripts")
    engine = os.environ["PAINTOVER_ENGINE_PYTHON"]
    command = [sys.executable, "-c", _STEPS, str(tmp_path), engine, way, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.skipif(not engine_runs(), reason="the engine's Python lacks the engine's packages")
@pytest.mark.parametrize("way", ["variable", "script directory"])
def test_steps_work_from_a_folder_of_scripts(tmp_path: Path, way: str) -> None:
    engine = os.environ["PAINTOVER_ENGINE_PYTHON"]
    if way == "variable":
        arguments, variables = [], {"PAINTOVER_ENGINE_PYTHON": engine}
        logs = tmp_path / "temporary" / f"paintover-{os.getuid()}" / "logs"
    else:
        cache = tmp_path / "cache of the farm"
        arguments = ["--python", engine, "--cache", str(cache)]
        # In a new folder all loops would be compiled anew.
        variables = {"PAINTOVER_ENGINE_PYTHON": "/nowhere/python", "NUMBA_DISABLE_JIT": "1"}
        logs = cache / "logs"
    done = _run(tmp_path, way, arguments, variables)
    assert "ALL DONE" in done.stdout, done.stdout + done.stderr
    assert f"LOG {logs}" in done.stdout
    assert (logs / "engine.log").is_file()
    assert "Traceback" not in done.stderr
    out = tmp_path / "paintover" / "shot" / "out"
    assert len(list(out.glob("*/*.png"))) == 3
    told = [line for line in done.stderr.splitlines() if "set PAINTOVER_CACHE" in line]
    assert len(told) == (1 if way == "variable" else 0), done.stderr
    manifest = json.loads((tmp_path / "paintover" / "shot" / "shot.json").read_text())
    assert sorted(map(int, manifest["frames"])) == [1, 2, 3]
