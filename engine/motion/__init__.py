# SPDX-License-Identifier: GPL-3.0-or-later
"""Motion between frames: optical flow, tracking of keyframes, temporal filter."""
