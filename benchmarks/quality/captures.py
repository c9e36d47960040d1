# SPDX-License-Identifier: GPL-3.0-or-later
"""Captured shots, cached under a digest of their sources.

The sources are the scene, the add-on's capture, the version of Blender and the size.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

import build_addon
from benchmarks.own_process import ROOT, run_module
from engine.shared.files import digest_file, digest_json

from .pairs import Extent
from .shots import SHOTS

HERE = Path(__file__).resolve().parent
IN_BLENDER = "benchmarks.quality.in_blender"

Tell = Callable[[str], None]


def captured(shot: str, extent: Extent, fine: int, cache: Path, tell: Tell) -> Path:
    """Return the folder of a captured shot; render it if it is not in the cache.

    Args:
        shot: name of the shot.
        extent: size and number of frames.
        fine: 1 for the frames of a user; above 1 for frames of so many times the size, with every
            sample at the centre of its pixel.
        cache: folder of the cache.
        tell: called with progress messages.

    Raises:
        PaintoverError: Blender failed.
    """
    width, height = extent.width * fine, extent.height * fine
    what = "user" if fine == 1 else "fine"
    sources = [
        HERE / "in_blender.py",
        HERE / "shots" / "studio.py",
        *(HERE / "shots" / f"{one}.py" for one in (shot, *SHOTS[shot].uses)),
        ROOT / "scenes" / "meshes.py",
        *sorted((ROOT / "blender_addon" / "capture").glob("*.py")),
    ]
    digest = digest_of(sources, [version("bpy"), width, height, extent.frames])
    name = f"{shot}-{what}-{width}x{height}x{extent.frames}"
    folder = cache / "captures" / f"{name}-{digest}"
    if not folder.is_dir():
        tell(f"rendering {shot}, {extent.frames} frames of {width}×{height}")
        with made_whole(folder, name) as part, tempfile.TemporaryDirectory() as zips:
            archive = build_addon.build(Path(zips))
            run_module(IN_BLENDER, shot, part / "shot", width, height, extent.frames, what, archive)
    return folder / "shot"


def digest_of(sources: Iterable[Path], settings: object) -> str:
    """Return a short digest of files and plain data."""
    return digest_json([[digest_file(path) for path in sources], settings])[:12]


@contextmanager
def made_whole(folder: Path, name: str) -> Iterator[Path]:
    """Give a temporary folder to fill; at the end it replaces ``folder`` and all ``NAME-*``."""
    part = folder.with_name(f".{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    yield part
    for old in folder.parent.glob(f"{name}-*"):
        shutil.rmtree(old)
    part.replace(folder)
