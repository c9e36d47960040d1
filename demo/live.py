# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m demo.live``: a live session, painted by a script, and a short movie of it.

In a real Blender window where there is one (see ``tests/gui``): strokes by mouse, and the window is
what the movie shows. Elsewhere with the engine alone: the painting grows file by file as if a
person saved it, and the movie shows it beside a frame that nobody paints.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from scenes.real_blender import GUI, RealBlender, is_installed

ROOT = Path(__file__).resolve().parent.parent
STAGES = 8
"""How often the painting is saved without a window."""
START_SECONDS, STAGE_SECONDS = 180.0, 3.0
FPS = 6
PICTURE = 800, 500
"""Size of the moving picture, in pixels; that of the window is 1600 by 1000."""
Picture = npt.NDArray[np.uint8]


def main() -> int:
    """Parse the options, run the demo with an empty user folder, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m demo.live", description=__doc__)
    parser.add_argument("--out", metavar="DIR", type=Path, default=ROOT / "demo/out/live")
    parser.add_argument("--short", action="store_true", help="small and quick, to see that it runs")
    parser.add_argument(
        "--picture", metavar="FILE", type=Path, help="also write it as a moving picture, .webp"
    )
    parser.add_argument("--without-window", action="store_true", help="use the engine alone")
    options = parser.parse_args()
    out = options.out.resolve()
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    size, frames = ((240, 136), 6) if options.short else ((480, 270), 16)
    with tempfile.TemporaryDirectory(prefix="paintover-demo-") as user_folder:
        os.environ["BLENDER_USER_RESOURCES"] = user_folder
        os.environ.setdefault("PAINTOVER_ENGINE_PYTHON", sys.executable)
        shot, key = _make_shot(out, size, frames)
        if not options.without_window and is_installed():
            pictures = _by_mouse(out)
        else:
            print("Without a window: the engine alone", flush=True)
            pictures = _by_files(out, shot, key, other=frames)
        # bpy reads the user folder once, so it is imported now.
        from . import moving_picture  # noqa: PLC0415
        from .movie import write_movie  # noqa: PLC0415

        write_movie(out / "live.mp4", pictures, FPS)
        if options.picture:
            resized = [cv2.resize(one, PICTURE, interpolation=cv2.INTER_AREA) for one in pictures]
            small = [np.asarray(one, np.uint8) for one in resized]
            moving_picture.write(options.picture, small, FPS)
    print(f"{out / 'live.mp4'}: {len(pictures) / FPS:.0f} s of a live session", flush=True)
    return 0


def _make_shot(out: Path, size: tuple[int, int], frames: int) -> tuple[Path, int]:
    """Render the demo's shot with a keyframe; return its folder and the keyframe."""
    import bpy  # noqa: PLC0415

    import build_addon  # noqa: PLC0415

    from .scene import build_scene, save_scene  # noqa: PLC0415

    print(f"Render {frames} frames of {size[0]}×{size[1]}", flush=True)
    archive = build_addon.build(out)
    operators: Any = bpy.ops
    operators.extensions.package_install_files(
        filepath=str(archive), repo="user_default", enable_on_install=True
    )
    scene = build_scene(*size, frames)
    scene.render.compositor_device = "CPU"
    save_scene(out / "fox.blend")
    operators.paintover.capture()
    key = 1 + round(0.45 * (frames - 1))
    operators.paintover.keyframe_add(frame=key)
    scene.frame_set(key)
    bpy.ops.wm.save_mainfile()
    (manifest,) = (out / "paintover").glob("*/shot.json")
    return manifest.parent, key


def _by_mouse(out: Path) -> list[Picture]:
    """Paint in the window, and return what it showed."""
    with tempfile.TemporaryDirectory(prefix="paintover-window-") as folder:
        blender = RealBlender(Path(folder))
        steps = ("--python", GUI / "record_live.py")
        variables = {"PAINTOVER_PICTURES": str(out / "window")}
        (out / "window").mkdir()
        status = blender.run(
            "--python-exit-code", "9", out / "fox.blend", *steps, limit=900, **variables
        )
    if status:
        raise SystemExit(f"The session in the window ended with {status}; see above.")
    paths = sorted((out / "window").glob("*.png"))
    return [cv2.resize(_read(path), (960, 600), interpolation=cv2.INTER_AREA) for path in paths]


def _by_files(out: Path, shot: Path, key: int, other: int) -> list[Picture]:
    """Let the painting of a keyframe grow, and return it beside what another frame shows."""
    painting = shot / "keys" / f"{key:04d}.png"
    plain = _read(painting)
    command = [sys.executable, "-m", "demo.paint", str(shot), "--like", str(key)]
    command += ["--frames", str(key), "--out", str(out / "painted")]
    subprocess.run(command, cwd=ROOT, check=True)
    painted = _read(out / "painted" / f"{key:04d}.png")
    shown = out / "shown.png"
    pictures: list[Picture] = []
    with _engine(shot, other, shown):
        for stage, mask in enumerate(_growing(plain.shape[:2])):
            now = np.where(mask[..., None], painted, plain).astype(np.uint8)
            _save(painting, now)
            began, before = time.monotonic(), _changed(shown)
            longest = STAGE_SECONDS if stage else START_SECONDS
            while time.monotonic() - began < longest:
                time.sleep(1 / FPS)
                if shown.is_file():
                    pictures.append(np.hstack([now, _read(shown)]))
                if stage == 0 and _changed(shown) != before:
                    break
    if not pictures:
        raise SystemExit(f"The engine has shown nothing within {START_SECONDS:.0f} s.")
    return pictures


@contextlib.contextmanager
def _engine(shot: Path, frame: int, shown: Path) -> Iterator[None]:
    command = [sys.executable, "-m", "engine", "live", str(shot)]
    command += ["--frame", str(frame), "--output", str(shown)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(30)
        process.kill()


def _growing(shape: tuple[int, ...]) -> Iterator[npt.NDArray[np.bool_]]:
    """Yield what is painted after each of ``STAGES`` savings, from a patch to all of it."""
    height, width = shape[:2]
    random = np.random.default_rng(3)
    mask = np.zeros(shape, np.uint8)
    for _ in range(STAGES - 1):
        centre = int(random.uniform(0.2, 0.8) * width), int(random.uniform(0.2, 0.8) * height)
        cv2.circle(mask, centre, height // 4, (1,), -1)
        yield mask > 0
    yield np.ones(shape, np.bool_)


def _changed(path: Path) -> int:
    return path.stat().st_mtime_ns if path.is_file() else 0


def _read(path: Path) -> Picture:
    """Read a picture as (H, W, 3) uint8, RGB, with even sides."""
    picture = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if picture is None:
        raise SystemExit(f"{path} cannot be read.")
    height, width = (side // 2 * 2 for side in picture.shape[:2])
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)[:height, :width].astype(np.uint8)


def _save(path: Path, picture: Picture) -> None:
    """Save a painting as paint programs do: written beside, then renamed."""
    beside = path.with_name("being-saved.png")
    cv2.imwrite(str(beside), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))
    beside.replace(path)


if __name__ == "__main__":
    sys.exit(main())
