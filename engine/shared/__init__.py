# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules that the engine and Blender share; they need the standard library alone."""
