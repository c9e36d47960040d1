# SPDX-License-Identifier: GPL-3.0-or-later
"""What is not done, up to date or out of date."""

from __future__ import annotations

import dataclasses
import json
import struct

import pytest
import shots
import synthetic

from engine.shared import expected_records
from engine.shared.errors import PaintoverError
from engine.shared.files import digest_bytes, digest_file, write_bytes
from engine.shared.freshness import (
    Step,
    expected_out_record,
    out_state,
    stale_out_frames,
    style_state,
)
from engine.shared.keyframes.weights import set_weights
from engine.shared.shot import Shot
from engine.shared.style_header import METADATA_KEY, StyleHeader, read_style_header


def write_style(shot: Shot, name: str = "ink", **changes: object) -> StyleHeader:
    trained_on = {frame: shot.key_digest(frame) for frame in shot.key_frames()}
    header = StyleHeader("fast", ["colour"], 3, trained_on, steps=10)
    for field, value in changes.items():
        setattr(header, field, value)
    text = json.dumps({"__metadata__": header.to_metadata()}).encode()
    write_bytes(shot.style_path(name), struct.pack("<Q", len(text)) + text)
    return header


def stylize(shot: Shot, header: StyleHeader, frames: list[int]) -> None:
    for frame in frames:
        path = shot.out_path("ink", frame)
        write_bytes(path, b"picture")
        shot.write_out_record(
            "ink", frame, expected_out_record(shot, "ink", header, frame, path.name, "png 8")
        )


def test_a_style_is_out_of_date_once_its_paintings_change(painted_shot):
    assert style_state(painted_shot, "ink").step is Step.NOTHING
    write_style(painted_shot)
    assert style_state(painted_shot, "ink").step is Step.UP_TO_DATE
    synthetic.paint(painted_shot, 3)
    assert style_state(painted_shot, "ink").step is Step.OUT_OF_DATE
    write_style(painted_shot)
    assert style_state(painted_shot, "ink").step is Step.UP_TO_DATE
    synthetic.paint(painted_shot, 3, alpha=False)
    state = style_state(painted_shot, "ink")
    assert state.step is Step.OUT_OF_DATE
    assert "Keyframe 3" in state.why


def test_a_mask_and_a_captured_frame_count_too(painted_shot):
    write_style(painted_shot)
    write_bytes(painted_shot.key_mask_path(2), b"mask")
    assert style_state(painted_shot, "ink").step is Step.OUT_OF_DATE
    write_style(painted_shot)
    write_bytes(painted_shot.passes_path(2), b"rendered again")
    assert style_state(painted_shot, "ink").step is Step.OUT_OF_DATE


def test_what_has_changed_is_said(painted_shot):
    paintings = {2: painted_shot.painting_digest(2)}
    header = write_style(painted_shot, paintings=paintings)
    assert read_style_header(painted_shot.style_path("ink")) == header
    write_bytes(painted_shot.passes_path(2), b"rendered again")
    assert style_state(painted_shot, "ink").why == "The frame of keyframe 2 has changed since"
    write_bytes(painted_shot.key_mask_path(2), b"mask")
    assert style_state(painted_shot, "ink").why == "Keyframe 2 has changed since"


def test_frames_are_out_of_date_one_by_one(painted_shot):
    header = write_style(painted_shot)
    assert out_state(painted_shot, "ink").step is Step.NOTHING
    stylize(painted_shot, header, [1, 2, 3])
    assert out_state(painted_shot, "ink").step is Step.UP_TO_DATE
    write_bytes(painted_shot.passes_path(3), b"rendered again")
    assert stale_out_frames(painted_shot, "ink", [1, 2, 3]) == [3]
    assert out_state(painted_shot, "ink").why == "1 of 3 frames to do"
    painted_shot.out_path("ink", 1).unlink()
    assert stale_out_frames(painted_shot, "ink", [1, 2, 3]) == [1, 3]


def test_without_surface_frames_depend_on_those_on_the_way_to_each_keyframe(tmp_path):
    shot = synthetic.make_shot(tmp_path / "shot", frames=5)
    synthetic.paint(shot, 2)
    for passes, stale in ((shot.manifest.passes, [4]), ({"motion": "Vector"}, [4, 5])):
        shot.manifest.passes = passes
        record = shot.manifest.frames[4].image
        stylize(shot, write_style(shot, guides=["colour", "projection"]), shot.frames)
        write_bytes(shot.image_path(4), record.encode() + bytes(len(passes)))
        shot.manifest.frames[4].image = digest_file(shot.image_path(4))
        assert stale_out_frames(shot, "ink", shot.frames) == stale


def test_another_training_makes_all_frames_out_of_date(painted_shot):
    stylize(painted_shot, write_style(painted_shot), [1, 2, 3])
    write_style(painted_shot, steps=11)
    assert stale_out_frames(painted_shot, "ink", [1, 2, 3]) == [1, 2, 3]


def test_another_light_counts_where_paint_is_carried_along(painted_shot):
    stylize(painted_shot, write_style(painted_shot, guides=["colour", "projection"]), [1, 2, 3])
    assert out_state(painted_shot, "ink", 0.5).step is Step.UP_TO_DATE
    assert out_state(painted_shot, "ink", 0.2).why == "3 of 3 frames to do"
    stylize(painted_shot, write_style(painted_shot), [1, 2, 3])
    assert out_state(painted_shot, "ink", 0.2).step is Step.UP_TO_DATE


def test_a_weight_counts_only_at_the_frames_where_it_changes(painted_shot):
    header = write_style(painted_shot, guides=["colour", "projection"])
    stylize(painted_shot, header, [1, 2, 3])
    set_weights(painted_shot, {2: {1: 1.0, 2: 1.0, 3: 0.5}})
    assert stale_out_frames(painted_shot, "ink", [1, 2, 3]) == [3]
    stylize(painted_shot, header, [3])
    set_weights(painted_shot, {2: {1: 0.5, 2: 1.0, 3: 0.5}, 9: {1: 0.0}})
    assert stale_out_frames(painted_shot, "ink", [1, 2, 3]) == [1]
    write_style(painted_shot)
    stylize(painted_shot, read_style_header(painted_shot.style_path("ink")), [1, 2, 3])
    set_weights(painted_shot, {2: {1: 0.0}})
    assert stale_out_frames(painted_shot, "ink", [1, 2, 3]) == []


def test_a_painting_that_changes_makes_all_frames_out_of_date(painted_shot):
    stylize(painted_shot, write_style(painted_shot), [1, 2, 3])
    synthetic.paint(painted_shot, 2, alpha=False)
    assert stale_out_frames(painted_shot, "ink", [1, 2, 3]) == [1, 2, 3]


@pytest.mark.parametrize("size", [0, 4, 12, 60])
def test_truncated_styles_are_sentences(painted_shot, size):
    write_style(painted_shot)
    path = painted_shot.style_path("ink")
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(PaintoverError, match=r"ink\.safetensors is damaged"):
        read_style_header(path)
    state = style_state(painted_shot, "ink")
    assert state.step is Step.OUT_OF_DATE
    assert "damaged" in state.why


def test_styles_of_nonsense_are_sentences(painted_shot):
    path = painted_shot.style_path("ink")
    for metadata in ({}, {METADATA_KEY: "[]"}, {METADATA_KEY: '{"version": 1}'}):
        text = json.dumps({"__metadata__": metadata}).encode()
        write_bytes(path, struct.pack("<Q", len(text)) + text)
        with pytest.raises(PaintoverError, match="damaged or not a Paintover style"):
            read_style_header(path)
    write_style(painted_shot, version=99)
    with pytest.raises(PaintoverError, match="later Paintover"):
        read_style_header(path)
    with pytest.raises(PaintoverError, match="There is no style"):
        read_style_header(painted_shot.style_path("none"))


def test_the_header_comes_back_whole(painted_shot):
    header = write_style(painted_shot, curve=[[1, 0.5, 0.2, 0.3]], settings={"seed": 4})
    assert read_style_header(painted_shot.style_path("ink")) == header


@pytest.mark.parametrize("guide, keys", [("projection", (3, 7)), ("gaussians", (4, 8))])
@pytest.mark.parametrize("radius", [0, 2])
def test_a_frame_depends_on_those_between_it_and_the_keyframes(tmp_path, guide, keys, radius):
    shot = shots.make_shot(tmp_path / "shot", frames=10, keys=keys)
    header = write_style(
        shot,
        guides=[guide],
        trained_on={key: shot.key_digest(key) for key in keys},
        settings={"filter": radius},
    )
    starts = keys if guide == "projection" else keys[:1]
    stylize(shot, header, shot.frames)
    assert stale_out_frames(shot, "ink", shot.frames) == []
    for changed in shot.frames:
        before = shot.manifest.frames[changed]
        shot.manifest.frames[changed] = dataclasses.replace(before, image="another")
        stale = {
            frame
            for frame in shot.frames
            if min(*starts, frame) <= changed <= max(*starts, frame)
            or any(abs(changed - middle) <= radius > 0 for middle in (frame, *keys))
        }
        assert set(stale_out_frames(shot, "ink", shot.frames)) == stale
        shot.manifest.frames[changed] = before


def test_the_state_of_a_long_shot_costs_as_much_as_it_has_frames(tmp_path, monkeypatch):
    costs = []
    for count in (30, 120):
        shot = shots.make_shot(tmp_path / str(count), frames=count)
        header = write_style(
            shot, guides=["projection"], trained_on={1: shot.key_digest(1)}, settings={}
        )
        stylize(shot, header, shot.frames)
        hashed = []

        def counted(value, hashed=hashed):
            text = json.dumps(value, sort_keys=True)
            hashed.append(len(text))
            return digest_bytes(text.encode())

        with monkeypatch.context() as patch:
            patch.setattr(expected_records, "digest_json", counted)
            assert out_state(shot, "ink").step is Step.UP_TO_DATE
        costs.append(sum(hashed))
    assert costs[1] < 4.5 * costs[0]
