# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion between frames: optical flow, tracking, the filter over time."""
