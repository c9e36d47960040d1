# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements on a machine that has a CUDA GPU for minutes, and no Blender and no network."""
