# SPDX-License-Identifier: GPL-3.0-or-later
"""Colour spaces: what picture files say of their colours, and conversion to sRGB."""
