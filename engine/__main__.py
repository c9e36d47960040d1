# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m engine VERB``: see ``python -m engine --help``."""

import sys

from .cli import main

sys.exit(main())
