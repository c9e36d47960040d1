# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of the trainings of a style: their curves, and the styles they have written."""
