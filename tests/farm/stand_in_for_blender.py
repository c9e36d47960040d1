# SPDX-License-Identifier: GPL-3.0-or-later
"""Stands for Blender's program, as the bpy module has none: the arguments that farms use."""

from __future__ import annotations

import importlib
import os
import sys


def main() -> int:
    """Run ``--background --addons NAME FILE.blend --command paintover ARGUMENT …``."""
    background, addons, name, blend, command, which, *words = sys.argv[1:]
    assert (background, addons, command) == ("--background", "--addons", "--command")
    import bpy  # noqa: I001  (it makes addon_utils importable)
    import addon_utils

    addon_utils.enable(name)
    bpy.ops.wm.open_mainfile(filepath=blend)
    assert which == "paintover"
    return importlib.import_module(f"{name}.command").main(words)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # Blender 4.5 hangs at times when it ends
