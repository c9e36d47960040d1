# SPDX-License-Identifier: GPL-3.0-or-later
"""Training a network on the keyframes of a shot."""
