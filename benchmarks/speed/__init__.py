# SPDX-License-Identifier: GPL-3.0-or-later
"""How fast Paintover is and what memory it takes, beside the published network in the same run."""
