# SPDX-License-Identifier: GPL-3.0-or-later
"""Watching a training: its curve in the panel, and its large picture in an Image Editor."""
