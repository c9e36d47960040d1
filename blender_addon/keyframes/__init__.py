# SPDX-License-Identifier: GPL-3.0-or-later
"""Keyframes: their pictures, their weights, and showing them."""
