# SPDX-License-Identifier: GPL-3.0-or-later
"""Paintover's engine: trains on paintings and stylizes the frames of a shot. Never imports bpy.

Importing this package loads nothing else, so Blender can import ``engine.shared`` without PyTorch
or NumPy. ``tools/house.py`` defines which package may import which.
"""

__version__ = "0.1.0"
