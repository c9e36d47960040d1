# SPDX-License-Identifier: GPL-3.0-or-later
"""The manual's page of all settings says what the code says."""

from __future__ import annotations

from tools import settings_page


def test_the_page_of_settings_is_up_to_date(addon):
    written = settings_page.PAGE.read_text("utf-8").strip().splitlines()
    current = settings_page.text().strip().splitlines()
    assert written == current, "run: make settings-page"


def test_settings_and_operators_are_told_with_default_and_range(addon):
    lines = settings_page.text().splitlines()
    (seconds,) = (line for line in lines if line.endswith("| `seconds` |"))
    assert "**Training Time**" in seconds and "| 60 | 1 or more |" in seconds
    (rate,) = (line for line in lines if line.startswith("| `--rate` |"))
    assert rate.endswith("| 0.002 | 0.0003 | 0.000001 to 0.1 |")
    (weight,) = (line for line in lines if line.endswith("| `keyframes[…].weight` |"))
    assert "| 1 | 0 to 1 |" in weight
    (stylize,) = (line for line in lines if "| `stylize` |" in line)
    assert "`force`:" in stylize and "usually off" in stylize
    assert not [line for line in lines if "| `live_press` |" in line]
