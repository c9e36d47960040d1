# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes of a shot folder: names of their files, blank ones, and weights."""
