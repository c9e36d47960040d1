# SPDX-License-Identifier: GPL-3.0-or-later
"""The live session: the engine learns while the artist paints, and shows what it has learnt."""
