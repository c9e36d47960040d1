# SPDX-License-Identifier: GPL-3.0-or-later
"""Real bpy with the built zip installed into an empty user folder, and small shots to work on."""

from __future__ import annotations

import functools
import importlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
USER_FOLDER = Path(tempfile.mkdtemp(prefix="paintover-user-"))
os.environ["BLENDER_USER_RESOURCES"] = str(USER_FOLDER)
if not os.environ.get("PAINTOVER_ENGINE_PYTHON"):
    usual = ROOT / ".venv" / "bin" / "python"
    os.environ["PAINTOVER_ENGINE_PYTHON"] = str(usual if usual.is_file() else sys.executable)
sys.path.insert(0, str(ROOT))

import bpy  # noqa: E402
import numpy as np  # noqa: E402
import numpy.typing as npt  # noqa: E402
from setup_index import quick_check, setup, uv_wheel  # noqa: E402, F401 - fixtures

import build_addon  # noqa: E402

WIDTH, HEIGHT = 480, 270
MODULE = "bl_ext.user_default.paintover"


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    shutil.rmtree(USER_FOLDER, ignore_errors=True)
    # Blender 4.5 hangs at times when a process that has used EEVEE ends: it takes down what its
    # own threads still wait for. So the process ends without that, once all is reported.
    session.config.add_cleanup(lambda: _end(exitstatus))


def _end(status: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


@pytest.fixture(scope="session")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built and validated zip."""
    return build_addon.build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def addon(archive: Path) -> ModuleType:
    """The extension, installed from the zip and enabled."""
    bpy.ops.extensions.package_install_files(
        filepath=str(archive), repo="user_default", enable_on_install=True
    )
    return sys.modules[MODULE]


@pytest.fixture(scope="session")
def part(addon: ModuleType) -> Callable[[str], Any]:
    """Import a module of the installed add-on: ``part("engine.shared.shot")``."""
    return lambda name: importlib.import_module(f"{addon.__name__}.{name}")


@pytest.fixture
def scene(addon: ModuleType, tmp_path: Path) -> Iterator[Any]:
    """An empty scene of a saved .blend: 480×270, frames 1 to 3, Cycles, a lit cube and a camera."""
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
    scene: Any = bpy.context.scene
    scene.frame_start, scene.frame_end = 1, 3
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x, render.resolution_y, render.resolution_percentage = WIDTH, HEIGHT, 100
    render.compositor_device = "CPU"
    scene.cycles.samples = 1
    scene.cycles.use_denoising = False
    bpy.ops.mesh.primitive_cube_add()
    bpy.ops.object.light_add(type="SUN", rotation=(0.6, 0.3, 0))
    bpy.ops.object.camera_add(location=(4, -4, 3), rotation=(1.1, 0, 0.785))
    scene.camera = bpy.context.object
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "my shot é.blend"))
    yield scene


def picture(frame: int, *, alpha: bool = False, seed: int = 0) -> npt.NDArray[np.float32]:
    """Random codes / 255 of one frame, (HEIGHT, WIDTH, 4), bottom row first as Blender has it."""
    random = np.random.default_rng(1000 * seed + frame)
    codes = random.integers(0, 256, (HEIGHT, WIDTH, 4))
    if not alpha:
        codes[..., 3] = 255
    return (codes / 255).astype(np.float32)


def write_png(path: Path, pixels: npt.NDArray[np.float32]) -> None:
    """Write codes / 255, (height, width, 4), bottom row first, as an 8-bit PNG."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = pixels.shape[:2]
    image: Any = bpy.data.images.new("write_png", width, height, alpha=True)
    image.alpha_mode = "STRAIGHT"
    image.pixels.foreach_set(np.ascontiguousarray(pixels, np.float32).ravel())
    image.filepath_raw, image.file_format = str(path), "PNG"
    image.save()
    bpy.data.images.remove(image)


def read_codes(path: Path) -> npt.NDArray[np.int64]:
    """Read the codes of an 8-bit picture, (height, width, 4), bottom row first."""
    image: Any = bpy.data.images.load(str(path), check_existing=False)
    image.alpha_mode = "STRAIGHT"
    width, height = image.size
    values = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(values)
    bpy.data.images.remove(image)
    return np.rint(values * 255).astype(np.int64).reshape(height, width, 4)


@pytest.fixture
def shot(scene: Any, part: Callable[[str], Any]) -> Any:
    """A shot of the scene's three frames in its default folder, random pictures without passes."""
    module, manifest = part("engine.shared.shot"), part("engine.shared.manifest")
    shot = module.Shot(
        part("properties").shot_folder(scene), manifest.Manifest(WIDTH, HEIGHT, 1, 3)
    )
    for frame in (1, 2, 3):
        write_png(shot.image_path(frame), picture(frame))
        digest = part("engine.shared.pictures.digests").digest_picture(shot.image_path(frame))
        shot.manifest.frames[frame] = manifest.FrameRecord(image=digest)
    shot.save()
    return shot


@pytest.fixture
def stylized(shot: Any) -> Any:
    """The shot with stylized frames, random pictures without alpha."""
    for frame in shot.frames:
        write_png(shot.out_path("style", frame), picture(frame, seed=7))
    return shot


@pytest.fixture
def first(scene: Any, tmp_path: Path, part: Callable[[str], Any]) -> Any:
    """The scene of shot_v001.blend, its frames captured, frame 1 painted, 480×270 pixels."""
    scene.render.resolution_x, scene.render.resolution_y = 480, 270
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "shot_v001.blend"))
    bpy.ops.paintover.capture()
    bpy.ops.paintover.keyframe_add(frame=1)
    folder = part("properties").shot_folder(scene)
    codes = read_codes(folder / "frames/0001.png")
    write_png(folder / "keys/0001.png", (255 - codes[..., [2, 0, 1, 3]]) / 255)
    bpy.ops.wm.save_mainfile()
    return scene


@functools.cache
def engine_runs() -> bool:
    """Tell whether the engine's Python has what the engine needs."""
    code = "import torch, OpenImageIO, cv2, safetensors"
    python = os.environ["PAINTOVER_ENGINE_PYTHON"]
    return subprocess.run([python, "-c", code], capture_output=True, check=False).returncode == 0
