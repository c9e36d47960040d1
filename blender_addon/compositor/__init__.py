# SPDX-License-Identifier: GPL-3.0-or-later
"""The compositor's node group and the sequences that feed it."""
