# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads from the network, as the system is set up for it, and the pages of package indexes."""

from __future__ import annotations

import dataclasses
import functools
import html.parser
import os
import ssl
import urllib.error
import urllib.parse
import urllib.request
from http.client import HTTPException
from pathlib import Path
from typing import Any

from ..engine import __version__
from ..engine.shared.checked import extensible, from_data, parse_json
from ..engine.shared.errors import PaintoverError
from . import builds, faults

PYPI = "https://pypi.org/simple"
PYTORCH = "https://download.pytorch.org/whl"
TIMEOUT = 60.0
"""Seconds without a byte after which a connection counts as broken."""
_MOST_PAGE = 64 << 20
_ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.5"
_CERTIFICATES = (
    *("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"),
    *("/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"),
)


def certificate_file() -> str:
    """Return a file of certificates where Python knows none by itself, else ""."""
    paths = ssl.get_default_verify_paths()
    if os.environ.get("SSL_CERT_FILE") or os.environ.get("SSL_CERT_DIR"):
        return ""
    if os.name == "nt" or paths.cafile or (paths.capath and any(Path(paths.capath).iterdir())):
        return ""
    return next((path for path in _CERTIFICATES if Path(path).is_file()), "")


def host_of(url: str) -> str:
    """Return the host of an address, for people."""
    return urllib.parse.urlsplit(url).hostname or url


def opened(url: str, headers: dict[str, str]) -> Any:
    """Open an address, through the system's proxy if it has one.

    Raises:
        OSError: or one of its subclasses in urllib, ssl and socket.
        HTTPException: the answer is none.
    """
    agent = {"User-Agent": f"paintover/{__version__}", **headers}
    if urllib.parse.urlsplit(url).scheme not in ("http", "https"):
        raise PaintoverError(f"{url} is no address of a package index; correct it.")
    context = ssl.create_default_context(cafile=certificate_file() or None)
    opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))
    return opener.open(urllib.request.Request(url, headers=agent), timeout=TIMEOUT)


@functools.lru_cache(maxsize=64)
def files_of(index: str, package: str) -> dict[str, builds.Wheel]:
    """Return the files of a package in an index, by their names.

    Raises:
        PaintoverError: the page cannot be read, or is none of an index.
    """
    url = f"{index.rstrip('/')}/{package}/"
    try:
        with opened(url, {"Accept": _ACCEPT}) as answer:
            kind = answer.headers.get("Content-Type", "")
            place = answer.geturl()
            data = answer.read(_MOST_PAGE)
    except (OSError, HTTPException) as error:
        raise faults.network_error(error, host_of(url)) from error
    found = _from_json(data, place) if "json" in kind else _from_html(data, place)
    if not found:
        raise PaintoverError(
            f"{host_of(place)} answered with something that is no package index; check the "
            "network: perhaps it asks you to log in first."
        )
    return {wheel.file: wheel for wheel in found}


@extensible
@dataclasses.dataclass(frozen=True)
class _Hashes:
    sha256: str = ""


@extensible
@dataclasses.dataclass(frozen=True)
class _File:
    filename: str
    url: str
    hashes: _Hashes = _Hashes()
    size: int | None = None


@extensible
@dataclasses.dataclass(frozen=True)
class _Page:
    """A page of a package index, as the Simple Repository API (PEP 691) has it."""

    files: list[_File]


def _from_json(data: bytes, place: str) -> list[builds.Wheel]:
    try:
        return [
            builds.Wheel(
                file.filename,
                file.hashes.sha256,
                file.size or 0,
                urllib.parse.urljoin(place, file.url),
            )
            for file in from_data(_Page, parse_json(data)).files
        ]
    except ValueError:
        return []


def _from_html(data: bytes, place: str) -> list[builds.Wheel]:
    reader = _Links()
    reader.feed(data.decode("utf-8", "replace"))
    found = []
    for link in reader.links:
        url, _, fragment = urllib.parse.urljoin(place, link).partition("#")
        file = urllib.parse.unquote(urllib.parse.urlsplit(url).path.rpartition("/")[2])
        digest = fragment.removeprefix("sha256=") if fragment.startswith("sha256=") else ""
        if file.endswith(".whl"):
            found.append(builds.Wheel(file, digest, 0, url))
    return found


class _Links(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.links += [value for name, value in attrs if (tag, name) == ("a", "href") and value]


def located(wheel: builds.Wheel, index: str) -> builds.Wheel:
    """Return a wheel with its address in an index.

    Raises:
        PaintoverError: the index does not have it, or cannot be read.
    """
    found = files_of(index, wheel.name).get(wheel.file)
    if found is None:
        raise faults.LastingError(
            f"{host_of(index)} does not have {wheel.file}; choose another build, or update the "
            "add-on."
        )
    return builds.Wheel(
        wheel.file, wheel.sha256 or found.sha256, wheel.bytes or found.bytes, found.url
    )
