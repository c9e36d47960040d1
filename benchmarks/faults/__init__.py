# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults: killed processes, full disks, crafted files, links, several writers."""
