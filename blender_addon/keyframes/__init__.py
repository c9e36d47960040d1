# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes: their images, their weights, and the Image Editor."""
