# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine's process: its Python environment, the client, and live pictures."""
