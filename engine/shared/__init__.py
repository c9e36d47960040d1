# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of the engine that Blender imports too: standard library only."""
