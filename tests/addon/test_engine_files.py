# SPDX-License-Identifier: GPL-3.0-or-later
"""What is known of the engine is read like any file of a stranger: checked, within bounds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from setup_index import Setup, needs_uv

pytestmark = needs_uv
DEEP = "[" * 100_000
VALUES = ["7", "null", "[]", "{}", '"\\ud800"', '"a\\u0000b"', "1e999", "NaN", DEEP]
"""None of them is right where a text, a number and an object are expected."""


def spoilt(data: Any) -> list[str]:
    """JSON that is cut off, with another value in each field, or without it."""
    text = json.dumps(data)
    found = [text[: len(text) // 2], "", DEEP]
    for name in data:
        found += [json.dumps({**data, name: "@"}).replace('"@"', value) for value in VALUES]
        found.append(json.dumps({key: value for key, value in data.items() if key != name}))
    return found


def test_damaged_records_are_none(setup: Setup, quick_check: list[str]) -> None:
    setup.install()
    path = setup.places.folder() / "engine.json"
    good = path.read_text()
    data = json.loads(good)
    for text in spoilt({name: data[name] for name in ("build", "python", "check")}):
        path.write_text(text)
        assert setup.record.installed() is None, text[:100]
    path.write_text(json.dumps({**data, "of_a_later_version": 1}))
    assert setup.record.installed().build == data["build"]
    path.write_text(good)
    assert setup.status.look().kind is setup.status.Kind.READY


def test_a_damaged_check_counts_for_nothing(setup: Setup) -> None:
    python = setup.folder / "python"
    python.write_text("")
    check = setup.record.Check("CPU", 20.5)
    setup.record.write_check(python, check)
    path = setup.places.usual_folder() / "checks.json"
    assert setup.record.check_of(python) == check
    entry = json.loads(path.read_text())[str(python)]
    for text in spoilt(entry):
        path.write_text(json.dumps({str(python): "@"}).replace('"@"', text))
        assert setup.record.check_of(python) is None, text[:100]
    setup.record.write_check(python, check)
    assert setup.record.check_of(python) == check


def test_a_damaged_pointer_leads_to_the_usual_folder(setup: Setup, tmp_path: Path) -> None:
    setup.places.choose(tmp_path / "elsewhere")
    path = setup.places.usual_folder() / "location.json"
    good = path.read_text()
    for text in spoilt(json.loads(good)):
        path.write_text(text)
        assert setup.places.folder() == setup.places.usual_folder(), text[:100]
    path.write_text(good)
    assert setup.places.folder() == tmp_path / "elsewhere"


@pytest.mark.parametrize("index", ["simple", "whl"])
@pytest.mark.parametrize(
    "page",
    [
        *("[]", '{"files": 1}', '{"files": [{"url": "a.whl"}]}', f'{{"files": {DEEP}', ""),
        "<html><title>Log in</title><a href='/login'>Log in</a></html>",
        '{"files": [{"filename": "torch.whl", "url": 1}]}',
        '{"files": [{"filename": "torch.whl", "url": "a", "size": 1e999}]}',
    ],
)
def test_a_page_that_is_no_index_is_refused(
    setup: Setup,
    part: Callable[[str], Any],
    monkeypatch: pytest.MonkeyPatch,
    index: str,
    page: str,
) -> None:
    preferences = part("engine_process.environment").preferences()
    preferences.torch_index = f"{setup.server.address}/{index}"
    monkeypatch.setattr(setup.server, "page", lambda *_, **__: page.encode())
    setup.fails("answered with something that is no package index; check the network")


def test_a_page_with_more_than_is_needed_is_read(setup: Setup, part: Callable[[str], Any]) -> None:
    page = {
        "meta": {"api-version": "1.1", "_last-serial": 1},
        "files": [
            {
                "filename": "a-1.0-py3-none-any.whl",
                "url": "../../a.whl",
                "hashes": {"sha256": "0f", "md5": "1"},
                "size": 12,
                "yanked": False,
                "core-metadata": {"sha256": "00"},
            },
            {"filename": "a-2.0.tar.gz", "url": "https://other.test/a", "hashes": {}},
        ],
    }
    data = json.dumps(page).encode()
    first, second = part("engine_setup.web")._from_json(data, "https://index.test/simple/a/")
    assert (first.sha256, first.bytes, first.url) == ("0f", 12, "https://index.test/a.whl")
    assert (second.sha256, second.bytes, second.url) == ("", 0, "https://other.test/a")
