# SPDX-License-Identifier: GPL-3.0-or-later
"""Stylizing one frame after another with a trained network."""
