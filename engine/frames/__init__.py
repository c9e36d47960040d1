# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames and keyframes of a shot as checked and cleaned arrays."""
