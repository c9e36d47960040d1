# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for Blender's program, as the bpy module has none: the arguments that farms use."""

from __future__ import annotations

import importlib
import os
import sys


def main(words: list[str]) -> int:
    """Run ``--background --addons NAME FILE.blend --command paintover ARGUMENT …``."""
    at = words.index("--command")
    before, which, after = words[:at], words[at + 1], words[at + 2 :]
    assert which == "paintover"
    assert {"-b", "--background"} & set(before)
    name = before[before.index("--addons") + 1]
    import bpy  # noqa: I001  (it makes addon_utils importable)
    import addon_utils

    addon_utils.enable(name)
    bpy.ops.wm.open_mainfile(filepath=before[-1])
    return importlib.import_module(f"{name}.command").main(after)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # Blender 4.5 hangs at times when it ends
