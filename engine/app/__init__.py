# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line, and the worker process for Blender."""
