# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo: renders a scene, paints it by a script, and runs all steps of the installed add-on."""
