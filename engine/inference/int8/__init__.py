# SPDX-License-Identifier: GPL-3.0-or-later
"""The gated network in 8-bit integers, for CPUs where that is faster."""
