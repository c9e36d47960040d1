# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages in an environment: which there are, and whether their files are as installed."""

from __future__ import annotations

import base64
import csv
import hashlib
import shutil
from pathlib import Path

from .builds import plain_name


def installed(site: Path) -> dict[str, str]:
    """Return the version of each package in a folder of packages."""
    found = {}
    for folder in site.glob("*.dist-info"):
        name, _, version = folder.name.removesuffix(".dist-info").rpartition("-")
        if (folder / "RECORD").is_file():
            found[plain_name(name)] = version
    return found


def damaged(site: Path) -> set[str]:
    """Return the packages of which a file is missing or changed. Reads all files."""
    return {
        plain_name(folder.name.removesuffix(".dist-info").rpartition("-")[0])
        for folder in site.glob("*.dist-info")
        if not _is_whole(site, folder)
    }


def _is_whole(site: Path, folder: Path) -> bool:
    try:
        with (folder / "RECORD").open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        return all(_is_as_recorded(site / path, digest, size) for path, digest, size, *_ in rows)
    except (OSError, ValueError):
        return False


def _is_as_recorded(path: Path, digest: str, size: str) -> bool:
    if not digest:
        return True
    if path.stat().st_size != int(size or -1):
        return False
    kind, _, value = digest.partition("=")
    with path.open("rb") as content:
        found = hashlib.file_digest(content, kind).digest()
    return base64.urlsafe_b64encode(found).decode().rstrip("=") == value


def forget(site: Path, names: set[str]) -> None:
    """Delete the records of packages, so that they count as not installed."""
    for folder in site.glob("*.dist-info"):
        if plain_name(folder.name.removesuffix(".dist-info").rpartition("-")[0]) in names:
            shutil.rmtree(folder, ignore_errors=True)
