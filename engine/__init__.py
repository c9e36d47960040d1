# SPDX-License-Identifier: GPL-3.0-or-later
"""Paintover's engine: learns a painting and paints every frame of a shot. Never imports bpy.

Importing this package imports nothing else, so Blender may import ``engine.shared.shot``,
``engine.shared.protocol`` and ``engine.shared.errors`` without loading PyTorch or NumPy.
"""

__version__ = "0.1.0"
