# SPDX-License-Identifier: GPL-3.0-or-later
"""Guides: the channels of the network's input, computed from a frame."""
