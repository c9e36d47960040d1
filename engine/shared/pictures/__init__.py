# SPDX-License-Identifier: GPL-3.0-or-later
"""Picture files: their kinds, digests, colour tags, and the frame numbers in their names."""
