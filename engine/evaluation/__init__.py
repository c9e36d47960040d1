# SPDX-License-Identifier: GPL-3.0-or-later
"""Measuring results: scores against the right pictures, and flicker."""
