# SPDX-License-Identifier: GPL-3.0-or-later
"""A newcomer's way in a real window: from the zip to the composited example, 480×270."""

from __future__ import annotations

import os
import re
from pathlib import Path

from conftest import HERE, Blender
from test_real_blender import read

import build_addon


def test_from_the_zip_to_the_composited_example(
    blender: Blender, tmp_path: Path, pictures: Path
) -> None:
    """Three frames of the example, until they play; all of it to its end with PAINTOVER_LONG=1."""
    build_addon.build(tmp_path / "zip")
    is_long = bool(os.environ.get("PAINTOVER_LONG"))
    limit = int(os.environ.get("PAINTOVER_LIMIT", "1500" if is_long else "380"))
    short = {"PAINTOVER_FRAMES": "11-13", "PAINTOVER_SECONDS": "5"}
    newcomer = Blender(tmp_path / "home", blender.engine_python)
    told = newcomer.do(
        *("--python-exit-code", "9", "--python", HERE / "first_time_by_mouse.py"),
        limit=limit + 20,
        PAINTOVER_PICTURES=str(pictures),
        PAINTOVER_ZIP=str(tmp_path / "zip"),
        PAINTOVER_LIMIT=str(limit),
        **({} if is_long else short),
    )
    if told_time := re.search(r"FIRST TIME: .*", told):
        print(told_time[0])
    for name in ("example", "train", "stylize", "playing"):
        assert read(pictures / f"first-{name}.png").std() > 10, name
