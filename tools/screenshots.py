# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the manual's pictures of Blender's window anew: ``docs/pictures/window-*``.

    .venv/bin/python -m tools.screenshots [--keep DIR]         # or: make screenshots

Goes through the tutorial by mouse in a real Blender window (see ``tests/gui``), with the example.
Takes about five minutes on two cores. Look at the pictures before you commit them.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from scenes.real_blender import GUI, RealBlender, is_installed

ROOT = Path(__file__).resolve().parent.parent
PICTURES = ROOT / "docs/pictures"
SIDEBARS = ("start", "capture", "train")
"""Pictures that show the sidebar alone."""
WINDOWS = ("keyframe", "done")
"""Pictures that show the whole window."""
WIDEST, QUALITY = 1200, 82
LARGEST = 150_000
"""Bytes of a picture, at most."""
_LIMIT = 9100
"""Seconds; on a machine that has much else to do it takes long."""


def main() -> int:
    """Run the command line; see the docstring of the module."""
    parser = argparse.ArgumentParser(prog="python -m tools.screenshots", description=__doc__)
    parser.add_argument("--keep", metavar="DIR", type=Path, help="keep what the window showed")
    options = parser.parse_args()
    if not is_installed():
        print("A real Blender window is needed: run tests/gui/blender.sh setup.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory(prefix="paintover-window-") as name:
        folder = Path(name)
        shown = options.keep.resolve() if options.keep else folder / "shown"
        shown.mkdir(parents=True, exist_ok=True)
        _take(folder, shown)
        for path in _cut(shown):
            print(f"{path}: {path.stat().st_size // 1000} kB")
    return 0


def _take(folder: Path, shown: Path) -> None:
    steps = ("--python-exit-code", "9", "--python", GUI / "take_screenshots.py")
    status = RealBlender(folder).run(*steps, limit=_LIMIT, PAINTOVER_PICTURES=str(shown))
    if status:
        raise SystemExit(f"The steps in the window ended with {status}; see above.")


def _cut(shown: Path) -> list[Path]:
    """Cut the pictures of the window to those of the manual, and return these."""
    made = []
    for path in sorted(shown.glob("*.png")):
        name, *place = path.name.removesuffix(".png").split(".")
        whole = Image.open(path).convert("RGB")
        if name in WINDOWS:
            made.append(PICTURES / f"window-{name}.jpg")
            height = round(whole.height * WIDEST / whole.width)
            small = whole.resize((WIDEST, height), Image.Resampling.LANCZOS)
            small.save(made[-1], quality=QUALITY, optimize=True, progressive=True)
        if name in SIDEBARS:
            made.append(PICTURES / f"window-{name}-panel.png")
            left, top, width, high = map(int, place)
            panel = whole.crop((left, top, left + width, top + high))
            panel = panel.crop((0, 0, width, _end(panel)))
            panel.quantize(96, dither=Image.Dither.NONE).save(made[-1], optimize=True)
        if name not in WINDOWS and name not in SIDEBARS:
            print(f"{path.name}: not in the manual")
    large = [path.name for path in made if path.stat().st_size > LARGEST]
    if large:
        raise SystemExit(f"These pictures are larger than {LARGEST // 1000} kB: {', '.join(large)}")
    return made


def _end(panel: Image.Image) -> int:
    """Return where the viewport begins below the panel, which is dark gray from side to side."""
    for row in range(panel.height - 1, 0, -1):
        colours = np.asarray(panel.crop((16, row, panel.width - 60, row + 1)), int)
        if colours.max() < 110 and np.ptp(colours, axis=2).max() < 5:
            return min(panel.height, row + 8)
    return panel.height


if __name__ == "__main__":
    sys.exit(main())
