# SPDX-License-Identifier: GPL-3.0-or-later
"""The stylized frames in the scene's compositor: sent there, kept current, and removed again."""

from .compositing import compose, refresh, remove
from .status import needs_override, node, state

__all__ = ["compose", "needs_override", "node", "refresh", "remove", "state"]
