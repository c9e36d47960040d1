# SPDX-License-Identifier: GPL-3.0-or-later
"""Patch synthesis: draws parts of a picture from pieces of a painting."""
