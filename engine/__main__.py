# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m engine VERB``: see ``python -m engine --help``."""

import os
import sys

# Threads of PyTorch that wait by spinning make it ten times slower where Blender computes beside.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

from .cli import main

sys.exit(main())
