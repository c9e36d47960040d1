# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes and parts of scenes that the demo and the benchmarks share."""
