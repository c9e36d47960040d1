# SPDX-License-Identifier: GPL-3.0-or-later
"""Paint of the keyframes, carried to other frames."""
