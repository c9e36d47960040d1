# SPDX-License-Identifier: GPL-3.0-or-later
"""Paintover's engine: learns a painting and paints every frame of a shot. Never imports bpy.

Importing this package imports nothing else, so Blender may import ``engine.shared`` without loading
PyTorch or NumPy. Which package may import which stands in ``tools/house.py``.
"""

__version__ = "0.1.0"
