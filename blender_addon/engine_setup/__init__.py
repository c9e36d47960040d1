# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-up of the engine: what is downloaded, from where, into which folder, and how it is checked.

``installation.py`` does it, ``status.py`` says what the panel shows, ``builds.py`` what there is to
choose from. Only the standard library: Blender may lack the rest.
"""
