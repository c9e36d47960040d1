# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames and keyframes of a shot, read as checked and cleaned arrays."""
