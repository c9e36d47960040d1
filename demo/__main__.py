# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m demo``: all steps, from a scene to a painted shot in the compositor."""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def _size(text: str) -> tuple[int, int]:
    match = re.fullmatch(r"(\d+)[x×](\d+)", text)
    if (
        not match
        or int(match[1]) % 2
        or int(match[2]) % 2
        or min(int(match[1]), int(match[2])) < 64
    ):
        raise argparse.ArgumentTypeError(f"{text} is no size such as 480x270, even, 64 or more")
    return int(match[1]), int(match[2])


def _frames(text: str) -> int:
    if not text.isdecimal() or int(text) < 4:
        raise argparse.ArgumentTypeError(f"{text} is not a number of frames, 4 or more")
    return int(text)


def main() -> int:
    """Parse the options and run the demo in Blender with an empty user folder."""
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Render a small shot, paint a frame of it, and let Paintover do the others.",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, default=ROOT / "demo/out")
    parser.add_argument("--frames", metavar="N", type=_frames, help="default: 28")
    parser.add_argument("--size", metavar="WxH", type=_size, help="default: 480x270")
    parser.add_argument("--seconds", metavar="S", type=float, help="training time; default: 60")
    parser.add_argument("--short", action="store_true", help="small and quick, to see that it runs")
    parser.add_argument(
        "--scene", action="store_true", help="only make the scene, to go through the steps yourself"
    )
    options = parser.parse_args()
    usual = (6, (240, 136), 15.0) if options.short else (28, (480, 270), 60.0)
    with tempfile.TemporaryDirectory(prefix="paintover-demo-") as user_folder:
        os.environ["BLENDER_USER_RESOURCES"] = user_folder
        os.environ.setdefault("PAINTOVER_ENGINE_PYTHON", sys.executable)
        # bpy reads the user folder when it is imported.
        from .demo import Demo, DemoError  # noqa: PLC0415

        try:
            demo = Demo(
                options.out.resolve(),
                frames=options.frames or usual[0],
                size=options.size or usual[1],
                seconds=options.seconds or usual[2],
            )
            demo.make_scene() if options.scene else demo.run()
        except DemoError as error:
            print(f"\nThe demo stopped: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
