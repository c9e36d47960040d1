# SPDX-License-Identifier: GPL-3.0-or-later
"""Measures how fast a live session answers, and how good what it learns is."""
