# SPDX-License-Identifier: GPL-3.0-or-later
"""A session that learns while the artist paints, and shows frames at once."""
