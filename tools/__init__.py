# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-up, tests and rules of this repository."""
