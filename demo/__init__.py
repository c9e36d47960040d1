# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: a scene of ours, painted by a script, through the installed add-on."""
