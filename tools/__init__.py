# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-up, test runner and import rules of this repository."""
