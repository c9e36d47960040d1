# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds the manual in ``docs/`` as a static site with search: ``dist/manual/index.html``.

    .venv/bin/python -m tools.manual [--serve]

Broken links, missing anchors and pages that are not in the navigation of ``mkdocs.yml`` are errors,
and so is a page that would load anything from elsewhere when it is opened. ``--serve`` shows the
manual at an address of this machine and builds it again when a page is saved. MkDocs lives in an
environment of its own, ``.venv-manual``, from ``requirements/manual.txt``.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

from .side_environments import SideEnvironment

ROOT = Path(__file__).resolve().parent.parent
SITE = ROOT / "dist/manual"
_MKDOCS = SideEnvironment(ROOT / ".venv-manual", ROOT / "requirements/manual.txt")
_LOADING = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src"}
_LOADING_LINKS = {"stylesheet", "preload", "icon", "preconnect", "dns-prefetch", "manifest"}


class _Loads(HTMLParser):
    """Collects the addresses that a browser asks for when it opens a page."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag loads."""
        values = dict(attrs)
        if tag == "link" and values.get("rel") in _LOADING_LINKS:
            self.addresses.append(values.get("href") or "")
        elif tag in _LOADING:
            self.addresses.append(values.get(_LOADING[tag]) or "")


def loaded_from_elsewhere(page: str) -> list[str]:
    """Return the addresses on other machines that a page of HTML loads by itself."""
    parser = _Loads()
    parser.feed(page)
    return [one for one in parser.addresses if "//" in one and not one.startswith("data:")]


def main() -> int:
    """Build or serve the manual; 1 if it has an error."""
    parser = argparse.ArgumentParser(prog="python -m tools.manual", description=__doc__)
    parser.add_argument("--serve", action="store_true", help="serve it, and build after changes")
    options = parser.parse_args()
    _MKDOCS.make()
    words = ["serve"] if options.serve else ["build", "--quiet", "--clean"]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    program = [_MKDOCS.program("mkdocs"), *words, "--strict"]
    done = subprocess.run(program, cwd=ROOT, env=environment, check=False)
    if done.returncode or options.serve:
        return done.returncode
    pages = sorted(SITE.rglob("*.html"))
    wrong = [
        f"manual: {page.relative_to(SITE)} loads {address}"
        for page in pages
        for address in loaded_from_elsewhere(page.read_text("utf-8"))
    ]
    print("\n".join([*wrong, f"{SITE / 'index.html'}: {len(pages)} pages"]))
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
