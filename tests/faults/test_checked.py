# SPDX-License-Identifier: GPL-3.0-or-later
"""The checker: JSON data become what a type says, or a WrongDataError, whatever they are."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
from typing import Annotated, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.shared import protocol
from engine.shared.checked import (
    Frame,
    Length,
    OneOf,
    Pattern,
    Range,
    UnknownFieldError,
    WrongDataError,
    from_data,
    parse_json,
)
from engine.shared.errors import PaintoverError
from engine.shared.manifest import Manifest
from engine.shared.names import NAME, check_name, one_line
from engine.shared.out_records import OutRecord
from engine.shared.style_header import StyleHeader

quick = settings(max_examples=150, deadline=None, database=None, derandomize=True)

texts = st.text(st.characters(), max_size=12) | st.sampled_from(["\ud800", "a\nb", "\0", "../x"])
numbers = st.integers() | st.floats() | st.sampled_from([1 << 60, -1, 1e308, math.nan, math.inf])
values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@dataclasses.dataclass
class Inner:
    share: Annotated[float, Range(0, 1)]
    names: Annotated[list[str], Length(0, 2)] = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Whole:
    count: Annotated[int, Range(1, 9)]
    word: Annotated[str, Pattern("[a-z]{0,3}")] = ""
    kind: Annotated[str, OneOf(("png", "exr"))] = "png"
    inner: Inner | None = None
    curve: dict[Frame, float] = dataclasses.field(default_factory=dict)
    pairs: tuple[int, ...] = ()
    value: bool | int | float | str = 0
    free: dict[str, Any] = dataclasses.field(default_factory=dict)


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        ({"count": 1}, Whole(1)),
        ({"count": 2, "inner": {"share": 1}}, Whole(2, inner=Inner(1.0))),
        ({"count": 2, "curve": {"-3": 1, "7": 0.5}}, Whole(2, curve={-3: 1.0, 7: 0.5})),
        ({"count": 3, "pairs": [1, 2], "value": True}, Whole(3, pairs=(1, 2), value=True)),
        ({"count": 3, "free": {"a": [{"b": None}]}}, Whole(3, free={"a": [{"b": None}]})),
    ],
)
def test_what_fits_comes_back(data, whole):
    assert from_data(Whole, data) == whole


@pytest.mark.parametrize(
    "data",
    [
        *(None, [], "x", {}, {"count": 0}, {"count": 10}, {"count": True}, {"count": 1.0}),
        *({"count": 1, name: 1} for name in ("more", "word", "inner", "curve", "pairs", "free")),
        {"count": 1, "word": "abcd"},
        {"count": 1, "kind": "gif"},
        {"count": 1, "inner": {"share": 1.5}},
        {"count": 1, "inner": {"share": math.nan}},
        {"count": 1, "inner": {"share": 0, "names": ["a", "b", "c"]}},
        {"count": 1, "inner": {"share": 0, "names": ["\ud800"]}},
        *({"count": 1, "curve": {name: 1}} for name in ("one", "01", "1.0", "", "9" * 20, "-0")),
        {"count": 1, "value": math.inf},
        {"count": 1, "value": None},
        {"count": 1, "free": {"a": "\0"}},
        {"count": 1, "free": {"a": 1 << 60}},
    ],
)
def test_what_does_not_fit_is_refused(data):
    with pytest.raises(WrongDataError):
        from_data(Whole, data)


def test_an_unknown_field_is_named():
    with pytest.raises(UnknownFieldError) as error:
        from_data(Whole, {"count": 1, "inner": {"share": 1, "colour": 2}})
    assert error.value.name == "colour"


@quick
@given(values)
def test_any_data_are_whole_or_refused(data):
    for kind in (Manifest, StyleHeader, OutRecord, Whole, *protocol.REQUESTS.values()):
        try:
            found = from_data(kind, data)
        except WrongDataError:
            continue
        text = json.dumps(dataclasses.asdict(found), allow_nan=False, ensure_ascii=False)
        assert from_data(kind, parse_json(text.encode())) == found


@quick
@given(st.fixed_dictionaries({"count": st.integers(1, 9)}, optional={
    "word": texts, "kind": texts, "inner": values, "curve": values, "pairs": values,
    "value": values, "free": values,
}))  # fmt: skip
def test_nearly_right_data_are_whole_or_refused(data):
    try:
        found = from_data(Whole, data)
    except WrongDataError:
        return
    assert from_data(Whole, json.loads(json.dumps(dataclasses.asdict(found)))) == found


@quick
@given(st.binary(max_size=64) | texts)
def test_any_bytes_are_json_or_refused(data):
    with contextlib.suppress(ValueError):
        json.dumps(parse_json(data), allow_nan=True)


@pytest.mark.parametrize("text", ["[" * 10**6, '{"a":' * 10**6, "[" + "0," * 2_000_000 + "0]"])
def test_json_without_end_is_refused(text):
    with pytest.raises(ValueError, match=r"nested|many"):
        parse_json(text)


@quick
@given(texts)
def test_any_line_is_a_request_or_refused_in_one_line(line):
    with pytest.raises(PaintoverError) as error:
        protocol.decode_request(line)
    assert "\n" not in str(error.value)
    str(error.value).encode()


@quick
@given(st.text() | st.from_regex(NAME, fullmatch=True))
def test_a_name_stays_inside_its_folder_and_on_its_line(name):
    try:
        check_name(name, "style")
    except PaintoverError as error:
        assert "\n" not in str(error)
        return
    assert name == one_line(name) and not {"/", "\\", ":", "\0"} & set(name)
    assert name not in ("", ".", "..") and name.strip() == name and name[-1] != "."
