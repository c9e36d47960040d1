# SPDX-License-Identifier: GPL-3.0-or-later
"""Measurements: speed, memory and quality, as ratios within one run where possible."""
