# SPDX-License-Identifier: GPL-3.0-or-later
"""A shot as a farm gets it: a .blend, a painted keyframe, and the programs of its workers."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import build_addon  # noqa: E402

FRAMES = 8
ENGINE = (sys.executable, str(ROOT / "engine"))
"""How a farm starts the engine, which is not installed there."""

_MAKE_SCENE = """
import sys
import bpy

bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
scene = bpy.context.scene
scene.frame_start, scene.frame_end = 1, int(sys.argv[2])
scene.render.engine = "CYCLES"
scene.render.resolution_x, scene.render.resolution_y = 480, 270
scene.render.compositor_device = "CPU"
scene.cycles.samples, scene.cycles.use_denoising = 1, False
bpy.ops.mesh.primitive_monkey_add()
monkey = bpy.context.object
monkey.keyframe_insert("rotation_euler", frame=1)
monkey.rotation_euler.z = 0.5
monkey.keyframe_insert("rotation_euler", frame=int(sys.argv[2]))
bpy.ops.object.light_add(type="SUN", rotation=(0.6, 0.3, 0))
bpy.ops.object.camera_add(location=(3, -3, 2), rotation=(1.15, 0, 0.785))
scene.camera = bpy.context.object
bpy.ops.wm.save_as_mainfile(filepath=sys.argv[1])
"""
_PAINT = """
import sys
from pathlib import Path
import cv2

path = sys.argv[1]
picture = cv2.imread(path, cv2.IMREAD_UNCHANGED)
picture[..., :3] = picture[..., 2::-1] // 2 + 40
picture[::12, :, :3] = 255
cv2.imwrite(path, picture)
"""


@dataclasses.dataclass(frozen=True)
class Farm:
    """What the workers share.

    Attributes:
        folder: of the .blend.
        blender: program that stands for Blender's.
        variables: environment of the workers.
    """

    folder: Path
    blender: Path
    variables: dict[str, str]

    @property
    def blend(self) -> Path:
        return self.folder / "scene.blend"

    @property
    def shot(self) -> Path:
        return self.folder / "paintover" / "scene"

    def paintover(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Run a step in Blender as a worker does."""
        command = [self.blender, "--background", "--addons", "paintover", self.blend]
        return self.run(*command, "--command", "paintover", *words)

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            list(map(str, words)),
            env={**os.environ, **self.variables},
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="session")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Farm:
    """A farm with a captured first frame that is painted; the rest is to be done."""
    folder = tmp_path_factory.mktemp("farm")
    package = folder / "scripts" / "addons" / "paintover"
    build_addon.stage(package)
    shutil.rmtree(package / "engine")
    (package / "engine").symlink_to(ROOT / "engine")  # where compiled loops are found
    blender = folder / "blender"
    stand_in = Path(__file__).with_name("stand_in_for_blender.py")
    blender.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{stand_in}" "$@"\n')
    blender.chmod(0o755)
    variables = {
        "BLENDER_USER_SCRIPTS": str(folder / "scripts"),
        "BLENDER_USER_RESOURCES": "/dev/null/blender",
        "PAINTOVER_CACHE": "",
        "PAINTOVER_ENGINE_PYTHON": sys.executable,
        "OMP_NUM_THREADS": "1",
    }
    place = folder / "shared storage"
    place.mkdir()
    made = Farm(place, blender, variables)
    subprocess.run(
        [sys.executable, "-c", _MAKE_SCENE, str(made.blend), str(FRAMES)],
        check=True,
        capture_output=True,
    )
    for words in (("capture", "--frames", "1"), ("keyframe", "add", "1")):
        done = made.paintover(*words)
        assert done.returncode == 0, done.stdout + done.stderr
    key = made.shot / "keys" / "0001.png"
    subprocess.run([sys.executable, "-c", _PAINT, str(key)], check=True)
    return made


def pictures(folder: Path) -> dict[str, str]:
    """Digests of the frames in a folder, by their names."""
    found = sorted(folder.glob("[0-9]*.png"))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def states(folder: Path) -> dict[str, int]:
    """When each frame in a folder was written, by their names."""
    return {path.name: path.stat().st_mtime_ns for path in sorted(folder.glob("[0-9]*.png"))}
