# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading and writing pictures and EXR layers, windows of pictures, and compiled loops."""
