# SPDX-License-Identifier: GPL-3.0-or-later
"""Frames of a capture are saved one by one, and several captures of a shot join."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import captures
import pytest

Part = Callable[[str], Any]


@pytest.fixture
def noted(part: Part, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The frames that were saved alone."""
    found: list[int] = []
    kind = part("engine.shared.shot").Shot
    note = kind.note_frame

    def note_frame(shot: Any, frame: int) -> None:
        found.append(frame)
        note(shot, frame)

    monkeypatch.setattr(kind, "note_frame", note_frame)
    return found


def test_frames_after_the_first_are_saved_alone(
    part: Part, scene: Any, tmp_path: Any, noted: list[int]
) -> None:
    job = part("capture").capture(scene, tmp_path / "shot", [1, 2, 3, 4])
    for progress in job:
        if progress.text == "Frame 4":
            break
    assert noted == [2, 3]
    assert captures.open_shot(part, tmp_path / "shot").frames == [1, 2, 3]
    job.close()
    assert captures.open_shot(part, tmp_path / "shot").frames == [1, 2, 3]
    names = {path.name for path in (tmp_path / "shot").iterdir()}
    assert names == {"frames", "shot.json"}


def test_what_a_killed_capture_has_noted_is_not_rendered_again(
    part: Part, scene: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    saving = part("capture.frame_saving").FrameSaving
    with monkeypatch.context() as patch:
        patch.setattr(saving, "finish", lambda _: None)
        captures.run(part, scene, tmp_path / "shot", [1, 2])
    assert (tmp_path / "shot/shot.journal").is_file()
    result = captures.run(part, scene, tmp_path / "shot", [1, 2, 3])
    assert (result.skipped, result.rendered) == ([1, 2], [3])
    assert not (tmp_path / "shot/shot.journal").exists()


def test_a_keyframe_of_another_blender_stays_through_a_capture(
    part: Part, scene: Any, tmp_path: Any
) -> None:
    job = part("capture").capture(scene, tmp_path / "shot", [1, 2])
    while next(job).text != "Frame 2":
        pass
    other = captures.open_shot(part, tmp_path / "shot")
    part("keyframes.paintings").add(other, 1)
    part("keyframes.paintings").remove(other, 1)
    for _ in job:
        pass
    shot = captures.open_shot(part, tmp_path / "shot")
    assert shot.manifest.removed_keys == [1]
    assert 1 in shot.manifest.blank_keys
