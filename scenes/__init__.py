# SPDX-License-Identifier: GPL-3.0-or-later
"""Meshes and materials shared by the scenes of the demo and of the benchmarks."""
