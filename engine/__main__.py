# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m engine VERB``: see ``python -m engine --help``."""

import os
import sys

# Threads of PyTorch that spin for long while they wait make it ten times slower where Blender
# computes beside; those that never spin make training half as fast where nothing does.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

from .app.cli import main

sys.exit(main())
