# SPDX-License-Identifier: GPL-3.0-or-later
"""How good the pictures are: shots whose right painting is known on every frame, and scores."""
