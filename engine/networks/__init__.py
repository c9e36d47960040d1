# SPDX-License-Identifier: GPL-3.0-or-later
"""Networks, their devices and their style files."""
