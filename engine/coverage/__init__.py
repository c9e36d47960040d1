# SPDX-License-Identifier: GPL-3.0-or-later
"""How much of a shot its paintings show: cells of all frames, and which frames see them."""
