# SPDX-License-Identifier: GPL-3.0-or-later
"""The locks of the engine's packages agree with its requirements, and name a digest for each."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "requirements/locks").glob("*-*-*.txt"))
WHEELS: dict[str, Any] = json.loads((ROOT / "requirements/locks/wheels.json").read_text())
PIN = re.compile(r"^([\w.-]+)==([\w.+]+)(?: ; (.*?))? \\$")


def _pins(text: str) -> dict[tuple[str, str], list[str]]:
    """Return the digests of each name and version in a lock."""
    pins: dict[tuple[str, str], list[str]] = {}
    for entry in re.split(r"\n(?=\w)", text):
        first, *rest = entry.splitlines()
        found = PIN.match(first)
        if found:
            pins[_plain(found[1]), found[2]] = re.findall(r"sha256:([0-9a-f]{64})", "".join(rest))
    return pins


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _constraints() -> dict[str, set[str]]:
    pins: dict[str, set[str]] = {}
    for line in (ROOT / "requirements/constraints.txt").read_text().splitlines():
        if found := re.match(r"([\w.-]+)==([\w.]+)", line):
            pins.setdefault(_plain(found[1]), set()).add(found[2])
    return pins


def test_the_usual_builds_have_locks() -> None:
    names = {path.stem for path in LOCKS}
    assert {"linux-x64-cpu", "linux-x64-cu130", "linux-arm64-cpu"} <= names
    assert {"windows-x64-cpu", "windows-x64-cu130", "macos-arm64-metal"} <= names


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_lock_has_the_pinned_versions_with_digests(path: Path) -> None:
    text = path.read_text()
    pins = _pins(text)
    assert all(pins.values()), "an entry without a digest"
    constraints = _constraints()
    for name, version in pins:
        if name in constraints:
            assert version.partition("+")[0] in constraints[name], f"{name} {version}"
    wanted = (ROOT / "engine/requirements.txt").read_text()
    names = {_plain(re.split(r"[=<>]", line)[0]) for line in wanted.splitlines()}
    assert names <= {name for name, _ in pins}
    hosts = set(re.findall(r"https?://([^/\s]+)", text))
    assert hosts <= {"download.pytorch.org"}


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.stem)
def test_lock_and_wheels_agree(path: Path) -> None:
    build = WHEELS["builds"][path.stem]
    digests = {digest for found in _pins(path.read_text()).values() for digest in found}
    listed = {file for entry in build["pythons"].values() for file in entry["wheels"]}
    assert {WHEELS["files"][file]["sha256"] for file in listed} == digests
    for python, entry in build["pythons"].items():
        tag = f"cp{python.replace('.', '')}"
        assert all(re.search(rf"-({tag}|py3|py2\.py3|cp3\d+-abi3)-", f) for f in entry["wheels"])


def test_only_builds_for_graphics_cards_download_cuda() -> None:
    for name, build in WHEELS["builds"].items():
        files = [file for entry in build["pythons"].values() for file in entry["wheels"]]
        is_cpu = build["backend"] in ("cpu", "metal")
        assert build["disk"] > build["download"] > 200e6
        if is_cpu:
            assert not [file for file in files if re.match("nvidia|cuda|triton", file)], name
            assert build["download"] < 450e6
