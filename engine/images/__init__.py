# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures and EXR layers: reading, writing, windows of them, compiled loops."""
