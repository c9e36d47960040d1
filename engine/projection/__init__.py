# SPDX-License-Identifier: GPL-3.0-or-later
"""Projection of the keyframes' paint into other frames."""
