# SPDX-License-Identifier: GPL-3.0-or-later
"""Set-up of the engine: what is downloaded, from where, into which folder, and how it is checked.

``installation.py`` installs and repairs it, ``moving.py`` moves it, ``removal.py`` removes it,
``wheels_folder.py`` downloads it for other machines. ``status.py`` says what the panel shows,
``builds.py`` what there is to choose from. Only the standard library: Blender may lack the rest.
"""
