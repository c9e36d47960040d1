# SPDX-License-Identifier: GPL-3.0-or-later
"""The site of the manual loads nothing from elsewhere, and its tool is pinned with digests."""

from __future__ import annotations

import re

from tools import manual


def test_what_a_page_would_load_from_elsewhere_is_found():
    page = """<link rel="stylesheet" href="//fonts.example/a.css"><link rel="icon" href="i.svg">
    <link rel="canonical" href="https://example.com/"><script src="https://x.example/a.js"></script>
    <img src="pictures/a.png"><img src="data:image/png;base64,AA//"><a href="https://b.example">b</a>
    """
    found = manual.loaded_from_elsewhere(page)
    assert found == ["//fonts.example/a.css", "https://x.example/a.js"]


def test_the_site_generator_is_pinned_with_digests():
    text = (manual.ROOT / "requirements/manual.txt").read_text()
    entries = re.split(r"\n(?=\w)", text.strip())[1:]
    assert len(entries) > 20
    assert all("==" in one and "--hash=sha256:" in one for one in entries)
    (wanted,) = (manual.ROOT / "requirements/manual.in").read_text().split()
    assert any(one.startswith(wanted + " ") for one in entries)


def test_the_theme_takes_no_fonts_from_elsewhere():
    settings = (manual.ROOT / "mkdocs.yml").read_text()
    assert "  font: false" in settings
    assert "iframe-worker" in settings
