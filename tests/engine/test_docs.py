# SPDX-License-Identifier: GPL-3.0-or-later
"""The pages name files that exist, link to pages that exist, and are in the site of the manual."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
SOURCES = ("engine", "blender_addon", "benchmarks", "demo", "scenes", "tools", "tests")
NAMED = re.compile(r"`([\w/]+\.py)`")
LINKED = re.compile(r"\]\(([^)#:]+)(?:#[^)]*)?\)")
PLACEHOLDER = "NAME"


@pytest.fixture(scope="module")
def files() -> list[str]:
    """Every source file, from the project's root, with a slash before it."""
    found = [ROOT / "build_addon.py"]
    for folder in SOURCES:
        found += (ROOT / folder).rglob("*.py")
    return [f"/{path.relative_to(ROOT).as_posix()}" for path in found]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_files_that_a_page_names_exist(page: Path, files: list[str]) -> None:
    named = {name for name in NAMED.findall(page.read_text("utf-8")) if PLACEHOLDER not in name}
    assert not [name for name in named if not any(file.endswith(f"/{name}") for file in files)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_pages_that_a_page_links_to_exist(page: Path) -> None:
    linked = LINKED.findall(page.read_text("utf-8"))
    assert not [link for link in linked if not (page.parent / link).exists()]


def test_pages_of_the_site_link_to_nothing_outside_of_docs() -> None:
    outside = {
        f"{page.name}: {link}"
        for page in PAGES[1:]
        for link in LINKED.findall(page.read_text("utf-8"))
        if link.startswith("..")
    }
    assert not outside, "name the file in `code` instead of a link"


def test_the_architecture_names_every_package() -> None:
    text = (ROOT / "docs/architecture.md").read_text("utf-8")
    packages = {path.parent.name for path in (ROOT / "engine").glob("*/__init__.py")}
    assert not [name for name in packages if f"\n {name} " not in text or f"**{name}**" not in text]
    folders = {path.parent.name for path in (ROOT / "blender_addon").glob("*/__init__.py")}
    assert not [name for name in folders if f"\n {name} " not in text]


def test_every_page_is_in_the_navigation_of_the_site() -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))
    listed = list(_pages(settings["nav"]))
    assert len(listed) == len(set(listed))
    assert set(listed) == {path.name for path in (ROOT / "docs").glob("*.md")}, (
        "name each page of docs/ once under nav in mkdocs.yml"
    )


def _pages(entries: list[dict[str, Any]]) -> Iterator[str]:
    for entry in entries:
        for target in entry.values():
            if isinstance(target, str):
                yield target
            else:
                yield from _pages(target)
