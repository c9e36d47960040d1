# SPDX-License-Identifier: GPL-3.0-or-later
"""Painting frames with a trained network."""
