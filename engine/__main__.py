# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m engine VERB``: see ``python -m engine --help``."""

import os
import sys

# OpenMP threads that spin for long while they wait make PyTorch ten times slower beside a busy
# Blender; threads that never spin halve the speed of training on an idle machine.
if "OMP_WAIT_POLICY" not in os.environ:
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")

try:
    from .app.cli import main
except KeyboardInterrupt:
    sys.exit(130)

sys.exit(main())
