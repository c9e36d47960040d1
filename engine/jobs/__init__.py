# SPDX-License-Identifier: GPL-3.0-or-later
"""Jobs, one a module: import, train, stylize, preview."""
