# SPDX-License-Identifier: GPL-3.0-or-later
"""Bills of materials name every package with a digest; an audit says what it could not ask."""

from __future__ import annotations

import re

import pytest

from tools import audit


def test_all_packages_of_all_locks_are_audited():
    found = audit.packages(audit.locks())
    names = {audit.plain(one.partition("==")[0]) for one in found}
    wanted = (audit.ROOT / "engine/requirements.txt").read_text()
    assert {audit.plain(name) for name in re.findall(r"^[\w.-]+", wanted, re.M)} <= names
    assert not [one for one in found if "+" in one]
    assert len(audit.locks()) >= 6


def test_the_tools_are_pinned_with_digests():
    entries = re.split(r"\n(?=\w)", audit.TOOLS.read_text().strip())[1:]
    assert len(entries) > 20
    assert all("==" in one and "--hash=sha256:" in one for one in entries)
    pinned = {one.partition("==")[0] for one in entries}
    assert {"cyclonedx-bom", "pip-audit"} <= pinned


def test_a_bill_gets_digests_and_licenses(tmp_path):
    (tmp_path / "a.zip").write_bytes(b"zip")
    link = {"url": "https://index/a", "hashes": [{"alg": "SHA-256", "content": "ab"}]}
    bill = {
        "metadata": {"component": {"name": "paintover"}},
        "components": [{"name": "OpenImageIO", "externalReferences": [link, link]}],
    }
    done = audit.complete(bill, {"openimageio": [{"license": {"id": "MIT"}}]}, tmp_path / "a.zip")
    (one,) = done["components"]
    assert one["hashes"] == [{"alg": "SHA-256", "content": "ab"}]
    assert one["licenses"] and "externalReferences" not in one
    assert len(done["metadata"]["component"]["hashes"][0]["content"]) == 64
    bill["components"] = [{"name": "unhashed"}]
    with pytest.raises(SystemExit, match="unhashed has no digest"):
        audit.complete(bill, {}, tmp_path / "a.zip")


def test_what_could_not_be_audited_is_said():
    safe = {"name": "a", "version": "1", "vulns": []}
    skipped = {"name": "b", "skip_reason": "not found"}
    unsafe = {"name": "c", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
    for report in (None, {"dependencies": []}, {"dependencies": [skipped]}):
        words, is_vulnerable = audit.told(report)
        assert words.startswith("NOT AUDITED") and not is_vulnerable
    words, is_vulnerable = audit.told({"dependencies": [safe, skipped]})
    assert words.startswith("Audited 1 packages.\nNOT AUDITED") and not is_vulnerable
    words, is_vulnerable = audit.told({"dependencies": [safe, unsafe]})
    assert "c 2: CVE-1, fixed in 3." in words and is_vulnerable
