# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m engine VERB``: see ``python -m engine --help``.

``python FOLDER/engine VERB`` does the same from any folder, without an installation; farms do so.
"""

import logging
import os
import sys
import threading

# OpenMP threads that spin for long while they wait make PyTorch ten times slower beside a busy
# Blender; threads that never spin halve the speed of training on an idle machine.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

# PyTorch would look for plug-ins for other devices in all installed packages.
os.environ.setdefault("TORCH_DEVICE_BACKEND_AUTOLOAD", "0")

if not __package__:
    # Of the folder around this package, nothing but the package is to be found.
    import importlib
    from pathlib import Path

    sys.path[0] = str(Path(__file__).resolve().parent.parent)
    __package__ = importlib.import_module("engine").__name__
    del sys.path[0]

try:
    from .app.cli import main
except KeyboardInterrupt:
    sys.exit(130)


def _end(code: int) -> None:
    """End the process with an exit code, without taking its modules apart.

    That takes half a second after PyTorch is loaded. Python ends as usual where threads still
    work, or where the output cannot be written.
    """
    try:
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        sys.exit(code)
    if any(
        not thread.daemon and thread is not threading.main_thread()
        for thread in threading.enumerate()
    ):
        sys.exit(code)
    os._exit(code)


_end(main())
