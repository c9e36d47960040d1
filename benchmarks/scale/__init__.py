# SPDX-License-Identifier: GPL-3.0-or-later
"""What long shots and many machines cost."""
